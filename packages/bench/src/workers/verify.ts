/** Verifies tokens in one process, by turns with Signet's verifier and with what it is held against. */

import { alternate, type Round, type Turns, type Work } from '../rounds.ts'
import { answerQuestions } from './answer-questions.ts'
import { type Check, checks, type CheckName } from './token-checks.ts'
import { makeTokens, type TokenSet } from './tokens.ts'

export interface VerifyQuestion {
  readonly ours: CheckName
  readonly theirs: CheckName
  /** Remembered tokens: each call then brings a string that no hash was ever computed of, as a request does. */
  readonly isCached: boolean
  /** Tokens name their sessions in a status list. */
  readonly isRevocable: boolean
}

const turns: Turns = { sliceMs: 40, slices: 10 }

answerQuestions(async ({ ours, theirs, isCached, isRevocable }: VerifyQuestion): Promise<Round[]> => {
  const tokens = makeTokens(isRevocable)
  const workOf = async (name: CheckName) => {
    const check = await checks[name](tokens)
    await assertVerifies(name, check, tokens)
    return isCached ? checkFreshStrings(check, tokens) : checkStrings(check, tokens)
  }
  return alternate(await workOf(ours), await workOf(theirs), turns)
})

/** What lets a forged token through is not measured. */
async function assertVerifies(name: CheckName, check: Check, { list }: TokenSet): Promise<void> {
  const [token = ''] = list
  await check(token)
  const at = token.length - 100
  const forged = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
  const isAccepted = await Promise.resolve(forged)
    .then(check)
    .then(
      () => true,
      () => false,
    )
  if (isAccepted) throw new Error(`${name} accepted a forged token.`)
}

/** How many an asynchronous library has under way at once: alone it would mostly wait for its thread. */
const concurrency = 16

function checkStrings(check: Check, { list }: TokenSet): Work {
  const [first = ''] = list
  if (check(first) instanceof Promise) return checkConcurrently(check, list)
  return () => {
    for (const token of list) void check(token)
    return list.length
  }
}

function checkConcurrently(check: Check, list: readonly string[]): Work {
  let next = 0
  return async () => {
    const batch: unknown[] = []
    for (let count = 0; count < concurrency; count += 1) {
      batch.push(check(list[next] ?? ''))
      next = (next + 1) % list.length
    }
    await Promise.all(batch)
    return concurrency
  }
}

function checkFreshStrings(check: Check, { bytes }: TokenSet): Work {
  return () => {
    for (const token of bytes) void check(token.toString('latin1'))
    return bytes.length
  }
}
