import { inTenant } from '@signet/db'
import { newId, type UserId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import t from 'tap'
import { type Answer, createWorld, type Method } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, admin, staff, platform, call } = world

const sixteen = Array.from({ length: 16 }, (_, index) => index)
const unique = () => newId().slice(-12)
const aClient = (permissions: string[] = []) => cast.addActor(company, { kind: 'client', permissions })
const aSubClient = ({ userId }: TestActor, permissions: string[] = []) =>
  cast.addActor(company, { clientId: userId, permissions })
const inCompany = <T extends object>(
  text: (sql: Parameters<Parameters<typeof inTenant>[2]>[0]['sql']) => Promise<T[]>,
) => inTenant(database.db, company, ({ sql }) => text(sql))
const statusOf = async (userId: UserId) => (await call(admin, 'GET', `users/${userId}`)).body.status
const permissionsOf = async (userId: UserId) => {
  const [row] = await inCompany(
    sql => sql<{ permissions: string[] }[]>`select permissions from member_access(${company}, ${userId})`,
  )
  return row?.permissions
}

t.test('an administrator creates clients, and sub-clients of them', async t => {
  const role = await cast.addRole(company, [], 'biller')
  const made = await call(admin, 'POST', 'clients', {
    username: 'north',
    name: 'North Ltd',
    password: 'a long enough password',
    password_change_required: true,
    role_ids: [role],
  })
  t.match(made, { status: 201, body: { kind: 'client', client_id: null, name: 'North Ltd', status: 'active' } })
  t.strictSame(
    made.body.roles.map((each: { name: string }) => each.name),
    ['biller', 'member'],
  )
  t.equal(made.headers['location'], `/admin/v1/clients/${made.body.id}`)
  const below = await call(admin, 'POST', `clients/${made.body.id}/sub-clients`, { username: 'north-1' })
  t.match(below, { status: 201, body: { kind: 'sub_client', client_id: made.body.id } })
  t.match(await call(admin, 'GET', `sub-clients/${below.body.id}`), { status: 200, body: { id: below.body.id } })
  t.match(await call(admin, 'GET', `users/${below.body.id}`), {
    body: { kind: 'sub_client', parent_id: made.body.id },
  })
  t.match(await call(admin, 'GET', `users/${made.body.id}`), { body: { kind: 'client', parent_id: null } })

  await t.test('each is announced, and their temporary password has to be changed', async t => {
    const announced = await inCompany(
      sql => sql<{ id: string }[]>`
        select user_id as id from outbound_messages where template = 'user.created' and user_id in (${made.body.id}, ${below.body.id})`,
    )
    t.equal(announced.length, 2)
    const client = await cast.signIn({ userId: made.body.id, tenantId: company, membershipId: newId(), email: '' })
    const refused = { status: 403, body: { code: 'password-change-required' } }
    t.match(await call(client, 'GET', 'sub-clients'), refused)
  })
  await t.test('of whom one must be said', async t => {
    const answer = await call(admin, 'POST', 'sub-clients', { username: `u-${unique()}` })
    t.match(answer, { status: 400, body: { code: 'invalid-input', errors: [{ pointer: '/client_id' }] } })
    for (const id of [newId(), admin.userId, below.body.id, (await cast.addPerson(other, { kind: 'client' })).userId]) {
      const body = { username: `u-${unique()}`, client_id: id }
      t.match(await call(admin, 'POST', 'sub-clients', body), { status: 404, body: { code: 'client-not-found' } })
      t.match(await call(admin, 'GET', `clients/${id}`), { status: 404, body: { code: 'client-not-found' } })
    }
  })
  await t.test('a person of another kind is none', async t => {
    t.match(await call(admin, 'GET', `clients/${admin.userId}`), { status: 404, body: { code: 'client-not-found' } })
    t.match(await call(admin, 'PATCH', `sub-clients/${made.body.id}`, { name: 'x' }), {
      status: 404,
      body: { code: 'sub-client-not-found' },
    })
  })
  await t.test('under one Idempotency-Key once', async t => {
    const body = { username: `once-${unique()}` }
    const key = { 'idempotency-key': unique() }
    const answers = await Promise.all([1, 2, 3].map(() => call(admin, 'POST', 'clients', body, key)))
    const ids = new Set(answers.filter(({ status }) => status === 201).map(answer => answer.body.id))
    t.equal(ids.size, 1)
  })
})

t.test('a list has its filters, sorts and pages', async t => {
  const [one, two] = [await aClient(), await aClient()]
  for (const client of [one, one, one, two]) await aSubClient(client)
  const paged: string[] = []
  let cursor: string | null = null
  do {
    const from: string = cursor === null ? '' : `&cursor=${cursor}`
    const page: Answer = await call(admin, 'GET', `sub-clients?limit=2&client_id=${one.userId}&count=true${from}`)
    t.match(page, { status: 200, body: { total: 3 } })
    paged.push(...page.body.items.map((item: { id: string }) => item.id))
    cursor = page.body.next_cursor
  } while (cursor !== null)
  t.equal(new Set(paged).size, 3)
  t.equal((await call(admin, 'GET', `clients/${two.userId}/sub-clients?count=true`)).body.total, 1)
  t.equal((await call(admin, 'GET', `clients?q=${one.email}&count=true`)).body.total, 1)
  t.equal((await call(admin, 'GET', `clients?q=${one.email}&status=suspended&count=true`)).body.total, 0)
  const kinds = await call(admin, 'GET', 'users?kind=sub_client&limit=200')
  t.ok(kinds.body.items.length >= 4)
  t.ok(kinds.body.items.every((item: { kind: string }) => item.kind === 'sub_client'))
})

t.test('X-08 a client manages its own sub-clients and nothing else', async t => {
  const own = await aClient([
    'sub-clients:read',
    'sub-clients:list',
    'clients:list',
    'clients:create',
    'clients:modify',
  ])
  const rival = await aClient()
  const foreign = await aSubClient(rival)
  const made = await call(own, 'POST', 'sub-clients', { username: `mine-${unique()}` })
  t.match(made, { status: 201, body: { client_id: own.userId } })

  await t.test('reads, changes, suspends, activates and deletes them without any permission', async t => {
    const weak = await aClient()
    const below = await aSubClient(weak)
    const path = `sub-clients/${below.userId}`
    t.match(await call(weak, 'GET', path), { status: 200, body: { id: below.userId } })
    t.match(await call(weak, 'PATCH', path, { name: 'Desk 1' }), { status: 200, body: { name: 'Desk 1' } })
    t.match(await call(weak, 'POST', `${path}/suspend`), { status: 200, body: { status: 'suspended' } })
    t.match(await call(weak, 'POST', `${path}/activate`), { status: 200, body: { status: 'active' } })
    t.equal((await call(weak, 'DELETE', path)).status, 204)
    t.match(await call(weak, 'GET', `clients/${weak.userId}`), { status: 200, body: { id: weak.userId } })
  })
  await t.test('another client and what is below it are random ids, byte for byte', async t => {
    const comparable = ({ status, text, headers }: Answer) => ({
      status,
      text: text.replaceAll(String(headers['x-request-id']), '<id>'),
    })
    const calls: [Method, (client: string, subClient: string) => string, object?][] = [
      ['GET', (_, sub) => `sub-clients/${sub}`],
      ['PATCH', (_, sub) => `sub-clients/${sub}`, { name: 'mine' }],
      ['DELETE', (_, sub) => `sub-clients/${sub}`],
      ['POST', (_, sub) => `sub-clients/${sub}/suspend`],
      ['POST', (_, sub) => `sub-clients/${sub}/activate`],
      ['GET', client => `clients/${client}`],
      ['GET', client => `clients/${client}/sub-clients`],
      ['POST', client => `clients/${client}/sub-clients`, { username: `theirs-${unique()}` }],
    ]
    for (const [method, path, body] of calls) {
      const answer = comparable(await call(own, method, path(rival.userId, foreign.userId), body))
      t.equal(answer.status, 404, `${method} ${path('client', 'sub-client')}`)
      t.strictSame(answer, comparable(await call(own, method, path(newId(), newId()), body)))
    }
    const body = { username: `theirs-${unique()}` }
    const named = comparable(await call(own, 'POST', 'sub-clients', { ...body, client_id: rival.userId }))
    t.equal(named.status, 404)
    t.strictSame(named, comparable(await call(own, 'POST', 'sub-clients', { ...body, client_id: newId() })))
  })
  await t.test('sees nobody else in its lists', async t => {
    const { body } = await call(own, 'GET', 'sub-clients?count=true')
    t.match(body, { total: 1, items: [{ id: made.body.id }] })
    t.equal((await call(own, 'GET', `sub-clients?count=true&client_id=${rival.userId}`)).body.total, 0)
  })
  await t.test('manages no client, though it were given the permission', async t => {
    for (const [method, path, body] of [
      ['GET', 'clients'],
      ['POST', 'clients', { username: `c-${unique()}` }],
      ['PATCH', `clients/${own.userId}`, { name: 'me' }],
      ['POST', `clients/${rival.userId}/suspend`],
    ] as [Method, string, object?][])
      t.match(await call(own, method, path, body), { status: 403, body: { code: 'forbidden' } }, `${method} ${path}`)
  })
  await t.test('and a sub-client manages nobody', async t => {
    const below = await aSubClient(own, ['sub-clients:read', 'sub-clients:list'])
    for (const path of ['sub-clients', `sub-clients/${below.userId}`, `clients/${own.userId}`, 'clients'])
      t.match(await call(below, 'GET', path), { status: 403, body: { code: 'forbidden' } }, path)
  })
})

t.test('X-02 a client gives its sub-clients no more than it can hand on', async t => {
  const client = await aClient(['users:read'])
  const { roles } = (await call(client, 'GET', `clients/${client.userId}`)).body
  const own = roles.find(({ name }: { name: string }) => name.startsWith('own-')).id
  const strong = await cast.addRole(company, ['users:read', 'users:modify'])
  const refused = { status: 403, body: { code: 'grant-exceeds-own', detail: /users:modify/ } }
  t.match(await call(client, 'POST', 'sub-clients', { username: `x-${unique()}`, role_ids: [strong] }), refused)
  const made = await call(client, 'POST', 'sub-clients', { username: `x-${unique()}`, role_ids: [own] })
  t.equal(made.status, 201)
  const path = `sub-clients/${made.body.id}`
  t.match(await call(client, 'PATCH', path, { role_ids: [own, strong] }), refused)
  t.strictSame(await permissionsOf(made.body.id), ['users:read'])
  t.equal((await call(client, 'PATCH', path, { role_ids: [] })).status, 200)
  t.strictSame(await permissionsOf(made.body.id), [])

  await t.test('and what the client loses its sub-clients lose at the same moment', async t => {
    const below = await aSubClient(client, ['users:read', 'users:list'])
    t.equal((await call(below, 'GET', `users/${admin.userId}`)).status, 200)
    t.equal((await call(below, 'GET', 'users')).status, 403, 'the client never had it')
    t.equal((await call(admin, 'PATCH', `clients/${client.userId}`, { role_ids: [] })).status, 200)
    t.equal((await call(below, 'GET', `users/${admin.userId}`)).status, 403)
  })
  await t.test('nobody creates somebody who holds more than they do, be it by the role that everybody has', async t => {
    const tenant = await cast.addTenant()
    const creator = await cast.addActor(tenant, {
      permissions: ['users:create', 'clients:create', 'sub-clients:create'],
    })
    const trader = await cast.addActor(tenant, { kind: 'client' })
    const keeper = await cast.addActor(tenant, { roles: ['admin'] })
    const source = 'permit (principal, action == Action::"users:list", resource) when { principal.kind == "client" };'
    t.equal((await call(keeper, 'POST', 'policies', { name: 'everybody', source })).status, 201)
    for (const [where, body] of [
      ['users', {}],
      ['clients', {}],
      ['sub-clients', { client_id: trader.userId }],
    ] as const) {
      const answer = await call(creator, 'POST', where, { ...body, username: `x-${unique()}` })
      t.match(answer, { status: 403, body: { code: 'grant-exceeds-own', detail: /users:list/ } }, where)
    }
    const below = await call(trader, 'POST', 'sub-clients', { username: `x-${unique()}` })
    t.equal(below.status, 201, "what a sub-client has is within its client's")
  })
})

t.test('a sub-client of the platform holds no more than its client', async t => {
  const client = await aClient()
  const below = await aSubClient(client)
  await cast.addGuest(platform, below, ['super_admin'])
  t.equal((await call(below, 'GET', 'users')).status, 403)
  await cast.addGuest(platform, client, ['super_admin'])
  t.equal((await call(below, 'GET', 'users')).status, 200, 'it is when the client is')
})

t.test('the sub-clients of a suspended client go with it and come back with it', async t => {
  const client = await aClient()
  const [active, already] = [await aSubClient(client), await aSubClient(client)]
  const bystander = await aSubClient(await aClient())
  await call(admin, 'POST', `sub-clients/${already.userId}/suspend`)
  const suspended = await call(admin, 'POST', `clients/${client.userId}/suspend`)
  t.match(suspended, { status: 200, body: { status: 'suspended' } })
  for (const actor of [client, active])
    t.match(await call(actor, 'GET', 'sub-clients'), { status: 401, body: { code: 'session-ended' } })
  t.equal(await statusOf(active.userId), 'suspended')
  t.equal((await call(bystander, 'GET', 'sub-clients')).status, 403, 'others are as before')
  await t.rejects(cast.signIn(active), 'may not sign in')
  const [ended] = await inCompany(
    sql => sql<{ why: string }[]>`select end_reason as why from sessions where id = ${active.sessionId}`,
  )
  t.equal(ended?.why, 'client-suspended')
  const conflict = { status: 409, body: { code: 'client-not-active' } }
  t.match(await call(admin, 'POST', `sub-clients/${active.userId}/activate`), conflict)
  t.match(await call(admin, 'POST', `users/${active.userId}/activate`), conflict, 'by the other path as well')
  t.match(await call(admin, 'POST', `clients/${client.userId}/sub-clients`, { username: `s-${unique()}` }), conflict)

  t.equal((await call(admin, 'POST', `clients/${client.userId}/activate`)).status, 200)
  t.equal(await statusOf(active.userId), 'active')
  t.equal(await statusOf(already.userId), 'suspended', 'who was suspended before stays so')
  t.match(await call(active, 'GET', 'sub-clients'), { status: 401 }, 'ended sessions stay ended')

  await t.test('but for those who are suspended themselves meanwhile', async t => {
    await call(admin, 'POST', `users/${client.userId}/suspend`)
    t.match(await call(admin, 'POST', `sub-clients/${active.userId}/suspend`), { status: 200 })
    t.match(await call(admin, 'POST', `sub-clients/${active.userId}/suspend`), { status: 409 })
    await call(admin, 'POST', `users/${client.userId}/activate`)
    t.equal(await statusOf(active.userId), 'suspended')
  })
  await t.test('while they are changed, created and activated, sixteen at once: nobody is left active', async t => {
    const busy = await aClient()
    const below = await Promise.all([1, 2, 3, 4].map(() => aSubClient(busy)))
    const answers = await Promise.all(
      below.flatMap(({ userId }) => [
        call(admin, 'PATCH', `sub-clients/${userId}`, { name: 'Desk' }),
        call(admin, 'POST', 'sub-clients', { username: `r-${unique()}`, client_id: busy.userId }),
        call(admin, 'POST', `clients/${busy.userId}/suspend`),
        call(admin, 'POST', `sub-clients/${userId}/activate`),
      ]),
    )
    t.strictSame(
      answers.filter(({ status }) => ![200, 201, 409].includes(status)).map(({ text }) => text),
      [],
    )
    const left = await call(admin, 'GET', `clients/${busy.userId}/sub-clients?status=active&count=true`)
    t.equal(left.body.total, 0)
  })
})

t.test('a client that has sub-clients is not deleted, by any path', async t => {
  const client = await aClient()
  const below = await aSubClient(client)
  for (const path of ['clients', 'users']) {
    const answer = await call(admin, 'DELETE', `${path}/${client.userId}`)
    t.match(answer, { status: 409, body: { code: 'client-in-use', detail: below.email } }, path)
  }
  await t.rejects(
    inCompany(sql => sql`update users set status = 'deleted' where id = ${client.userId}`),
    /the client has sub-clients/,
    'by the database itself',
  )
  t.equal((await call(admin, 'DELETE', `sub-clients/${below.userId}`)).status, 204)
  t.equal((await call(admin, 'DELETE', `clients/${client.userId}`)).status, 204)
  t.equal((await call(admin, 'GET', `clients/${client.userId}`)).status, 404)

  await t.test('and of a deletion and a creation at once one wins, sixteen times', async t => {
    for (const _ of sixteen) {
      const { userId } = await cast.addPerson(company, { kind: 'client' })
      const [made, gone] = await Promise.all([
        call(admin, 'POST', `clients/${userId}/sub-clients`, { username: `d-${unique()}` }),
        call(admin, 'DELETE', `clients/${userId}`),
      ])
      const outcome = [made.status, gone.status].join(' ')
      t.ok(['201 409', '404 204', '409 204'].includes(outcome), outcome)
    }
  })
})

t.test('the last administrator of a company stays one, though it is a client or a sub-client', async t => {
  const everything = (await permissionsOf(admin.userId)) ?? []
  for (const kind of ['client', 'sub-client']) {
    const tenant = await cast.addTenant()
    const above = kind === 'client' ? undefined : await cast.addPerson(tenant, { kind: 'client' })
    const of = above === undefined ? { kind: 'client' as const } : { clientId: above.userId }
    const { userId } = await cast.addPerson(tenant, { ...of, roles: ['admin'] })
    const deputy = await cast.addActor(tenant, { permissions: everything })
    const path = `${kind}s/${userId}`
    for (const attempt of [
      () => call(deputy, 'PATCH', path, { role_ids: [] }),
      () => call(deputy, 'POST', `${path}/suspend`),
      () => call(deputy, 'DELETE', path),
    ])
      t.match(await attempt(), { status: 409, body: { code: 'last-administrator' } }, kind)
    t.match(await call(deputy, 'GET', path), { status: 200, body: { status: 'active' } })
  }
})

t.test('a change names the version that it was made of: of the person, and of their roles', async t => {
  const client = await aClient()
  const path = `clients/${client.userId}`
  const read = await call(admin, 'GET', path)
  const etag = String(read.headers['etag'])
  const changed = await call(admin, 'PATCH', path, { name: 'One' }, { 'if-match': etag })
  t.equal(changed.status, 200)
  t.match(await call(admin, 'PATCH', path, { name: 'Two' }, { 'if-match': etag }), {
    status: 412,
    body: { code: 'version-mismatch' },
  })
  const before = String(changed.headers['etag'])
  await call(admin, 'PUT', `users/${client.userId}/roles/${await cast.addRole(company, [])}`)
  t.equal((await call(admin, 'DELETE', path, undefined, { 'if-match': before })).status, 412)
})

t.test('T-04 the database refuses a sub-client of somebody elsewhere, or of somebody who is no client', async t => {
  const elsewhere = (await cast.addPerson(other, { kind: 'client' })).userId
  for (const parent of [elsewhere, admin.userId])
    await t.rejects(
      inCompany(
        sql => sql`insert into users (tenant_id, id, username, kind, parent_id)
          values (${company}, ${newId()}, ${`t-${unique()}`}, 'sub_client', ${parent})`,
      ),
    )
  const entered = await cast.signIn(staff, company)
  const body = { username: `t-${unique()}`, client_id: elsewhere }
  t.match(await call(entered, 'POST', 'sub-clients', body), { status: 404, body: { code: 'client-not-found' } })
  const [found] = await inTenant(
    database.db,
    other,
    ({ sql }) => sql<{ n: number }[]>`select count(*)::int as n from users where parent_id = ${elsewhere}`,
  )
  t.equal(found?.n, 0)
})
