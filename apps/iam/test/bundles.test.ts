/** V-14, the issuer's side: the bundle of a tenant is signed, is the tenant's alone, and its version only rises. */
import { gunzipSync } from 'node:zlib'
import { inTenant, runStatement } from '@signet/db'
import { mintServiceKey } from '@signet/http'
import { newId, type TenantId } from '@signet/kernel'
import { plantCanary } from '@signet/testkit'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { rotateKeys } from '../src/modules/keys/key-administration.ts'
import { comparableHeaders, issuer, testApp, type Tokens } from './test-app.ts'
import { until } from './verifier-callers.ts'

const serviceKey = 'the-key-of-the-operator-0123456789'
const a = await testApp(t, { deps: { serviceKeys: [serviceKey] } })
const { email } = await a.register({ email: 'ada@example.com' })
const tokens: Tokens = await a.signIn(email)

const ask = (tid: string, headers: Record<string, string> = { authorization: `Bearer ${tokens.access_token}` }) =>
  a.app.inject({ url: `/bundles/${tid}`, headers })
const withKey = { 'x-api-key': serviceKey }

async function readBundle(tid: string = a.company, headers: Record<string, string> = withKey) {
  const answer = await ask(tid, headers)
  if (answer.statusCode !== 200) throw new Error(`The bundle answered ${answer.body}`)
  const { payload, protectedHeader } = await jwtVerify(
    answer.body,
    createLocalJWKSet(a.signingKeys.keySet() as never),
    {
      issuer,
      subject: tid,
      typ: 'authz-bundle+jwt',
      algorithms: ['RS256'],
      currentDate: new Date(a.clock.nowMs()),
    },
  )
  // oxlint-disable-next-line typescript/no-explicit-any -- a test compares every member it reads
  return { answer, payload: payload as any, header: protectedHeader }
}
const versionNow = async () => (await readBundle()).payload.version as number

async function addRole(name: string, codes: readonly string[], tenant = a.company): Promise<string> {
  const id = newId()
  await inTenant(a.database.db, tenant, async ({ sql }) => {
    await sql`insert into roles (tenant_id, id, name) values (${tenant}, ${id}, ${name})`
    await sql`insert into role_permissions select ${tenant}, ${id}, unnest(${[...codes]}::text[])`
  })
  return id
}

t.test('a bundle says what the roles and policies of the tenant say', async t => {
  const clerk = await addRole('clerk', ['users:list', 'users:read'])
  const policy = newId()
  const source = 'forbid (principal == ?principal, action == Action::"users:read", resource) when { context.mfa };'
  await inTenant(a.database.db, a.company, async ({ sql }) => {
    await sql`insert into policies (tenant_id, id, name, source) values (${a.company}, ${policy}, 'careful', ${source})`
    await sql`insert into policy_statements (tenant_id, policy_id, number, line, effect, actions, is_template, is_conditional, is_personal)
      values (${a.company}, ${policy}, 1, 1, 'forbid', '{users:read}', true, true, true)`
    await sql`insert into policy_attachments (tenant_id, policy_id, role_id) values (${a.company}, ${policy}, ${clerk})`
  })
  const { answer, payload, header } = await readBundle()
  t.strictSame(header, { alg: 'RS256', typ: 'authz-bundle+jwt', kid: a.signingKeys.activeKid() })
  t.match(payload, { iss: issuer, sub: a.company, ttl: 60 })
  t.equal(payload.exp - payload.iat, 3_600)
  t.ok(Number.isInteger(payload.version))
  t.strictSame(Object.keys(payload), ['iss', 'sub', 'iat', 'exp', 'ttl', 'version', 'permissions', 'roles', 'policies'])
  t.ok(payload.permissions.includes('users:read') && !payload.permissions.includes('tenants:create'))
  const roles = new Map(payload.roles.map((role: { name: string }) => [role.name, role]))
  t.strictSame([...roles.keys()], ['admin', 'advisor', 'clerk', 'member', 'super_admin'])
  t.strictSame(roles.get('clerk'), { id: clerk, name: 'clerk', permissions: ['users:list', 'users:read'] })
  t.match(roles.get('super_admin'), { permissions: /tenants:create/ }, 'platform staff hold everything everywhere')
  t.strictSame(payload.policies, [
    {
      id: policy,
      name: 'careful',
      source,
      statements: [{ number: 1, line: 1, effect: 'forbid', actions: ['users:read'], is_template: true }],
      attachments: [{ type: 'role', id: clerk }],
    },
  ])
  t.equal(answer.headers['content-type'], 'application/jwt')
  t.match(answer.headers, { 'cache-control': 'private, max-age=60', vary: 'accept-encoding' })
  t.match(answer.headers.etag, /^W\/"[\w-]{43}"$/)
  const zipped = await ask(a.company, { ...withKey, 'accept-encoding': 'gzip' })
  t.equal(gunzipSync(zipped.rawPayload).toString(), answer.body)
  t.match(await ask(a.company, { ...withKey, 'if-none-match': String(answer.headers.etag) }), {
    statusCode: 304,
    body: '',
  })
  t.equal((await a.call('GET', '/api/v1/me', { token: answer.body })).status, 401, 'no access token (F-09)')
})

t.test('a bundle is for the tenant’s own people, and for services', async t => {
  const other = newId<TenantId>()
  await inTenant(a.database.db, other, async ({ sql }) => {
    await sql`insert into tenants (id, slug, name) values (${other}, 'other', 'Other')`
    await sql`select create_built_in_roles(${other})`
  })
  t.equal((await ask(a.company)).statusCode, 200, 'with a token')
  t.match((await readBundle(other)).payload, { sub: other }, 'a service reads each tenant’s')
  const { key, hash } = mintServiceKey(a.deps.keys.serviceKey)
  plantCanary('service key', key)
  await a.asOwner(async sql => {
    const service = newId()
    await sql`insert into services (id, name, base_url) values (${service}, 'billing', 'http://localhost')`
    await sql`insert into service_keys (id, service_id, name, key_hash) values (${newId()}, ${service}, 'one', ${hash})`
  })
  t.equal((await ask(other, { 'x-api-key': key })).statusCode, 200, 'with an issued key')

  await t.test('a foreign tenant’s is not there, as one that does not exist (T-01)', async t => {
    const comparable = async (tid: string) => {
      const answer = await ask(tid)
      const headers = comparableHeaders({ headers: answer.headers })
      const id = String(answer.headers['x-request-id'])
      return { status: answer.statusCode, headers, text: answer.body.replaceAll(id, '<id>') }
    }
    const foreign = await comparable(other)
    t.match(foreign, { status: 404, text: /tenant-not-found/ })
    t.strictSame(await comparable(newId()), foreign)
  })
  await t.test('nobody’s without a token, with a wrong one, with a wrong key', async t => {
    t.equal((await ask(a.company, {})).statusCode, 401)
    t.equal((await ask(a.company, { authorization: 'Bearer x.y.z' })).statusCode, 401)
    const answer = await ask(a.company, {
      'x-api-key': 'wrong',
      authorization: `Bearer ${tokens.access_token}`,
    })
    t.match(answer, { statusCode: 401, body: /invalid-service-key/ })
    t.equal((await ask('x')).statusCode, 400)
    t.equal((await ask(newId(), withKey)).statusCode, 404)
  })
  await t.test('nor whose session has ended', async t => {
    const gone: Tokens = await a.signIn(email)
    const headers = { authorization: `Bearer ${gone.access_token}` }
    t.equal((await ask(a.company, headers)).statusCode, 200)
    await a.post('/api/v1/tokens/revoke', { refresh_token: gone.refresh_token })
    t.match(await ask(a.company, headers), { statusCode: 401, body: /session-ended/ })
  })
  await t.test('nor that of a tenant that is closed', async t => {
    await a.asOwner(sql => sql`update tenants set status = 'suspended' where id = ${other}`)
    t.match(await ask(other, withKey), { statusCode: 404, body: /tenant-not-found/ })
    await a.asOwner(sql => sql`update tenants set status = 'active' where id = ${other}`)
    t.equal((await ask(other, withKey)).statusCode, 200)
  })
})

t.test('the version rises with whatever the bundle says', async t => {
  const rises = async (what: string, change: () => Promise<unknown>) => {
    const [before, etag] = [await versionNow(), (await readBundle()).answer.headers.etag]
    await change()
    const { payload, answer } = await readBundle()
    t.ok(payload.version > before, what)
    t.not(answer.headers.etag, etag)
  }
  await rises('a role', () => addRole('another', []))
  const addPermission = () =>
    a.asOwner(sql => sql`insert into permissions (code, service, description) values ('bills:read', 'billing', '')`)
  await rises('the catalogue', addPermission)
  t.ok((await readBundle()).payload.permissions.includes('bills:read'))
  await rises('the catalogue, less', () => a.asOwner(sql => sql`delete from permissions where code = 'bills:read'`))
  t.notOk((await readBundle()).payload.permissions.includes('bills:read'))
  const before = await versionNow()
  await a.asOwner(sql => sql`update permissions set description = 'anew' where code = 'users:read'`)
  await a.asOwner(sql => sql`insert into permissions select * from permissions on conflict do nothing`)
  t.equal(await versionNow(), before, 'but not with what it does not say')
  await inTenant(a.database.db, a.company, async ({ sql }) => {
    await sql`update roles set description = 'x' where tenant_id = ${a.company}`
    throw new Error('changed my mind')
  }).catch(() => undefined)
  t.equal(await versionNow(), before, 'nor with what was rolled back')
})

t.test('a version never comes with another’s content', async t => {
  const role = await addRole('busy', [])
  const seen = new Map<number, string>()
  const writers = Promise.all(
    Array.from({ length: 16 }, async (_, index) =>
      inTenant(
        a.database.db,
        a.company,
        ({ sql }) => sql`update roles set name = ${`busy-${index}`} where tenant_id = ${a.company} and id = ${role}`,
      ),
    ),
  )
  const state = { isDone: false }
  void writers.then(() => (state.isDone = true))
  let last = 0
  do {
    const { payload } = await readBundle()
    const said = JSON.stringify(payload.roles)
    t.ok(payload.version >= last, 'and no reader goes back')
    last = payload.version
    t.equal(seen.get(last) ?? said, said)
    seen.set(last, said)
  } while (!state.isDone)
  await writers
  const { payload } = await readBundle()
  const [stored] = await runStatement(
    a.database.db,
    sql => sql<{ bundle: { version: number; roles: unknown } }[]>`select load_bundle(${a.company}) as bundle`,
  )
  t.strictSame(payload.roles, stored?.bundle.roles)
  t.equal(payload.version, stored?.bundle.version)
})

t.test('a bundle is signed once, and anew with another key or after ten minutes', async t => {
  const first = await readBundle()
  t.equal((await readBundle()).answer.body, first.answer.body)
  await rotateKeys({ folder: a.keysFolder, tokenLifeMs: 900_000, clock: a.deps.clock })
  await until(() => a.signingKeys.activeKid() !== first.header.kid, 'the rotation')
  const rotated = await readBundle()
  t.not(rotated.answer.headers.etag, first.answer.headers.etag)
  t.equal(rotated.header.kid, a.signingKeys.activeKid())
  a.clock.shift(600_000)
  const later = await readBundle()
  t.ok(later.payload.iat >= rotated.payload.iat + 600)
  t.equal(later.payload.version, rotated.payload.version)
})
