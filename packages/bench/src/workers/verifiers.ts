/** Verifiers of one service process, each with connections and lists of its own, asked about the same tokens. */

import { AuthError, createVerifier, type RevocationOptions, type Verifier } from '@signet/verifier'
import { setTimeout as pause } from 'node:timers/promises'
import { monotonicMs } from '../monotonic.ts'
import { answerQuestions } from './answer-questions.ts'

export type VerifiersQuestion =
  | VerifiersSettings
  /** Every verifier verifies each of these, and they are known by their places from now on. */
  | { readonly accept: readonly string[] }
  /** Ask all verifiers, or every second one, about these until every one has refused each. */
  | { readonly untilRefused: readonly number[]; readonly everySecond?: boolean }
  /** What each of the verifiers that were left out says of each of these, the first time that it is asked. */
  | { readonly askOthers: readonly number[] }
  /** Ask about the first token until it is answered otherwise, or for so long. */
  | { readonly whileAcceptedMs: number }

export interface VerifiersSettings {
  readonly issuer: string
  readonly audience: string
  /** Where each verifier reaches the issuer: one for each address. */
  readonly urls: readonly string[]
  readonly revocation: RevocationOptions
}

export interface Stale {
  /** How old the list was when it was answered otherwise for the first time, or at the end; the youngest of all verifiers'. */
  readonly ageMs: number
  readonly answers: readonly string[]
}

/** How often a verifier is asked: as a service with a thousand requests a second would. */
const pollMs = 1

const opened: Verifier[] = []
const tokens: string[] = []

answerQuestions(async (question: VerifiersQuestion): Promise<unknown> => {
  if ('urls' in question) return open(question)
  if ('accept' in question) return acceptAll(question.accept)
  if ('untilRefused' in question) return untilRefused(question.untilRefused, question.everySecond === true)
  if ('askOthers' in question) return askOthers(question.askOthers)
  return whileAccepted(question.whileAcceptedMs)
})

async function open({ issuer, audience, urls, revocation }: VerifiersSettings): Promise<void> {
  for (const url of urls) {
    const keys = { uri: `${url}/.well-known/jwks.json` }
    opened.push(createVerifier({ issuer, audience, keys, revocation, bundles: false }))
  }
  await Promise.all(opened.map(verifier => verifier.warmUp()))
}

async function acceptAll(given: readonly string[]): Promise<void> {
  tokens.push(...given)
  for (const verifier of opened) for (const token of given) await verifier.verify(token)
}

/** When the last of them was refused, by the clock that all processes share. */
async function untilRefused(places: readonly number[], everySecond: boolean): Promise<number> {
  const waiting = opened
    .filter((_, at) => !everySecond || at % 2 === 0)
    .flatMap(verifier => places.map(place => ({ verifier, token: tokenAt(place) })))
  while (waiting.length > 0) {
    for (const pair of waiting.slice()) {
      if ((await answerOf(pair.verifier, pair.token)) === 'revoked') waiting.splice(waiting.indexOf(pair), 1)
    }
    if (waiting.length > 0) await pause(pollMs)
  }
  return monotonicMs()
}

async function askOthers(places: readonly number[]): Promise<string[]> {
  const others = opened.filter((_, at) => at % 2 === 1)
  const asked = others.flatMap(verifier => places.map(place => answerOf(verifier, tokenAt(place))))
  return Promise.all(asked)
}

async function whileAccepted(ms: number): Promise<Stale> {
  const until = monotonicMs() + ms
  const found = await Promise.all(
    opened.map(async verifier => {
      for (;;) {
        const answer = await answerOf(verifier, tokenAt(0))
        const ageMs = verifier.health().revocationAgeMs ?? Number.NaN
        if (answer !== 'accepted' || monotonicMs() > until) return { answer, ageMs }
        await pause(pollMs)
      }
    }),
  )
  return { ageMs: Math.min(...found.map(each => each.ageMs)), answers: found.map(each => each.answer) }
}

/** `accepted`, `revoked`, or the status and the reason of another refusal. */
async function answerOf(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verify(token)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    return error.reason === 'revoked' ? 'revoked' : `${error.status} ${error.reason}`
  }
}

function tokenAt(place: number): string {
  const token = tokens[place]
  if (token === undefined) throw new RangeError(`There is no token ${place}.`)
  return token
}
