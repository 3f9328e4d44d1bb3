/** Ids of what has a row of its own in the older system and is a pair here: the same pair always has the same id. */
import { createHash } from 'node:crypto'

/** A UUID of version 8 (RFC 9562 section 5.8) of the texts. */
export function deriveId(...parts: readonly string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
