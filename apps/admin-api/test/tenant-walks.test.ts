/** Tenants are kept apart on every route of the table. */
import type { TenantId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import t from 'tap'
import { readReference } from './reference.ts'
import { fill, nameOf, type Route, routes } from './route-table.ts'
import { ableActor, prepareFor, send } from './walk.ts'
import { type Answer, createWorld, type World } from './world.ts'

const world = await createWorld(t)
const { cast, other, stranger } = world
const reference = await readReference(world)
const guarded = routes.filter(route => route.needs !== 'nothing')

/** Lists whose rows belong to no tenant, or to the platform. */
const ofTheInstallation = ['/admin/v1/permissions', '/admin/v1/tenants', '/admin/v1/services']

t.test('T-02 no header, cookie or query moves a request into another tenant', async t => {
  const headers = {
    'x-tenant-id': other,
    'x-tenant': 'other',
    'x-company-id': other,
    tenant: other,
    'x-original-url': `/admin/v1/tenants/${other}`,
    'x-forwarded-host': 'other.example.test',
    cookie: `tenant=${other}; access_token=${stranger.token}`,
  }
  const before = await snapshotOf(stranger)
  for (const route of guarded) {
    const who = ableActor(world, route)
    const call = await prepareFor(world, route)
    const answer = await send(world, who, route, { ...call, headers: { ...call.headers, ...headers } })
    t.equal(answer.status, route.status, `${nameOf(route)} ${answer.text.slice(0, 200)}`)
    t.notMatch(answer.text, `"tenant_id":"${other}"`, nameOf(route))

    const path = `${fill(route.path, (await prepareFor(world, route)).params)}?tenant_id=${other}`
    const asked = await world.call(who, 'GET', path)
    if (route.method === 'GET') t.ok([200, 400].includes(asked.status), `${nameOf(route)} ${asked.status}`)
    t.notMatch(asked.text, `"tenant_id":"${other}"`, nameOf(route))
  }
  t.strictSame(await snapshotOf(stranger), before, 'nothing was written there')
})

/** All rows that somebody sees in lists of which the table prepares no row elsewhere. */
async function snapshotOf(who: TestActor): Promise<string[]> {
  const prepared = ['/admin/v1/users', '/admin/v1/memberships', '/admin/v1/audit-events']
  const ids: string[] = []
  for (const { path } of ownLists().filter(list => !prepared.includes(list.path)))
    ids.push(...idsOf(await world.call(who, 'GET', `${path}?limit=200`)))
  return ids
}

function ownLists(): Route[] {
  return reference.lists.filter(({ path }) => !path.includes(':') && !ofTheInstallation.includes(path))
}

t.test('T-03 over fifty tenants no list, search, count, sort or cursor shows a foreign row', async t => {
  const lists = ownLists()
  const owners = new Map<string, TenantId>()
  for (let index = 0; index < 50; index += 1) {
    const tenant = await worldOf(await cast.addTenant(`fifty-${index}`))
    for (const list of lists) {
      const creation = routes.find(({ method, path }) => method === 'POST' && path === list.path)
      if (creation !== undefined) {
        const made = await send(tenant, tenant.admin, creation, await creation.prepare(tenant, tenant.admin))
        t.equal(made.status, creation.status, `${nameOf(creation)} ${made.text.slice(0, 200)}`)
      }
      const sorts = reference.queryOf(list).get('sort')?.enum ?? [undefined]
      const counted = await page(tenant, list, { limit: '200', count: 'true' })
      const ids = idsOf(counted)
      t.ok(ids.length > 0, `${nameOf(list)} has rows`)
      t.equal(counted.body.total, ids.length, `${nameOf(list)} counts its own`)
      for (const id of ids) {
        const owner = owners.get(`${list.path} ${id}`) ?? tenant.company
        t.equal(owner, tenant.company, `${nameOf(list)} ${id}`)
        owners.set(`${list.path} ${id}`, tenant.company)
      }
      // Each tenant tries one of the sort keys: each key is tried by several tenants.
      const sort = sorts[index % sorts.length]
      const query = { limit: '1', ...(sort === undefined ? {} : { sort }) }
      const first = await page(tenant, list, query)
      const cursor = first.body.next_cursor
      const seen = [...idsOf(first), ...(cursor === null ? [] : idsOf(await page(tenant, list, { ...query, cursor })))]
      t.ok(
        seen.every(id => ids.includes(id)),
        `${nameOf(list)} by ${sort ?? 'its own order'}`,
      )
      if (reference.queryOf(list).has('q')) {
        const found = idsOf(await page(tenant, list, { limit: '200', q: 'e' }))
        t.ok(
          found.every(id => ids.includes(id)),
          `${nameOf(list)} searched`,
        )
      }
    }
  }
})

/** The same world, seen from another company. */
async function worldOf(company: TenantId): Promise<World> {
  const keeper = await cast.addActor(company, { roles: ['admin'] })
  return { ...world, company, admin: keeper, member: keeper }
}

function page(tenant: World, list: Route, query: Record<string, string>): Promise<Answer> {
  return world.call(tenant.admin, 'GET', `${list.path}?${new URLSearchParams(query).toString()}`)
}

function idsOf(answer: Answer): string[] {
  return answer.body.items.map((item: { id: string }) => item.id)
}
