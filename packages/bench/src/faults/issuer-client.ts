/** A client that outlives the issuer: where a connection breaks it learns nothing, and connects anew for its next request. */

import { randomBytes } from 'node:crypto'
import { addressOf, loopbackAddressOf } from '../network-addresses.ts'
import { type HttpAnswer, type HttpConnection, openConnection } from '../workers/http-connection.ts'

export interface IssuerClient {
  /** Undefined where the answer was lost. */
  get(path: string): Promise<HttpAnswer | undefined>
  /** Undefined where the answer was lost: the request may have been served or not. */
  post(path: string, body: object): Promise<HttpAnswer | undefined>
  close(): void
}

let requests = 0

/** Every request comes from a network of its own: the limits of networks are not what breaks here. */
export function createIssuerClient(url: string): IssuerClient {
  return createClient(
    () => openConnection(url),
    () => addressOf(requests++),
  )
}

/** Fewer than a network may send in a minute to any route. */
const requestsOfConnection = 15
let connections = 0

/** As `createIssuerClient`, through a proxy that says itself where a connection comes from: so they come from many places. */
export function createBalancedClient(url: string): IssuerClient {
  return createClient(
    () => openConnection(url, loopbackAddressOf(connections++)),
    () => undefined,
    requestsOfConnection,
  )
}

function createClient(
  open: () => Promise<HttpConnection>,
  nextAddress: () => string | undefined,
  requestsAtMost = Infinity,
): IssuerClient {
  let connection: HttpConnection | undefined
  let sent = 0
  const ask = async (send: (connection: HttpConnection) => Promise<HttpAnswer>) => {
    if (connection?.isClosed === true || sent === requestsAtMost) {
      connection?.close()
      connection = undefined
    }
    try {
      if (connection === undefined) {
        connection = await open()
        sent = 0
      }
      sent += 1
      return await send(connection)
    } catch {
      connection?.close()
      connection = undefined
      return undefined
    }
  }
  return {
    get: path => ask(connected => connected.get(path)),
    post: (path, body) =>
      ask(connected => connected.post(path, 'application/json', JSON.stringify(body), nextAddress())),
    close: () => connection?.close(),
  }
}

export interface Credentials {
  readonly email: string
  readonly password: string
}

/** Nobody has them yet. */
export function newCredentials(): Credentials {
  return {
    email: `${randomBytes(9).toString('hex')}@bench.invalid`,
    password: randomBytes(15).toString('base64url'),
  }
}

/** @throws Error with the answer */
export async function register(client: IssuerClient): Promise<Credentials> {
  const person = newCredentials()
  expectStatus(await client.post('/api/v1/users', person), 201, 'Registering')
  return person
}

/** The chain of refresh tokens of one session, as an honest client holds it. */
export interface Family {
  readonly client: IssuerClient
  readonly sessionId: string
  /** The newest that an answer has brought. */
  token: string
  /** Rotations that an answer has told. */
  rotations: number
}

/** @throws Error with the answer */
export async function startFamily(client: IssuerClient, person: Credentials): Promise<Family> {
  return familyOf(client, expectStatus(await client.post('/api/v1/tokens', person), 200, 'Signing in'))
}

/** @param answer to a sign-in */
function familyOf(client: IssuerClient, answer: HttpAnswer): Family {
  const { refresh_token: token } = JSON.parse(answer.body) as { refresh_token: string }
  return { client, sessionId: sessionOf(answer), token, rotations: 0 }
}

/** Presents what the family holds, and holds what comes back. */
export async function refreshFamily(family: Family): Promise<HttpAnswer | undefined> {
  const answer = await family.client.post('/api/v1/tokens/refresh', { refresh_token: family.token })
  if (answer?.status === 200) {
    family.token = (JSON.parse(answer.body) as { refresh_token: string }).refresh_token
    family.rotations += 1
  }
  return answer
}

/** The session of an answer that carries tokens. */
export function sessionOf(answer: HttpAnswer): string {
  const { access_token: token } = JSON.parse(answer.body) as { access_token: string }
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return (JSON.parse(claims) as { sid: string }).sid
}

/** The status and the problem's code, for a tally: no member that could hold a secret. */
export function describeAnswer(answer: HttpAnswer | undefined): string {
  if (answer === undefined) return 'no answer'
  if (answer.status < 400) return `${answer.status}`
  // A proxy that has nobody to ask answers in its own words.
  const { code } = answer.body.startsWith('{') ? (JSON.parse(answer.body) as { code?: string }) : { code: 'of a proxy' }
  return `${answer.status} ${code ?? ''}${answer.retryAfter === undefined ? '' : ', Retry-After'}`
}

function expectStatus(answer: HttpAnswer | undefined, status: number, what: string): HttpAnswer {
  if (answer?.status !== status) throw new Error(`${what} was answered with ${describeAnswer(answer)}.`)
  return answer
}
