/**
 * Tokens that live two seconds at most, issued all the time by a running issuer, and one verifier that listens to it and sees
 * five hundred of them a second. None of them may ever be refused.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { AuthError, createVerifier, type Verifier } from '@signet/verifier'
import { createIssuerClient, register, startFamily } from './issuer-client.ts'

export interface KeyTraffic extends AsyncDisposable {
  readonly seen: TrafficCounts
  /** A token that was issued from now on. */
  nextToken(): Promise<string>
  /** Undefined where it is good, else why it is not. */
  reasonOf(token: string): Promise<string | undefined>
}

export interface TrafficCounts {
  verified: number
  issued: number
  /** The keys that the verified tokens were signed with. */
  readonly kids: Set<string>
  /** The most keys that were published at once. */
  mostKeys: number
  readonly refused: string[]
  /** Refreshes that brought no token. */
  readonly unissued: string[]
}

const families = 4
/** Each refreshes so often. */
const refreshEveryMs = 100
export const verificationsPerSecond = 500
const verifyEveryMs = 10
/** A token is presented until shortly before it expires: what expires on its way is not refused for its key. */
const marginMs = 100

interface LiveToken {
  readonly text: string
  readonly kid: string
  readonly untilMs: number
}

/** Resolves when the verifier listens and holds keys and lists, and tokens come. */
export async function startKeyTraffic(url: string, issuer: string): Promise<KeyTraffic> {
  const seen: TrafficCounts = { verified: 0, issued: 0, kids: new Set(), mostKeys: 0, refused: [], unissued: [] }
  const live: LiveToken[] = []
  const stopping = new AbortController()
  let awaited = Promise.withResolvers<string>()
  const verifier = createVerifier({
    issuer,
    audience: 'signet',
    keys: { uri: `${url}/.well-known/jwks.json` },
    revocation: { mode: 'push' },
    bundles: false,
    // Each verification is one of the signature.
    cache: false,
    on: {
      keysRefreshed: kids => {
        seen.mostKeys = Math.max(seen.mostKeys, kids.length)
      },
    },
  })

  async function issue(): Promise<void> {
    const client = createIssuerClient(url)
    const family = await startFamily(client, await register(client))
    while (!stopping.signal.aborted) {
      const startedAt = performance.now()
      const answer = await client.post('/api/v1/tokens/refresh', { refresh_token: family.token })
      if (answer?.status === 200) {
        const { access_token: text, refresh_token: next } = JSON.parse(answer.body) as Record<string, string>
        family.token = next ?? ''
        live.push(describeToken(text ?? ''))
        seen.issued += 1
        awaited.resolve(text ?? '')
      } else seen.unissued.push(`${answer?.status ?? 'no answer'}`)
      await pause(Math.max(0, startedAt + refreshEveryMs - performance.now()))
    }
    client.close()
  }

  async function verifyAll(): Promise<void> {
    const startedAt = performance.now()
    let asked = 0
    while (!stopping.signal.aborted) {
      await pause(verifyEveryMs)
      const due = Math.floor(((performance.now() - startedAt) / 1_000) * verificationsPerSecond)
      for (const soon = Date.now() + marginMs; (live[0]?.untilMs ?? Infinity) < soon; ) live.shift()
      for (; asked < due && live.length > 0; asked += 1) {
        // The newest as often as all others together: a key that was just taken into use is what could be unknown.
        const token = live.at(asked % 2 === 0 ? -1 : asked % live.length)
        if (token !== undefined) void verifyOne(token)
      }
    }
  }

  async function verifyOne({ kid, text }: LiveToken): Promise<void> {
    const reason = await reasonOf(verifier, text)
    seen.verified += 1
    if (reason === undefined) seen.kids.add(kid)
    else seen.refused.push(`${reason}, signed with ${kid}`)
  }

  await verifier.warmUp()
  const working = Promise.all([...Array.from({ length: families }, issue), verifyAll()])
  // Whatever breaks is said when the traffic ends.
  working.catch(() => undefined)
  return {
    seen,
    nextToken() {
      awaited = Promise.withResolvers<string>()
      return Promise.race([awaited.promise, working.then(() => Promise.reject(new Error('No tokens come any more.')))])
    },
    reasonOf: token => reasonOf(verifier, token),
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      try {
        await working
      } finally {
        verifier.close()
      }
    },
  }
}

async function reasonOf(verifier: Verifier, token: string): Promise<string | undefined> {
  try {
    await verifier.verify(token)
    return undefined
  } catch (error) {
    return error instanceof AuthError ? error.reason : String(error)
  }
}

function describeToken(text: string): LiveToken {
  const [header, payload] = text
    .split('.')
    .slice(0, 2)
    .map(part => JSON.parse(Buffer.from(part, 'base64url').toString()) as { kid?: string; exp?: number })
  return { text, kid: header?.kid ?? '', untilMs: (payload?.exp ?? 0) * 1_000 }
}

/** The key that a token was signed with. */
export function kidOf(token: string): string {
  return describeToken(token).kid
}
