// A verifier over a real key endpoint, with a clock that can be turned.
import { setTimeout as delay } from 'node:timers/promises'
import { createVerifier, type Verifier, type VerifierOptions } from '@signet/verifier'
import { createTestIssuer, type TestIssuer } from '@signet/verifier/testing'
import type { Test } from 'tap'
import { answerJson, type KeyServer, startKeyServer } from './forge.ts'

export const minute = 60_000

export interface Bench {
  readonly issuer: TestIssuer
  readonly server: KeyServer
  readonly verifier: Verifier
  readonly clock: { nowMs: number }
  readonly stale: number[]
  readonly ignored: string[]
  readonly refreshed: (readonly string[])[]
}

/** An issuer whose keys a real server publishes, and a verifier whose clock the test moves. */
export async function setUp(t: Test, options: Partial<VerifierOptions> = {}): Promise<Bench> {
  const server = await startKeyServer((_, response) => response.destroy())
  const clock = { nowMs: Date.now() }
  const issuer = createTestIssuer({ issuer: server.url, now: () => clock.nowMs })
  server.answer = (request, response) => {
    if (request.url === '/.well-known/jwks.json') return answerJson(issuer.jwks)(request, response)
    response.writeHead(404).end()
  }
  const stale: number[] = []
  const ignored: string[] = []
  const refreshed: (readonly string[])[] = []
  const verifier = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    now: () => clock.nowMs,
    // These tests count what is asked for keys.
    revocation: { mode: 'off' },
    ...options,
    on: {
      stale: (_, ageMs) => stale.push(ageMs),
      keyIgnored: (why, kid) => ignored.push(`${kid}: ${why}`),
      keysRefreshed: kids => refreshed.push(kids),
    },
  })
  t.teardown(async () => {
    verifier.close()
    await server.close()
  })
  return { issuer, server, verifier, clock, stale, ignored, refreshed }
}

export async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(1)
}

export function claimsOf(token: string): { sub: string } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
