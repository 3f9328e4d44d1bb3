/** `POST /roles/{id}/impact` tells what happens, and nothing happens. */
import { inTenant } from '@signet/db'
import t from 'tap'
import { addPolicy } from './policy-rows.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, cast, company } = world

const team = await cast.addRole(company, ['brands:read', 'brands:modify'], 'team')
const plain = await cast.addPerson(company, { roles: ['team'] })
const doubled = await cast.addPerson(company, { roles: ['team'], permissions: ['brands:modify'] })
const client = await cast.addPerson(company, { kind: 'client', roles: ['team'] })
const sub = await cast.addPerson(company, { clientId: client.userId, permissions: ['brands:modify', 'brands:list'] })
const concerned = [plain, doubled, client, sub]
await cast.addPerson(company)

const gift = await addPolicy(world, company, {
  name: 'gift',
  source: [
    'permit(principal in ?principal, action == Action::"brands:list", resource);',
    'permit(principal in ?principal, action == Action::"brands:create", resource) when { context.hour < 8 };',
    'forbid(principal in ?principal, action == Action::"brands:read", resource) when { resource.is_kept };',
  ].join('\n'),
  statements: [
    { actions: ['brands:list'], isTemplate: true },
    { line: 2, actions: ['brands:create'], isTemplate: true, isConditional: true },
    { line: 3, effect: 'forbid', actions: ['brands:read'], isTemplate: true, isConditional: true },
  ],
})

const preview = (change: object, query = '', who = admin) =>
  world.call(who, 'POST', `roles/${team}/impact${query}`, change)
const permissionsNow = async () =>
  new Map(
    await Promise.all(
      concerned.map(({ userId }) =>
        inTenant(world.database.db, company, async ({ sql }) => {
          const [row] = await sql<
            { permissions: string[] }[]
          >`select permissions from member_access(${company}, ${userId})`
          return [userId, row?.permissions ?? []] as const
        }),
      ),
    ),
  )
const traces = () =>
  inTenant(world.database.db, company, async ({ sql }) => {
    const [row] = await sql`
      select (select version from bundle_versions where tenant_id = ${company}) as bundle,
        (select version from roles where tenant_id = ${company} and id = ${team}) as role,
        (select count(*)::int from audit_events) as events, (select count(*)::int from policy_attachments) as attached`
    return row
  })

interface Item {
  readonly user_id: string
  readonly name: string | null
  readonly gains: string[]
  readonly loses: string[]
  readonly may_gain: string[]
  readonly may_lose: string[]
}
const personOf = (items: readonly Item[], { userId }: { userId: string }) =>
  items.find(({ user_id }) => user_id === userId)

t.test('it says of everybody what they gain and lose, and writes nothing', async t => {
  const before = await traces()
  const { status, body } = await preview({ permissions: ['brands:read', 'brands:delete'], policies: [gift] })
  t.match({ status, total: body.total, next: body.next_cursor }, { status: 200, total: 4, next: null })
  t.match(personOf(body.items, plain), {
    name: plain.email,
    gains: ['brands:delete', 'brands:list'],
    loses: ['brands:modify'],
    may_gain: ['brands:create'],
    may_lose: ['brands:read'],
  })
  t.match(
    personOf(body.items, doubled),
    { gains: ['brands:delete', 'brands:list'], loses: [] },
    'who has it twice keeps it',
  )
  t.match(
    personOf(body.items, sub),
    { gains: ['brands:list'], loses: ['brands:modify'] },
    'the sub-client of somebody who has the role rises and falls with them',
  )
  t.strictSame(await traces(), before, 'neither version nor event nor attachment')
})

t.test('what it tells is what happens when the change is made', async t => {
  const change = { permissions: ['brands:delete'], policies: [gift] }
  const before = await permissionsNow()
  const { body } = await preview(change)
  const { headers } = await world.call(admin, 'GET', `roles/${team}`)
  const made = await world.call(
    admin,
    'PATCH',
    `roles/${team}`,
    { permissions: change.permissions },
    {
      'if-match': String(headers['etag']),
    },
  )
  t.equal(made.status, 200)
  t.equal((await world.call(admin, 'PUT', `roles/${team}/policies/${gift}`)).status, 204)
  const after = await permissionsNow()
  for (const { userId } of concerned) {
    const [then, now] = [before.get(userId) ?? [], after.get(userId) ?? []]
    t.match(personOf(body.items, { userId }), {
      gains: now.filter(code => !then.includes(code)).toSorted(),
      loses: then.filter(code => !now.includes(code)).toSorted(),
    })
  }
  t.match(
    (await preview(change)).body.items,
    concerned.map(() => ({ gains: [], loses: [], may_gain: [], may_lose: [] })),
  )
})

t.test('it comes in pages', async t => {
  const first = await preview({ permissions: [] }, '?limit=3')
  t.match(first.body, { total: 4 })
  t.equal(first.body.items.length, 3)
  const second = await preview({ permissions: [] }, `?limit=3&cursor=${first.body.next_cursor}`)
  t.match(second.body, { total: 4, next_cursor: null })
  const seen = [...first.body.items, ...second.body.items].map((item: Item) => item.user_id)
  t.strictSame(seen, concerned.map(({ userId }) => userId as string).toSorted())
  for (const query of ['?limit=0', '?limit=201', '?cursor=%27', '?sort=name']) {
    t.match(await preview({ permissions: [] }, query), { status: 400, body: { code: 'invalid-input' } }, query)
  }
})

t.test('X-02 it needs all that the change itself needs', async t => {
  const manager = await cast.addActor(company, { permissions: ['roles:read', 'roles:modify', 'brands:delete'] })
  t.match(await preview({ permissions: [] }, '', manager), { status: 403, body: { code: 'forbidden' } })
  const seeing = ['roles:read', 'policies:read']
  const able = await cast.addActor(company, {
    permissions: [...seeing, 'roles:modify', 'brands:delete', 'brands:list', 'brands:create', 'brands:read'],
  })
  const { status, body } = await preview({ permissions: [] }, '', able)
  t.equal(status, 200, JSON.stringify(body))
  t.ok(
    body.items.every(({ name }: Item) => name === null),
    'names are for those who list people',
  )
  t.match(await preview({ permissions: ['roles:delete'] }, '', able), {
    status: 403,
    body: { code: 'grant-exceeds-own' },
  })
  t.match(
    await preview({ policies: [gift] }, '', able),
    { status: 403, body: { code: 'forbidden' } },
    'policies:modify',
  )
  t.match(await preview({ permissions: ['nothing:read'] }), { status: 422, body: { code: 'unknown-permission' } })
  t.match(await preview({ policies: [team] }), { status: 404, body: { code: 'policy-not-found' } })
  const { body: roles } = await world.call(admin, 'GET', 'roles?name=admin')
  t.match(await world.call(admin, 'POST', `roles/${roles.items[0].id}/impact`, { permissions: [] }), {
    status: 409,
    body: { code: 'built-in-role' },
  })
})
