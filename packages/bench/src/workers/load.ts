/**
 * Clients over HTTP, each on a connection of its own that stays open: a client sends its next request when it has the answer
 * to the one before, until the time is over. All answers are counted, over the time up to the last of them, as raw limits are:
 * what is under way at the end would else be work of nobody. A wrong answer ends the measurement.
 */

import { randomBytes } from 'node:crypto'
import { addressOf } from '../network-addresses.ts'
import { answerQuestions } from './answer-questions.ts'
import { type HttpConnection, openConnection } from './http-connection.ts'

export interface LoadPreparation {
  readonly scenario: 'sign-in' | 'refresh' | 'client-credentials' | 'key-set' | 'token'
  readonly url: string
  readonly clients: number
}

export interface LoadRun {
  readonly durationMs: number
  /** Goes on until so many were answered, also where that takes longer. */
  readonly requests?: number
}

/** One request of one client. */
type Step = (client: number) => Promise<void>

/**
 * Networks of a client, one after the other: enough that none meets the limit of a network, and fewer than a person may have
 * known devices, so that they are all known when the measurement begins.
 */
const networksOfClient = 40

const requestsOf: number[] = []

function nextAddress(client: number): string {
  const request = (requestsOf[client] ?? 0) + 1
  requestsOf[client] = request
  return addressOf(client * networksOfClient + (request % networksOfClient))
}

interface PreparedLoad {
  readonly step: Step
  readonly clients: number
}

let prepared: PreparedLoad | undefined

/** Answers a run with requests a second, a preparation with nothing. */
answerQuestions(async (question: LoadPreparation | LoadRun): Promise<number | undefined> => {
  if ('scenario' in question) {
    const connections: HttpConnection[] = []
    while (connections.length < question.clients) connections.push(await openConnection(question.url))
    prepared = { step: await prepare[question.scenario](connections), clients: question.clients }
    return undefined
  }
  if (prepared === undefined) throw new TypeError('Prepare the load before running it.')
  return run(question, prepared)
})

async function run({ durationMs, requests = 0 }: LoadRun, { step, clients }: PreparedLoad): Promise<number> {
  const startedAt = performance.now()
  let completed = 0
  const work = async (client: number) => {
    while (performance.now() < startedAt + durationMs || completed < requests) {
      await step(client)
      completed += 1
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client)))
  return (completed / (performance.now() - startedAt)) * 1000
}

const prepare: Record<LoadPreparation['scenario'], (connections: readonly HttpConnection[]) => Promise<Step>> = {
  'sign-in': async connections => {
    const people = await registerPeople(connections)
    return async client => {
      await signIn(itemAt(people, client), client)
    }
  },

  refresh: async connections => {
    const chains: { connection: HttpConnection; token: string }[] = []
    for (const [client, person] of (await registerPeople(connections)).entries()) {
      chains.push({ connection: person.connection, token: (await signIn(person, client)).refresh_token })
    }
    return async client => {
      const chain = itemAt(chains, client)
      const body = JSON.stringify({ refresh_token: chain.token })
      const from = nextAddress(client)
      const path = '/api/v1/tokens/refresh'
      const { refresh_token: next } = await post<Tokens>(chain.connection, path, json, body, 200, from)
      if (next === chain.token) throw new Error('The refresh token was not rotated.')
      chain.token = next
    }
  },

  'key-set': async connections => async client => {
    const { keys } = await get<{ keys: readonly object[] }>(itemAt(connections, client), '/.well-known/jwks.json')
    if (keys.length === 0) throw new Error('The key set is empty.')
  },

  token: async connections => async client => {
    const { access_token: token } = await get<Tokens>(itemAt(connections, client), '/token')
    if (token.split('.').length !== 3) throw new Error('The access token is no JWT.')
  },

  'client-credentials': async connections => {
    const body = 'grant_type=client_credentials&client_id=bench&client_secret=bench-secret'
    return async client => {
      const { access_token: token } = await post<Tokens>(itemAt(connections, client), '/token', form, body, 200)
      if (token.split('.').length !== 3) throw new Error('The access token is no JWT.')
    }
  },
}

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

interface Registered {
  readonly connection: HttpConnection
  /** What signs the person in. */
  readonly body: string
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

/** A person a connection. One after the other: the issuer hashes as many passwords at once as it has cores. */
async function registerPeople(connections: readonly HttpConnection[]): Promise<Registered[]> {
  const people: Registered[] = []
  for (const [client, connection] of connections.entries()) {
    const email = `${randomBytes(9).toString('hex')}@bench.invalid`
    const body = JSON.stringify({ email, password: randomBytes(15).toString('base64url') })
    await post(connection, '/api/v1/users', json, body, 201, nextAddress(client))
    people.push({ connection, body })
  }
  return people
}

function signIn({ connection, body }: Registered, client: number): Promise<Tokens> {
  return post<Tokens>(connection, '/api/v1/tokens', json, body, 200, nextAddress(client))
}

async function get<T>(connection: HttpConnection, path: string): Promise<T> {
  const { status, body } = await connection.get(path)
  if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${body}`)
  return JSON.parse(body) as T
}

async function post<T>(
  connection: HttpConnection,
  path: string,
  type: string,
  text: string,
  expected: number,
  from?: string,
): Promise<T> {
  const { status, body } = await connection.post(path, type, text, from)
  if (status !== expected) throw new Error(`POST ${path} answered ${status}: ${body}`)
  return JSON.parse(body) as T
}

function itemAt<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new RangeError(`There is no client ${index}.`)
  return item
}
