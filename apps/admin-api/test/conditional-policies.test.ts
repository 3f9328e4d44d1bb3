/** Policies with conditions bind the administration itself: there they are asked about the tenant, with time and address. */
import { inTenant } from '@signet/db'
import t from 'tap'
import { holdBundle } from '../src/modules/bundles/index.ts'
import { addPolicy, dropPolicy, type PolicyRow } from './policy-rows.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, staff, cast, company } = world

const anna = await cast.addActor(company, { permissions: ['users:list'] })
const client = await cast.addActor(company, { kind: 'client', permissions: ['roles:list'] })
const sub = await cast.addActor(company, { clientId: client.userId, permissions: ['roles:list', 'users:list'] })
const mayListRoles = async (who: typeof admin) => (await world.call(who, 'GET', 'roles')).status === 200
const mayListUsers = async (who: typeof admin) => (await world.call(who, 'GET', 'users')).status === 200

const conditional = { isConditional: true, isPersonal: true }

async function during(policy: Omit<PolicyRow, 'name'>, work: () => Promise<unknown>): Promise<void> {
  const id = await addPolicy(world, company, { name: 'during', ...policy })
  await work()
  await dropPolicy(world, company, id)
}

const permitList = (condition: string): PolicyRow => ({
  name: 'lists',
  source: `permit(principal, action == Action::"roles:list", resource) when { ${condition} };`,
  statements: [{ actions: ['roles:list'], ...conditional }],
})
const forbidList = (condition: string): PolicyRow => ({
  name: 'lists',
  source: `forbid(principal, action == Action::"roles:list", resource) when { ${condition} };`,
  statements: [{ effect: 'forbid', actions: ['roles:list'], ...conditional }],
})

t.test('a conditional permit opens while its condition is true', async t => {
  t.notOk(await mayListRoles(anna))
  await during(permitList('principal.kind == "user" && resource is Tenant'), async () => t.ok(await mayListRoles(anna)))
  await during(permitList('principal.kind == "client"'), async () => t.notOk(await mayListRoles(anna)))
  await during(permitList('principal.tenant_id == "other"'), async () => t.notOk(await mayListRoles(anna)))
  await during(permitList(`resource == Tenant::"${company}"`), async () => t.ok(await mayListRoles(anna)))
  await during(permitList('ip(context.ip).isLoopback()'), async () => t.ok(await mayListRoles(anna)))
  await during(permitList('resource.stars > 3'), async () =>
    t.notOk(await mayListRoles(anna), 'of what nobody knows, nothing'),
  )
  t.notOk(await mayListRoles(anna), 'and no longer')
})

t.test('in time', async t => {
  const before = (year: number) => `datetime(context.time) < datetime("${year}-01-01")`
  await during(permitList(before(2999)), async () => t.ok(await mayListRoles(anna)))
  await during(permitList(before(2001)), async () => t.notOk(await mayListRoles(anna)))
  await during(forbidList(before(2999)), async () => t.notOk(await mayListRoles(client)))
  await during(forbidList(before(2001)), async () => t.ok(await mayListRoles(client)))
})

t.test('a conditional forbid closes, also when it cannot be evaluated', async t => {
  t.ok(await mayListRoles(admin))
  await during(forbidList('principal.roles.contains("admin")'), async () => {
    const answer = await world.call(admin, 'GET', 'roles')
    t.match(answer, { status: 403, body: { code: 'forbidden', detail: /roles:list/ } })
    t.ok(await mayListRoles(client), 'whom it does not mean')
    t.ok(await mayListRoles(await cast.signIn(staff, company)), 'staff of the platform are not bound: they can mend it')
  })
  await during(forbidList('resource.is_secret'), async () => {
    t.notOk(await mayListRoles(admin))
    t.notOk(await mayListRoles(client))
  })
  await during(forbidList('resource has is_secret && resource.is_secret'), async () => t.ok(await mayListRoles(admin)))
  t.ok(await mayListRoles(admin))
})

t.test('attached to a client, it binds the client and its sub-clients', async t => {
  const onClient = {
    source:
      'forbid(principal == ?principal, action == Action::"roles:list", resource) when { principal.kind == "client" };',
    statements: [{ effect: 'forbid', actions: ['roles:list'], isTemplate: true, ...conditional }],
    users: [client.userId],
  } as const
  t.ok(await mayListRoles(client))
  t.ok(await mayListRoles(sub))
  t.notOk(await mayListUsers(sub), 'what its client may not do, a sub-client may not')
  await during(onClient, async () => {
    t.notOk(await mayListRoles(client))
    t.notOk(await mayListRoles(sub), 'the ceiling is as low as the client is now')
    t.ok(await mayListRoles(admin))
  })
  const gift = {
    source: 'permit(principal == ?principal, action, resource) when { resource is Tenant };',
    statements: [{ isTemplate: true, ...conditional }],
    users: [client.userId],
  }
  await during(gift, async () => {
    t.ok(await mayListUsers(client))
    t.ok(await mayListUsers(sub))
    t.match(await world.call(client, 'GET', 'tenants'), { status: 403 }, 'every permission is none of the platform')
  })
  t.notOk(await mayListUsers(client))
})

t.test('a condition on every action says of each what it says of that one by name', async t => {
  const lists = ['roles', 'users', 'policies', 'org-units', 'customers', 'audit-events', 'tenants']
  const answersOf = async () => {
    const statuses: number[] = []
    for (const who of [admin, anna, client, sub])
      for (const list of lists) statuses.push((await world.call(who, 'GET', list)).status)
    return statuses
  }
  for (const effect of ['permit', 'forbid'] as const) {
    const condition = 'when { principal.kind == "user" && ip(context.ip).isLoopback() }'
    const codes = lists.map(list => `${list}:list`)
    const found: number[][] = []
    for (const actions of [undefined, codes]) {
      const said = actions === undefined ? '' : ` in [${actions.map(code => `Action::"${code}"`).join(', ')}]`
      const source = `${effect}(principal, action${said}, resource) ${condition};`
      const statement = { effect, ...(actions === undefined ? {} : { actions }), ...conditional }
      await during({ source, statements: [statement] }, async () => found.push(await answersOf()))
    }
    t.strictSame(found[0], found[1], effect)
    t.ok(new Set(found[0]).size > 1, 'and not the same of everybody')
  }
})

t.test('who has begun is answered by what held then, though the policies have changed meanwhile', async t => {
  const subject = { id: anna.userId, kind: 'user', roles: [] }
  const question = { subject, action: 'roles:list', resource: { type: 'Tenant', id: company }, context: {} }
  const hold = () => inTenant(world.database.db, company, tx => holdBundle(tx, company))
  const before = await hold()
  await during(permitList('principal.kind == "user"'), async () => {
    t.ok(await mayListRoles(anna))
    t.notOk(before.decide(question).decision)
    t.ok((await hold()).decide(question).decision)
  })
  t.notOk(await mayListRoles(anna))
  t.notOk(before.decide(question).decision)
})

t.test('X-02 nobody hands on what a condition gives them', async t => {
  const gift = {
    source: 'permit(principal == ?principal, action, resource) when { resource is Tenant };',
    statements: [{ isTemplate: true, ...conditional }],
    users: [anna.userId],
  }
  await during(gift, async () => {
    const role = { name: 'a role', permissions: ['roles:list'] }
    t.match(await world.call(anna, 'POST', 'roles', role), { status: 403, body: { code: 'grant-exceeds-own' } })
    t.match(await world.call(anna, 'POST', 'roles', { name: 'a role', permissions: ['users:list'] }), { status: 201 })
  })
})
