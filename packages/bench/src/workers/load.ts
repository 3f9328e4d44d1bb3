/**
 * Clients over HTTP, each on a connection of its own that stays open: a client sends its next request when it has the answer
 * to the one before. Only answers that are right and came within the time are counted; a wrong one ends the measurement.
 */

import { randomBytes } from 'node:crypto'
import { Pool } from 'undici'
import { answerQuestions } from './answer-questions.ts'

export interface LoadPreparation {
  readonly scenario: 'sign-in' | 'refresh' | 'client-credentials'
  readonly url: string
  readonly clients: number
}

export interface LoadRun {
  readonly durationMs: number
}

/** One request of one client. */
type Step = (client: number) => Promise<void>

let prepared: { step: Step; clients: number } | undefined

/** Answers a run with requests a second, a preparation with nothing. */
answerQuestions(async (question: LoadPreparation | LoadRun): Promise<number | undefined> => {
  if ('scenario' in question) {
    const pool = new Pool(question.url, { connections: question.clients, pipelining: 1 })
    prepared = { step: await prepare[question.scenario](pool, question.clients), clients: question.clients }
    return undefined
  }
  if (prepared === undefined) throw new TypeError('Prepare the load before running it.')
  return runFor(question.durationMs, prepared)
})

async function runFor(durationMs: number, { step, clients }: { step: Step; clients: number }): Promise<number> {
  const until = performance.now() + durationMs
  let completed = 0
  const work = async (client: number) => {
    for (;;) {
      await step(client)
      if (performance.now() > until) return
      completed += 1
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client)))
  return (completed / durationMs) * 1000
}

const prepare: Record<LoadPreparation['scenario'], (pool: Pool, clients: number) => Promise<Step>> = {
  'sign-in': async (pool, clients) => {
    const people = await registerPeople(pool, clients)
    return async client => {
      await signIn(pool, people[client])
    }
  },

  refresh: async (pool, clients) => {
    const people = await registerPeople(pool, clients)
    const chains: string[] = []
    for (const person of people) chains.push((await signIn(pool, person)).refresh_token)
    return async client => {
      const before = chains[client]
      const { refresh_token: next } = await postJson<Tokens>(
        pool,
        '/api/v1/tokens/refresh',
        { refresh_token: before },
        200,
      )
      if (next === before) throw new Error('The refresh token was not rotated.')
      chains[client] = next
    }
  },

  'client-credentials': async pool => {
    const body = 'grant_type=client_credentials&client_id=bench&client_secret=bench-secret'
    return async () => {
      const { access_token: token } = await post<Tokens>(pool, '/token', 'application/x-www-form-urlencoded', body, 200)
      if (token.split('.').length !== 3) throw new Error('The access token is no JWT.')
    }
  },
}

interface Person {
  readonly email: string
  readonly password: string
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

/** One after the other: the issuer hashes as many passwords at once as it has cores. */
async function registerPeople(pool: Pool, count: number): Promise<Person[]> {
  const people = Array.from({ length: count }, () => ({
    email: `${randomBytes(9).toString('hex')}@bench.invalid`,
    password: randomBytes(15).toString('base64url'),
  }))
  for (const person of people) await postJson(pool, '/api/v1/users', person, 201)
  return people
}

function signIn(pool: Pool, person: Person | undefined): Promise<Tokens> {
  return postJson<Tokens>(pool, '/api/v1/tokens', person, 200)
}

function postJson<T>(pool: Pool, path: string, body: unknown, expected: number): Promise<T> {
  return post<T>(pool, path, 'application/json', JSON.stringify(body), expected)
}

async function post<T>(pool: Pool, path: string, type: string, body: string, expected: number): Promise<T> {
  const answer = await pool.request({ path, method: 'POST', headers: { 'content-type': type }, body })
  const text = await answer.body.text()
  if (answer.statusCode !== expected) throw new Error(`POST ${path} answered ${answer.statusCode}: ${text}`)
  return JSON.parse(text) as T
}
