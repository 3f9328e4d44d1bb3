/** Older systems are switched one by one; what they let an administrator do is no more than the native routes let them. */
import { SettingsError } from '@signet/kernel'
import t from 'tap'
import { buildApp } from '../src/app.ts'
import { accessCookie } from '../src/compat/cookies.ts'
import { readConfig } from '../src/config.ts'
import { createWorld, internalKey } from './world.ts'

const world = await createWorld(t)
const { cast, company, platform, admin, call } = world
const DATABASE_URL = 'postgres://x@localhost/x'

t.test('a system that is not named has no routes here, and none in the map of the gateway', async t => {
  const app = await buildApp({ ...world.deps, compat: new Set(['chat-auth']) })
  t.teardown(() => app.close())
  for (const url of ['/gateway/routes', '/api/v1/advisor/dashboard'])
    t.match((await app.inject({ url })).json(), { code: 'route-not-found' }, url)
  const answer = await app.inject({ url: '/admin/v1/gateway/routes', headers: { 'x-api-key': internalKey } })
  const prefixes = answer.json<{ items: { prefix: string }[] }>().items.map(({ prefix }) => prefix)
  for (const prefix of ['/token', '/register', '/validate', '/']) t.ok(prefixes.includes(prefix), prefix)
  for (const prefix of ['/auth/user', '/gateway/routes', '/admin/users/', '/api/v1/roles', '/mapdirectory/places/all'])
    t.notOk(prefixes.includes(prefix), prefix)
  t.throws(() => readConfig({ DATABASE_URL, COMPAT: 'eng' }), SettingsError)
})

t.test('cookies are read for the systems that had them, and for nothing else', async t => {
  const cookies = { domain: undefined, prefix: '__Host-' }
  t.equal(accessCookie({ compat: new Set(['eng-identity']), cookies }), '__Host-access_token')
  t.equal(accessCookie({ compat: new Set(['chat-auth', 'iam-rs256']), cookies }), false)
  const cookie = `access_token=${admin.headers['authorization']?.replace('Bearer ', '')}`
  t.equal((await call(null, 'GET', 'roles', undefined, { cookie })).status, 200)
  const foreign = { cookie, 'sec-fetch-site': 'cross-site' }
  t.match(await call(null, 'POST', 'roles', { name: 'x' }, foreign), {
    status: 403,
    body: { code: 'cross-site-request' },
  })
})

t.test('PATCH /admin/users/{email}', async t => {
  const rolesOf = async (id: string) => {
    const { body } = await call(admin, 'GET', `users/${id}/roles`)
    return body.items.map(({ name }: { name: string }) => name).toSorted()
  }
  const email = 'carla@example.com'
  const person = await cast.addPerson(company, { email })
  const patch = (who: typeof admin, body: object, to = email) => call(who, 'PATCH', `/admin/users/${to}`, body)

  await t.test('gives the role of one word and takes that of the other', async t => {
    for (const [role, roles] of [
      ['advisor', ['advisor']],
      ['admin', ['admin']],
      ['client', []],
    ] as const) {
      t.equal((await patch(admin, { role }, email.toUpperCase())).status, 200)
      t.same(
        (await rolesOf(person.userId)).filter((name: string) => name !== 'member'),
        roles,
      )
    }
  })
  await t.test('is all or nothing, and never more than the caller holds', async t => {
    const clerk = await cast.addActor(company, { permissions: ['users:modify'] })
    t.equal((await patch(clerk, { is_active: false })).status, 200)
    t.equal((await patch(clerk, { is_active: true, role: 'advisor' })).status, 404, 'who may not see members')
    t.equal((await call(admin, 'GET', `users/${person.userId}`)).body.status, 'suspended', 'nothing of it has happened')
    const giver = await cast.addActor(company, {
      permissions: ['users:modify', 'memberships:read', 'memberships:modify'],
    })
    t.match(await patch(giver, { role: 'admin' }), { status: 403, body: { ok: false } })
    t.equal((await patch(admin, { is_active: true })).status, 200)
  })
  await t.test('finds nobody of another tenant', async t => {
    const stranger = await cast.addActor(platform, { roles: ['super_admin'] })
    const answer = await patch(stranger, { role: 'admin' })
    t.equal(answer.status, 404)
    t.same(answer.body, { ok: false, error: 'User not found' })
  })
})
