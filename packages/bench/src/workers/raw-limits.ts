/** What one core can do at best: the arithmetic that the issuer cannot avoid, without an issuer around it. */

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import { measureRate, type Work } from '../rounds.ts'
import { answerQuestions } from './answer-questions.ts'

export interface RawLimitQuestion {
  readonly limit: 'rsa-2048-signature' | 'argon2id'
  readonly durationMs: number
}

answerQuestions(async ({ limit, durationMs }: RawLimitQuestion): Promise<number> => {
  works[limit] ??= limit === 'argon2id' ? await compareHashes() : signInputs()
  return measureRate(works[limit], durationMs)
})

const works: { [Limit in RawLimitQuestion['limit']]?: Work } = {}

const signaturesAtOnce = 16
/** The header and payload of an ordinary access token. */
const signingInputBytes = 600

function signInputs(): Work {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const input = Buffer.from(randomBytes((signingInputBytes * 3) / 4).toString('base64url'))
  return () => {
    for (let count = 0; count < signaturesAtOnce; count += 1) sign('RSA-SHA256', input, privateKey)
    return signaturesAtOnce
  }
}

/** As the issuer hashes: argon2id, 19 MiB, two passes, one lane, as many at once as there are cores for this process. */
async function compareHashes(): Promise<Work> {
  const password = randomBytes(12).toString('base64url')
  const stored = await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  const atOnce = availableParallelism()
  return async () => {
    const answers = await Promise.all(Array.from({ length: atOnce }, () => verify(stored, password)))
    if (answers.includes(false)) throw new Error('The right password was refused.')
    return atOnce
  }
}
