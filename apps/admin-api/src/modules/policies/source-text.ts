/**
 * Where things stand in a text of Cedar. Cedar's parser is the only judge of what a text means; this reads no more than
 * where a statement ends (a semicolon outside of strings and comments), so that faults can be named by line and column, and
 * it keeps from the parser what would exhaust its stack: that of the WebAssembly module overflows at some two hundred
 * levels, and the module is of no use afterwards.
 */

/** 1-based; columns count characters. */
export interface Place {
  readonly line: number
  readonly column: number
}

interface Token {
  readonly text: string
  /** Offset in the whole text, in UTF-16 units. */
  readonly start: number
}

/** One statement as it stands in the text, with its semicolon and what precedes it. */
export interface StatementText {
  readonly text: string
  /** Offset in the whole text, in UTF-16 units. */
  readonly start: number
  /** Never empty; without blanks and comments. */
  readonly tokens: readonly [Token, ...Token[]]
}

export const mostStatements = 50
export const mostBytes = 65_536
const mostLevels = 32
const mostWords = 2_000

/** The rule that a text breaks before anybody parses it. */
export interface BrokenBound {
  readonly message: string
  readonly start: number
}

/** The statements of the text in their order, or the first bound that it breaks. */
export function splitStatements(source: string): readonly StatementText[] | BrokenBound {
  const bytes = Buffer.byteLength(source)
  if (bytes > mostBytes) return { message: `is ${bytes} bytes long: ${mostBytes} are the most`, start: 0 }
  const statements: StatementText[] = []
  let start = 0
  let tokens: Token[] = []
  let brackets = 0
  // An `if` closes nowhere: each counts as a level until the end of its statement.
  let ifs = 0
  let words = 0
  for (const token of readTokens(source)) {
    tokens.push(token)
    if (/^[([{]$/.test(token.text)) brackets += 1
    else if (/^[)\]}]$/.test(token.text)) brackets = Math.max(0, brackets - 1)
    else if (token.text === 'if') ifs += 1
    if (brackets + ifs > mostLevels)
      return { message: `is nested deeper than ${mostLevels} levels`, start: token.start }
    // A list may be long: it is no chain.
    if (!/^[,"]/.test(token.text)) words += 1
    if (words > mostWords)
      return { message: `is longer than ${mostWords} words and signs: make several statements of it`, start }
    if (token.text !== ';') continue
    if (statements.length === mostStatements)
      return { message: `is statement ${mostStatements + 1}: ${mostStatements} are the most`, start: token.start }
    statements.push(cut(source, start, token.start + 1, tokens))
    start = token.start + 1
    tokens = []
    brackets = 0
    ifs = 0
    words = 0
  }
  // What follows the last semicolon and is no comment: the parser says what is missing.
  if (tokens.length > 0) statements.push(cut(source, start, source.length, tokens))
  return statements
}

function cut(source: string, start: number, end: number, tokens: readonly Token[]): StatementText {
  return { text: source.slice(start, end), start, tokens: tokens as readonly [Token, ...Token[]] }
}

const blank = /\s+|\/\/[^\n\r]*/y
const word = /"(?:[^"\\]|\\[^])*"?|\??[A-Za-z_]\w*|\d+|::|[^]/y

function* readTokens(source: string): Generator<Token> {
  for (let at = 0; at < source.length; ) {
    blank.lastIndex = at
    if (blank.test(source)) {
      at = blank.lastIndex
      continue
    }
    word.lastIndex = at
    const [text = ''] = word.exec(source) ?? []
    yield { text, start: at }
    at += text.length
  }
}

/** Where a token, or several in a row, first stand in the statement; the statement's beginning when they do not. */
export function findTokens({ tokens }: StatementText, ...wanted: readonly string[]): number {
  const index = tokens.findIndex((_, from) => wanted.every((text, offset) => tokens[from + offset]?.text === text))
  return (tokens[index] ?? tokens[0]).start
}

/** From the UTF-8 bytes that Cedar counts within a statement to an offset in the whole text. */
export function offsetOfByte({ text, start }: StatementText, byte: number): number {
  return start + Buffer.from(text).subarray(0, byte).toString().length
}

export function placeOf(source: string, offset: number): Place {
  const lines = source.slice(0, offset).split(/\r\n|\n|\r/)
  return { line: lines.length, column: Array.from(lines.at(-1) ?? '').length + 1 }
}
