/** Six digits that nobody can foretell, and what is kept of them. */
import { randomInt } from 'node:crypto'
import { sealParts } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { CodePurpose, Destination } from './repo.ts'

const digits = 6

/** Uniform from 000000 to 999999 (`randomInt` draws again where a remainder would favour some). */
export function drawCode(): string {
  return randomInt(10 ** digits)
    .toString()
    .padStart(digits, '0')
}

/** A keyed hash: whoever reads the database cannot try a million codes. Worthless for another purpose or address. */
export function hashCode(
  { keys }: Pick<Deps, 'keys'>,
  purpose: CodePurpose,
  { channel, address }: Destination,
  code: string,
): Buffer {
  return sealParts(keys.code, purpose, channel, address, code)
}
