/** From what was sent to what is kept: the text, its statements, or every fault with its place in what was sent. */
import type { InputFault } from '@signet/kernel'
import { type Cedar, countStatements, loadCedar, parseStatement, writeStatement } from './cedar.ts'
import { findFormFaults, type PolicyForm, toCedarJson } from './form.ts'
import { offsetOfByte, placeOf, splitStatements, type StatementText } from './source-text.ts'
import { type Catalogue, describeStatement, findWordFaults, type Statement, type WordFault } from './statements.ts'

/** A policy as it was sent: as text or in the JSON form. */
export type Draft = { readonly source: string } | { readonly form: PolicyForm }

export interface Compiled {
  readonly source: string
  readonly form: PolicyForm | null
  readonly statements: readonly Statement[]
}

export type Compilation = Compiled | { readonly faults: readonly InputFault[] }

/** More than anybody reads at once. */
const mostFaults = 20

export async function compilePolicy(draft: Draft, catalogue: Catalogue): Promise<Compilation> {
  const cedar = await loadCedar()
  const compiled =
    'form' in draft ? compileForm(cedar, draft.form, catalogue) : compileText(cedar, draft.source, catalogue)
  return 'faults' in compiled ? { faults: compiled.faults.slice(0, mostFaults) } : compiled
}

function compileForm(cedar: Cedar, form: PolicyForm, catalogue: Catalogue): Compilation {
  const faults: InputFault[] = findFormFaults(form, catalogue)
  if (faults.length > 0) return { faults }
  const texts: string[] = []
  for (const [number, statement] of form.entries()) {
    const { json, hasSlot } = toCedarJson(statement)
    const text = writeStatement(cedar, json, hasSlot)
    if (typeof text === 'string') texts.push(text)
    else faults.push({ pointer: `/form/${number}`, message: text.message })
  }
  if (faults.length > 0) return { faults }
  const compiled = compileText(cedar, texts.join('\n'), catalogue)
  if (!('faults' in compiled)) return { ...compiled, form }
  return { faults: compiled.faults.map(({ message }) => ({ pointer: '/form', message })) }
}

function compileText(cedar: Cedar, source: string, catalogue: Catalogue): Compilation {
  const refuse = (faults: readonly WordFault[]) => ({
    faults: faults.map(({ message, start }) => ({ pointer: '/source', message, ...placeOf(source, start) })),
  })
  const texts = splitStatements(source)
  if ('message' in texts) return refuse([texts])
  if (texts.length === 0) return refuse([{ message: 'holds no statement', start: 0 }])
  const faults: WordFault[] = []
  const statements: Statement[] = []
  for (const [index, text] of texts.entries()) {
    const json = parseStatement(cedar, text.text, hasSlotIn(text))
    if ('byte' in json) {
      faults.push({ message: json.message, start: offsetOfByte(text, json.byte) })
      continue
    }
    faults.push(...findWordFaults(json, text, catalogue))
    statements.push(describeStatement(json, index + 1, placeOf(source, text.tokens[0].start).line))
  }
  if (faults.length > 0) return refuse(faults)
  // Whoever decides reads the text as a whole: what we have found in its parts is all that it says, or it is refused.
  if (countStatements(cedar, source) !== statements.length)
    return refuse([{ message: 'cannot be read as a whole; remove what is unusual in its comments', start: 0 }])
  return { source, form: null, statements }
}

function hasSlotIn({ tokens }: StatementText): boolean {
  return tokens.some(({ text }) => text.startsWith('?'))
}
