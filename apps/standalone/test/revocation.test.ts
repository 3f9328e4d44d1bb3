/**
 * What an administrator or a person ends is over where tokens are verified, without anybody asking the database there: the three
 * programs in a process of their own, and verifiers of a service's beside them. Times are waited for with a limit below the
 * minute after which whoever is not told would ask.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { plantCanary, plantSecretsOf, testDatabase } from '@signet/testkit'
import { createVerifier, type Principal, type VerifierOptions } from '@signet/verifier'
import t from 'tap'
import { readFirstAdmin } from '../src/credentials-file.ts'
import { type Answer, callApi, textOf } from '../src/demo/call.ts'
import { createHome, waitUntilReady } from '../src/demo/child.ts'
import { startKeptChild } from './kept-child.ts'

const serviceKey = 'a-key-of-the-settings-0123456789'
const password = 'a quiet green harbour'
plantCanary('service key', serviceKey)
plantCanary('password', password)
const limitMs = 20_000
/** What the issuer promises; a machine that stands still for a moment may miss it once, not three times. */
const promisedMs = 1_000
const ttlMs = 60_000

const { url, adminUrl } = await testDatabase(t)
const home = await createHome()
t.teardown(() => home.remove())
const child = startKeptChild(home, {
  DATABASE_URL: url,
  DATABASE_ADMIN_URL: adminUrl,
  INTERNAL_SERVICE_API_KEY: serviceKey,
  // So that what roles hold is read from the bundle.
  TOKEN_PERMISSIONS_MAX_BYTES: '0',
})
await waitUntilReady(child)
t.teardown(async () => {
  child.process.kill('SIGTERM')
  await child.ended
})
const { iam, admin, places } = home.addresses

interface Tokens {
  readonly access: string
  readonly refresh: string
}

async function signIn(body: object): Promise<Tokens> {
  const tokens = await callApi('POST', `${iam}/api/v1/tokens`, { body, expect: 200 })
  plantSecretsOf(tokens)
  return { access: textOf(tokens, 'access_token'), refresh: textOf(tokens, 'refresh_token') }
}
const first = await readFirstAdmin(home.adminFile)
const { access: token } = await signIn({ email: first?.email, password: first?.password })
const administer = (method: string, path: string, expect: number, body?: object) =>
  callApi(method, `${admin}/admin/v1/${path}`, { token, expect, ...(body === undefined ? {} : { body }) })

const role = await administer('POST', 'roles', 201, { name: 'driver', permissions: ['places:read', 'places:create'] })
const ada = await administer('POST', 'users', 201, {
  email: 'ada@example.com',
  password,
  role_ids: [textOf(role, 'id')],
})
const signInAda = () => signIn({ email: 'ada@example.com', password })

async function readPlaces({ access }: Tokens): Promise<{ readonly status: number; readonly body: Answer }> {
  const answer = await fetch(`${places}/places?limit=1`, { headers: { authorization: `Bearer ${access}` } })
  return { status: answer.status, body: (await answer.json()) as Answer }
}

/** How long it takes until it is so. @throws Error where it never is */
async function timeUntil(isSo: () => boolean | Promise<boolean>, what: string): Promise<number> {
  const startedAt = performance.now()
  while (!(await isSo())) {
    if (performance.now() - startedAt > limitMs) throw new Error(`In ${limitMs} ms it has not happened: ${what}`)
    await delay(5)
  }
  return performance.now() - startedAt
}
const timeUntilRefused = (tokens: Tokens) =>
  timeUntil(async () => (await readPlaces(tokens)).status !== 200, 'a refusal')

t.test('a token is refused with the reason as soon as its session ends', async t => {
  const laptop = await signInAda()
  t.equal((await readPlaces(laptop)).status, 200)

  await t.test('by a sign-out, within a second, on that device alone', async t => {
    const times: number[] = []
    for (const phone of [await signInAda(), await signInAda(), await signInAda()]) {
      t.equal((await readPlaces(phone)).status, 200)
      await callApi('POST', `${iam}/api/v1/tokens/revoke`, { body: { refresh_token: phone.refresh }, expect: 204 })
      times.push(await timeUntilRefused(phone))
      t.match(await readPlaces(phone), { status: 401, body: { code: 'revoked' } })
      t.equal((await readPlaces(laptop)).status, 200)
    }
    t.comment(`refused after ${times.map(Math.round).join(', ')} ms`)
    t.ok(Math.min(...times) < promisedMs)
  })

  await t.test('by an administrator who suspends the person, on every device', async t => {
    const phone = await signInAda()
    t.equal((await readPlaces(phone)).status, 200)
    await administer('POST', `users/${textOf(ada, 'id')}/suspend`, 200)
    const times = await Promise.all([laptop, phone].map(timeUntilRefused))
    t.comment(`refused after ${times.map(Math.round).join(', ')} ms`)
    for (const device of [laptop, phone]) {
      t.match(await readPlaces(device), { status: 401, body: { code: 'revoked' } })
    }
    await administer('POST', `users/${textOf(ada, 'id')}/activate`, 200)
    t.match(await readPlaces(laptop), { status: 401, body: { code: 'revoked' } }, 'for good')
    t.equal((await readPlaces(await signInAda())).status, 200, 'who signs in again is there again')
  })
})

t.test('what a role holds no more nobody may', async t => {
  const tokens = await signInAda()
  const clock = { nowMs: Date.now() }
  const watch = async (own: Partial<VerifierOptions>): Promise<() => Promise<Principal>> => {
    const keys = { uri: `${iam}/.well-known/jwks.json` }
    const verifier = createVerifier({ issuer: iam.replace('127.0.0.1', 'localhost'), audience: 'signet', keys, ...own })
    t.teardown(() => verifier.close())
    const verify = () => verifier.verify(tokens.access)
    t.equal((await verify()).can('places:create'), true)
    return verify
  }
  const told = await watch({ serviceKey, revocation: { mode: 'push' } })
  const asking = await watch({ now: () => clock.nowMs })
  const mayCreate = async (verify: () => Promise<Principal>) => (await verify()).can('places:create')

  await administer('DELETE', `roles/${textOf(role, 'id')}/permissions/places:create`, 204)
  t.comment(`told after ${Math.round(await timeUntil(async () => !(await mayCreate(told)), 'the change'))} ms`)
  t.equal(await mayCreate(asking), true, 'whoever has no key is not told')
  clock.nowMs += ttlMs + 1
  t.equal(await mayCreate(asking), false, 'and has asked when the bundle is as old as the issuer allows')
  for (const verify of [told, asking]) {
    const principal = await verify()
    t.equal(principal.can('places:read'), true)
    const asked = { subject: { type: 'user', id: principal.subject }, action: { name: 'places:create' } }
    const resource = { type: 'Tenant', id: principal.tenant }
    const body = { ...asked, resource, context: { explain: true } }
    const { decision, context } = await callApi('POST', `${admin}/access/v1/evaluation`, {
      token: tokens.access,
      body,
      expect: 200,
    })
    t.strictSame({ decision, ...(context as object) }, principal.explain('places:create'), 'as the decision API says')
  }
})

t.test('a role that is taken away from a person is in their next token no more', async t => {
  const tokens = await signInAda()
  t.equal((await readPlaces(tokens)).status, 200)
  await administer('DELETE', `users/${textOf(ada, 'id')}/roles/${textOf(role, 'id')}`, 204)
  const answer = await callApi('POST', `${iam}/api/v1/tokens/refresh`, {
    body: { refresh_token: tokens.refresh },
    expect: 200,
  })
  plantSecretsOf(answer)
  const next = { access: textOf(answer, 'access_token'), refresh: textOf(answer, 'refresh_token') }
  t.match(await readPlaces(next), { status: 403, body: { code: 'insufficient-scope' } })
})
