/** The hashes that we can verify: our own and those of the systems that people come from. */
import { readArgon2 } from './argon2.ts'
import { readBcrypt } from './bcrypt.ts'
import { readPasslibPbkdf2, readWerkzeugPbkdf2 } from './pbkdf2.ts'
import { readPasslibScrypt, readWerkzeugScrypt } from './scrypt.ts'
import { HashFault, type HashReader, type StoredHash } from './stored-hash.ts'

export type { StoredHash }

const readers: readonly HashReader[] = [
  readArgon2,
  readBcrypt,
  readPasslibPbkdf2,
  readWerkzeugPbkdf2,
  readPasslibScrypt,
  readWerkzeugScrypt,
]
const longestText = 512

/** @throws HashFault for a text of no format that we know, or with parameters out of bounds */
export function readHash(text: string): StoredHash {
  if (text.length <= longestText) {
    for (const read of readers) {
      const hash = read(text)
      if (hash !== undefined) return hash
    }
  }
  throw new HashFault('is no hash of bcrypt, argon2, PBKDF2 or scrypt in a form that is read here')
}

/** What is wrong with a hash that somebody brings; undefined for one that we can verify. */
export function findHashFault(text: string): string | undefined {
  try {
    readHash(text)
    return undefined
  } catch (error) {
    if (error instanceof HashFault) return error.message
    throw error
  }
}
