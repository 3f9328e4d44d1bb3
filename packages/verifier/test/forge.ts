// Tokens no honest issuer would write, and a key server that misbehaves on request.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AuthError, type Reason } from '@signet/verifier'
import type { TestIssuer } from '@signet/verifier/testing'

export const encode = (value: string | Uint8Array | object): string =>
  Buffer.from(
    typeof value === 'string' || value instanceof Uint8Array ? (value as string) : JSON.stringify(value),
  ).toString('base64url')

export const header = (issuer: TestIssuer, more: object = {}) => ({
  alg: 'RS256',
  typ: 'at+jwt',
  kid: issuer.key.kid,
  ...more,
})

/** The claims of a fresh token, to be changed and signed again. */
export const standardClaims = (issuer: TestIssuer): Record<string, unknown> =>
  JSON.parse(Buffer.from(issuer.token().split('.')[1] ?? '', 'base64url').toString())

/** Why it was refused, or undefined when it was not. */
export async function reasonOf(act: () => unknown): Promise<Reason | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    if (error instanceof AuthError) return error.reason
    throw error
  }
}

export interface KeyServer {
  readonly url: string
  /** How many requests have come. */
  readonly hits: () => number
  answer: (request: IncomingMessage, response: ServerResponse) => void
  close(): Promise<void>
}

export const answerJson =
  (body: unknown, status = 200) =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

/** A real HTTP server on a free port of the loopback. */
export async function startKeyServer(answer: KeyServer['answer']): Promise<KeyServer> {
  let hits = 0
  const keyServer = { answer } as KeyServer
  const server: Server = createServer((request, response) => {
    hits++
    keyServer.answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(keyServer, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hits: () => hits,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>(resolve => server.close(() => resolve()))
    },
  })
}
