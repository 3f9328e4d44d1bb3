/** What an access token says, so that whoever verifies it offline decides as the database would. */
import { inTenant } from '@signet/db'
import { newId, type UserId } from '@signet/kernel'
import t from 'tap'
import { issuer, testApp, type Tokens } from './test-app.ts'

const a = await testApp(t)
const claimsOf = (tokens: Tokens) =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
const refresh = async (tokens: Tokens): Promise<Tokens> =>
  (await a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })).body
const bitOf = (session: string) =>
  a.asOwner(async sql => {
    const [row] = await sql`select status_list::int as list, status_index as idx from sessions where id = ${session}`
    return { status_list: { idx: row?.idx, uri: `${issuer}/status-lists/${row?.list}` } }
  })

async function addRole(name: string, codes: readonly string[]): Promise<void> {
  await inTenant(a.database.db, a.company, async ({ sql }) => {
    const id = newId()
    await sql`insert into roles (tenant_id, id, name) values (${a.company}, ${id}, ${name})`
    await sql`insert into role_permissions select ${a.company}, ${id}, unnest(${[...codes]}::text[])`
  })
}
const giveRoles = (user: string, roles: readonly string[]) =>
  inTenant(
    a.database.db,
    a.company,
    ({ sql }) => sql`insert into membership_roles (tenant_id, membership_id, role_id)
      select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = any(${[...roles]}::text[])
      where m.tenant_id = ${a.company} and m.user_id = ${user}`,
  )

t.test('a token says where the end of its session is told, however the session came about', async t => {
  await a.register({ email: 'ada@example.com' })
  const first = await a.signIn('ada@example.com')
  const said = claimsOf(first)
  t.strictSame(said.status, await bitOf(said.sid), 'signed in')
  t.strictSame(claimsOf(await refresh(first)).status, said.status, 'refreshed: the session is the same')
  const byCode = claimsOf(await a.signInByCode({ email: 'ada@example.com' }))
  t.strictSame(byCode.status, await bitOf(byCode.sid), 'by a code')
  const root = await a.signIn('root@example.com', { tenant: 'platform' })
  const entered = await a.post('/api/v1/tokens/tenant', { tenant_id: a.company }, root.access_token)
  t.strictSame(claimsOf(entered.body).status, await bitOf(claimsOf(entered.body).sid), 'in another tenant')
})

t.test('a token whose five roles hold 1,000 permissions is under 1,200 bytes', async t => {
  const codes = Array.from({ length: 1_000 }, (_, index) => `things-${index}:modify`)
  await a.asOwner(
    sql => sql`insert into permissions (code, service, description) select unnest(${codes}::text[]), 'things', ''`,
  )
  const names = ['billing-manager', 'station-operator', 'fleet-planner', 'support-desk']
  for (const [index, name] of names.entries()) await addRole(name, codes.slice(index * 250, index * 250 + 250))
  const { id } = await a.register({ email: 'five@example.com' })
  await giveRoles(id, names)
  const tokens = await a.signIn('five@example.com')
  t.equal(claimsOf(tokens).roles.length, 5)
  t.notOk('permissions' in claimsOf(tokens), 'the tenant’s bundle has them')
  t.ok(tokens.access_token.length < 1_200, `${tokens.access_token.length} bytes`)
  t.comment(`a token of five roles takes ${tokens.access_token.length} bytes`)
  const me = await a.call('GET', '/api/v1/me', { token: tokens.access_token })
  t.ok(me.body.permissions.length >= 1_000, 'and whoever asks the database finds them')
})

t.test('a few permissions travel in the token', async t => {
  await addRole('reader', ['users:read'])
  const { id } = await a.register({ email: 'reader@example.com' })
  await giveRoles(id, ['reader'])
  t.strictSame(claimsOf(await a.signIn('reader@example.com')).permissions, ['users:read'])
})

t.test('platform staff are super_admin wherever they work, as in decisions', async t => {
  const claims = claimsOf(await a.signIn('root@example.com', { tenant: 'acme' }))
  t.strictSame(claims.roles, ['admin', 'super_admin'])
  t.notOk('permissions' in claims, 'all of them are more than fit')
  t.strictSame(claimsOf(await a.signIn('root@example.com', { tenant: 'platform' })).roles, ['super_admin'])
})

t.test('the token of a sub-client names its client, whom it never surpasses', async t => {
  const { id: client } = await a.register({ email: 'north@example.com' })
  const { id: desk } = await a.register({ email: 'desk@example.com' })
  await giveRoles(client, ['reader'])
  await inTenant(a.database.db, a.company, async ({ sql }) => {
    await sql`update users set kind = 'client' where id = ${client as UserId}`
    await sql`update users set kind = 'sub_client', parent_id = ${client as UserId} where id = ${desk as UserId}`
  })
  const tokens = await a.signIn('desk@example.com')
  t.strictSame(claimsOf(tokens).client, { sub: client, roles: ['member', 'reader'] })
  t.strictSame(claimsOf(await refresh(tokens)).client, { sub: client, roles: ['member', 'reader'] })
  t.notOk('client' in claimsOf(await a.signIn('north@example.com')), 'nobody is above the client')
})

t.test('of the staff a sub-client is only while its client is, and then nobody is above it', async t => {
  const [client, desk] = [newId<UserId>(), newId<UserId>()]
  await inTenant(a.database.db, a.platform, async ({ sql }) => {
    for (const [id, kind, parent] of [
      [client, 'client', null],
      [desk, 'sub_client', client],
    ] as const) {
      await sql`insert into users (tenant_id, id, email, kind, parent_id)
        values (${a.platform}, ${id}, ${`${kind}@platform.example`}, ${kind}, ${parent})`
      await sql`insert into memberships (tenant_id, id, user_id) values (${a.platform}, ${id}, ${id})`
    }
  })
  await a.asOwner(
    sql => sql`insert into password_credentials (tenant_id, user_id, hash)
      select tenant_id, ${desk}, hash from password_credentials where user_id = ${a.administrator.id}`,
  )
  const give = (id: UserId) =>
    a.asOwner(
      sql => sql`insert into membership_roles (tenant_id, membership_id, role_id)
        select tenant_id, ${id}, id from roles where tenant_id = ${a.platform} and name = 'super_admin'`,
    )
  await give(desk)
  const alone = await a.signIn('sub_client@platform.example', { tenant: 'platform' })
  t.strictSame(claimsOf(alone).roles, ['super_admin'])
  t.strictSame(claimsOf(alone).client, { sub: client, roles: [] }, 'by which verifiers tell')
  await give(client)
  const both = claimsOf(await refresh(alone))
  t.strictSame(both.roles, ['super_admin'])
  t.notOk('client' in both)
})

t.test('claims are said again for older consumers where the settings ask for it', async t => {
  const claimAliases = [
    { alias: 'user_id', claim: 'sub' },
    { alias: 'company_id', claim: 'tid' },
  ]
  const b = await testApp(t, { deps: { tokens: { ...a.deps.tokens, claimAliases } } })
  await b.register({ email: 'old@example.com' })
  const claims = claimsOf(await b.signIn('old@example.com'))
  t.match(claims, { user_id: claims.sub, company_id: b.company, tid: b.company })
})

t.test('whoever has to change their password first is told to hold nothing, whatever the settings', async t => {
  const tokens = {
    issuer,
    audience: 'signet',
    accessTokenTtlSeconds: 900,
    formTokenTtlSeconds: 1_800,
    refreshTokenTtlSeconds: 432_000,
    permissionsMaxBytes: 0,
    claimAliases: [],
  }
  const own = await testApp(t, { deps: { tokens } })
  const { id } = await own.register({ email: 'eve@example.com' })
  t.notOk('permissions' in claimsOf(await own.signIn('eve@example.com')), 'others leave it to the bundle')
  await own.asOwner(sql => sql`update password_credentials set must_change = true where user_id = ${id}`)
  t.match(claimsOf(await own.signIn('eve@example.com')), { roles: [], permissions: [] })
})
