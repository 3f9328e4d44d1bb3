/**
 * Hashing is bounded: a fixed number of jobs at once and a short queue, then `hashing-busy`, so that a burst of sign-ins
 * takes neither the memory nor the threads of everything else. Whoever has no hash is checked against a dummy of the same
 * parameters, so that the time tells nothing (THREATS P-01).
 */
import { randomBytes } from 'node:crypto'
import { hash as hashArgon2, hashSync } from '@node-rs/argon2'
import { type Problem, problem } from '@signet/kernel'
import { readHash, type StoredHash } from './password-formats/index.ts'

export interface PasswordHasher {
  /** An argon2id hash in PHC form. @throws Problem `hashing-busy` */
  hash(password: string): Promise<string>
  /** False for a null hash, after the same work. @throws Problem `hashing-busy` */
  verify(hash: string | null, password: string): Promise<boolean>
  /**
   * Keeps room for one verification, so that whoever would be sent away is sent away before anything is looked up, written or
   * counted for them. @throws Problem `hashing-busy`
   */
  keepPlace(): HashingPlace
  /** Undefined where there is room for one more; else `hashing-busy`, and whoever asked counts as sent away. */
  refusal(): Problem | undefined
  /**
   * Is it of another kind or cost than those made here? Then it is made anew when its password is at hand. One that cost more as
   * well: it would cost every sign-in as much, and its time would tell for good that somebody is there.
   */
  isOutdated(hash: string): boolean
  /** Jobs that run, that wait, and callers who were sent away since the start. */
  readonly load: () => { readonly running: number; readonly queued: number; readonly shed: number }
}

/** Room for one verification. */
export interface HashingPlace {
  /** False for a null hash, after the same work. */
  verify(hash: string | null, password: string): Promise<boolean>
  /** For a place that is not used. Does nothing for one that was. */
  giveBack(): void
}

export interface HasherOptions {
  /** Jobs at once. More than there are cores for it makes each of them slower. */
  readonly maxConcurrent: number
  /** Jobs that may wait. */
  readonly queueLimit: number
}

/** OWASP's first choice: 19 MiB, two passes, one lane. The library's default variant is argon2id, version 19. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/**
 * Results that are handed on together while others wait. A hash goes through 19 MiB and leaves the processor's caches to whoever
 * comes next cold: those that come together pay for that once. The first of them waits for at most five hashes more, and a full
 * lane signs more people in (decisions 0018 and 0019 of apps/iam).
 */
const resultsTogether = 6

const retryAfterSeconds = 1

const ownForm = `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}$`

export function createHasher({ maxConcurrent, queueLimit }: HasherOptions): PasswordHasher {
  const dummyHash = hashSync(randomBytes(32), parameters)
  // One for all: to note where each was thrown is work, at the moment that has none to spare.
  const busy = problem('hashing-busy', undefined, { retryAfterSeconds })
  const waiting: (() => void)[] = []
  const heldBack: (() => void)[] = []
  let running = 0
  let kept = 0
  let shed = 0

  async function inLane<T>(job: () => Promise<T>): Promise<T> {
    if (running < maxConcurrent) running += 1
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await job()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
      await inCompany(next !== undefined)
    }
  }

  /** Whoever is held back goes with a result that comes later: while somebody waits, one more is always under way. */
  async function inCompany(othersWait: boolean): Promise<void> {
    if (othersWait && heldBack.length + 1 < resultsTogether) await new Promise<void>(resolve => heldBack.push(resolve))
    else for (const release of heldBack.splice(0)) release()
  }

  function refusal(): Problem | undefined {
    if (running + waiting.length + kept < maxConcurrent + queueLimit) return undefined
    shed += 1
    return busy
  }

  function assertRoom(): void {
    const found = refusal()
    if (found !== undefined) throw found
  }

  async function verify(hash: string | null, password: string): Promise<boolean> {
    // All that is no hashing is done before the turn comes: after the hash before it the caches are cold, and the lane stands still.
    const stored = readHash(hash ?? dummyHash)
    const prepared = prepare(password)
    const isRight = await inLane(() => verifyTyped(stored, prepared, password))
    return hash !== null && isRight
  }

  return {
    hash: async password => {
      assertRoom()
      return inLane(() => hashArgon2(prepare(password), parameters))
    },
    verify: async (hash, password) => {
      assertRoom()
      return verify(hash, password)
    },
    keepPlace: () => {
      assertRoom()
      kept += 1
      let isKept = true
      const giveBack = () => {
        if (isKept) kept -= 1
        isKept = false
      }
      return {
        giveBack,
        verify: (hash, password) => {
          giveBack()
          return verify(hash, password)
        },
      }
    },
    refusal,
    isOutdated: hash => !hash.startsWith(ownForm),
    load: () => ({ running, queued: waiting.length, shed }),
  }
}

/** As we prepare it, or else byte for byte: another system has hashed what came from the keyboard. */
async function verifyTyped(stored: StoredHash, prepared: string, password: string): Promise<boolean> {
  return (await stored.verify(prepared)) || (prepared !== password && (await stored.verify(password)))
}

/** The same letters typed on another keyboard are the same password (RFC 8265 section 4.2.2). */
function prepare(password: string): string {
  return password.normalize('NFC')
}
