/** Lines out of a stream of bytes, none of them ever in memory with more than its bound. */
import { isUtf8 } from 'node:buffer'

/** `text` is null for a line that cannot be read; then `fault` says why. */
export interface Line {
  /** Counted from one, blank lines too. */
  readonly number: number
  readonly text: string | null
  readonly fault: string
}

const maxLineBytes = 64 * 1024
const newline = 0x0a
const byteOrderMark = '\ufeff'

/** Gives the lines that each piece of the stream has completed. Blank ones are counted and left out. */
export async function* readLines(stream: AsyncIterable<Buffer>): AsyncGenerator<Line[]> {
  let number = 0
  let held: Buffer[] = []
  let heldBytes = 0

  const hold = (piece: Buffer) => {
    heldBytes += piece.length
    if (heldBytes <= maxLineBytes) held.push(piece)
    else held = []
  }
  const complete = (): Line[] => {
    number += 1
    const line = readLine(number, held, heldBytes)
    held = []
    heldBytes = 0
    return line.text?.trim() === '' ? [] : [line]
  }

  for await (const piece of stream) {
    const lines: Line[] = []
    let start = 0
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, start)) {
      hold(piece.subarray(start, end))
      lines.push(...complete())
      start = end + 1
    }
    hold(piece.subarray(start))
    if (lines.length > 0) yield lines
  }
  if (heldBytes > 0) yield complete()
}

function readLine(number: number, held: readonly Buffer[], bytes: number): Line {
  if (bytes > maxLineBytes) return { number, text: null, fault: `is longer than ${maxLineBytes} bytes` }
  const [first = Buffer.alloc(0)] = held
  const whole = held.length === 1 ? first : Buffer.concat(held)
  if (!isUtf8(whole)) return { number, text: null, fault: 'is not UTF-8' }
  const text = whole.toString()
  return { number, text: number === 1 && text.startsWith(byteOrderMark) ? text.slice(1) : text, fault: '' }
}
