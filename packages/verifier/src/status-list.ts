// A list of statuses (Token Status List, draft-ietf-oauth-status-list): 1, 2, 4 or 8 bits an index, packed from the least
// significant bit of each byte, compressed with zlib.

import { decodeSegment } from './base64url.ts'

export type StatusBits = 1 | 2 | 4 | 8

/** A list of 2^20 entries of 8 bits; ours take 16 kB. What inflates beyond is refused, so that no small answer fills the memory. */
const maxListBytes = 1_048_576

/** The status at an index: 0 is valid. Throws a RangeError for an index that is none of the list's. */
export function readStatus(bytes: Uint8Array, bits: StatusBits, index: number): number {
  const byte = bytes[Math.floor((index * bits) / 8)]
  if (!Number.isSafeInteger(index) || byte === undefined) throw new RangeError('The list has no such index.')
  return (byte >> ((index * bits) % 8)) & ((1 << bits) - 1)
}

/** Makes a status other than valid; an index that is none of the list's changes nothing. */
export function setStatus(bytes: Uint8Array, bits: StatusBits, index: number): void {
  bytes[Math.floor((index * bits) / 8)]! |= 1 << ((index * bits) % 8)
}

/** The bytes of the member `lst`. Rejects where it is not canonical base64url of zlib data, or is too large. */
export async function inflateList(lst: string): Promise<Uint8Array<ArrayBuffer>> {
  const compressed = decodeSegment(lst)
  if (compressed === undefined) throw new Error('The list is not base64url.')
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream('deflate'))
  const bytes = new Uint8Array(maxListBytes)
  let length = 0
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return bytes.slice(0, length)
    if (length + value.length > maxListBytes) throw new Error(`The list is longer than ${maxListBytes} bytes.`)
    bytes.set(value, length)
    length += value.length
  }
}
