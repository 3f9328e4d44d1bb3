/**
 * Rotations and removals as services see them that listen to a running issuer, in short: the long form is `pnpm bench:faults keys`.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { loggerOptions } from '@signet/http'
import { testLogger } from '@signet/testkit'
import { AuthError, createVerifier, type Verifier } from '@signet/verifier'
import t, { type Test } from 'tap'
import { buildApp } from '../src/app.ts'
import { openSigningKeys } from '../src/modules/keys/index.ts'
import { removeKey, rotateKeys } from '../src/modules/keys/key-administration.ts'
import { audience, issuer, password, testApp } from './test-app.ts'
import { until } from './verifier-callers.ts'

const accessTokenTtlSeconds = 2
const a = await testApp(t)
const keys = { folder: a.keysFolder, tokenLifeMs: accessTokenTtlSeconds * 1_000, clock: a.deps.clock }
const signingKeys = await openSigningKeys(keys)
const logger = testLogger(loggerOptions('trace', 'json', 'iam'), 'iam-short-lived')
const tokens = { ...a.deps.tokens, accessTokenTtlSeconds }
const app = await buildApp({ ...a.deps, signingKeys, tokens, logger, trustProxy: [] })
const url = await app.listen({ host: '127.0.0.1', port: 0 })
t.teardown(async () => {
  await app.close()
  signingKeys.close()
})
const email = 'ada@example.com'
const body = { identifier: email, password }
await a.register({ email })

/** Resolves when it listens: what happens from now on reaches it. */
async function listen(t: Test): Promise<Verifier> {
  const opened = Promise.withResolvers<void>()
  const verifier = createVerifier({
    issuer,
    audience,
    cache: false,
    bundles: false,
    revocation: { mode: 'push' },
    keys: {
      uri: `${url}/.well-known/jwks.json`,
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) opened.resolve()
        return response
      },
    },
  })
  t.teardown(() => verifier.close())
  await Promise.all([verifier.warmUp(), opened.promise])
  return verifier
}

async function issue(path: string, payload: object): Promise<{ access_token: string; refresh_token: string }> {
  const answer = await app.inject({ method: 'POST', url: path, payload })
  if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.body}`)
  return answer.json()
}

const reasonOf = (verifier: Verifier, token: string) =>
  verifier.verify(token).then(
    () => 'good',
    (error: unknown) => (error instanceof AuthError ? error.reason : String(error)),
  )

t.test('K-01 twenty rotations while tokens of two seconds are issued and verified: none is refused', async t => {
  const verifier = await listen(t)
  const first = signingKeys.activeKid()
  const [seen, kids] = [new Map<string, number>(), new Set<string>()]
  const rotation = { isRunning: true }
  const working = (async () => {
    let held = await issue('/api/v1/tokens', body)
    const live: string[] = []
    while (rotation.isRunning) {
      held = await issue('/api/v1/tokens/refresh', { refresh_token: held.refresh_token })
      live.push(held.access_token)
      kids.add(signingKeys.activeKid())
      // Of about half a second: all of them are live.
      for (const token of live.slice(-20)) {
        const reason = await reasonOf(verifier, token)
        seen.set(reason, (seen.get(reason) ?? 0) + 1)
      }
      await pause(20)
    }
  })()
  for (let round = 0; round < 20; round += 1) {
    const { ring } = await rotateKeys(keys)
    const active = ring.keys.find(key => key.state === 'active')?.kid
    await until(() => signingKeys.activeKid() === active, 'the rotation')
    await until(() => kids.has(signingKeys.activeKid()), 'a token by it')
  }
  rotation.isRunning = false
  await working
  t.not(signingKeys.activeKid(), first)
  t.ok(kids.size >= 20, `${kids.size} keys have signed`)
  t.strictSame([...seen.keys()], ['good'], JSON.stringify(Object.fromEntries(seen)))
})

t.test('K-02 a key that is removed counts no more for whoever listens, at once', async t => {
  const verifiers = [await listen(t), await listen(t)]
  const kid = signingKeys.activeKid()
  const { access_token: token } = await issue('/api/v1/tokens', body)
  for (const verifier of verifiers) t.equal(await reasonOf(verifier, token), 'good')
  await rotateKeys(keys)
  await until(() => signingKeys.activeKid() !== kid, 'the rotation')
  for (const verifier of verifiers) t.equal(await reasonOf(verifier, token), 'good', 'retired is not removed')
  await removeKey(keys, kid)
  const removedAt = performance.now()
  for (const verifier of verifiers) {
    await until(async () => (await reasonOf(verifier, token)) === 'unknown_key', 'the removal')
    t.equal(
      verifier.exportKeys().keys.some(key => key.kid === kid),
      false,
    )
  }
  const ms = performance.now() - removedAt
  // An interval of one second stands behind the watching of the folder.
  t.ok(ms < 2_000, `${Math.round(ms)} ms`)
  const { access_token: next } = await issue('/api/v1/tokens', body)
  for (const verifier of verifiers) t.equal(await reasonOf(verifier, next), 'good')
})
