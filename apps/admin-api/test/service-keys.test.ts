/** What the key of a service opens, and what it does not. */
import { inTenant } from '@signet/db'
import t, { type Test } from 'tap'
import { createWorld, internalKey } from './world.ts'

const world = await createWorld(t)
const { call, staff, platform, database } = world
let counter = 0
const unique = () => `thing${String((counter += 1))}`
const byKey = (key: string) => ({ 'x-api-key': key })
const baseUrl = 'http://things.test:5002'

const needing = (path: string, ...permissions: string[]) => ({ path, methods: ['GET'], access: { permissions } })

async function aService(t: Test) {
  const { status, body, text } = await call(staff, 'POST', 'services', { name: unique(), base_url: baseUrl })
  t.equal(status, 201, text)
  return body
}

t.test('a key', async t => {
  const service = await aService(t)
  const issued = await call(staff, 'POST', `services/${service.id}/keys`, { name: 'first', expires_at: null })
  t.match(issued, {
    status: 201,
    headers: { 'cache-control': 'no-store' },
    body: { key: /^sgk_[\w-]{54}$/, name: 'first', last_used_at: null },
  })

  await t.test('is shown once and kept as a hash', async t => {
    const list = await call(staff, 'GET', `services/${service.name}/keys`)
    t.match(list.body.items, [{ id: issued.body.id, service_id: service.id }])
    t.notMatch(list.text, issued.body.key)
    const rows = await inTenant(
      database.db,
      platform,
      ({ sql }) => sql`
      select to_jsonb(k)::text as text from service_keys k
      union all select concat(before, after) from audit_events`,
    )
    for (const { text } of rows) t.notMatch(String(text), issued.body.key)
  })

  await t.test('reads and registers its own service, by id or name, and says so in the audit', async t => {
    const key = byKey(issued.body.key)
    const registration = {
      base_url: 'http://moved.test',
      routes: [needing(`/${service.name}`, `${service.name}:read`)],
    }
    for (const ref of [service.id, service.name]) {
      t.equal((await call(null, 'GET', `services/${ref}`, undefined, key)).status, 200)
      const { status, body, headers } = await call(null, 'PUT', `services/${ref}`, registration, key)
      t.match({ status, body }, { status: 200, body: { base_url: 'http://moved.test', id: service.id } })
      const [event] = await inTenant(
        database.db,
        platform,
        ({ sql }) => sql`
        select action, actor_id, after from audit_events where request_id = ${String(headers['x-request-id'])}`,
      )
      t.match(event, {
        action: 'service.modified',
        actor_id: null,
        after: { by_service: service.name, service_key: /^[0-9a-f]{8}$/ },
      })
    }
    t.equal((await call(null, 'GET', 'gateway/routes', undefined, key)).status, 200)
  })

  await t.test('X-03 opens no other service, and nothing else of the administration', async t => {
    const key = byKey(issued.body.key)
    const other = await aService(t)
    const unknown = unique()
    for (const method of ['GET', 'PUT'] as const) {
      const body = method === 'PUT' ? { base_url: baseUrl } : undefined
      const foreign = await call(null, method, `services/${other.name}`, body, key)
      const random = await call(null, method, `services/${unknown}`, body, key)
      t.match(foreign, { status: 404, body: { code: 'service-not-found' } })
      const withoutId = ({ text, body: said }: typeof foreign) => text.replace(said.instance, '')
      t.equal(withoutId(foreign), withoutId(random), 'as one that is not there')
    }
    for (const [method, path] of [
      ['GET', 'services'],
      ['POST', 'services'],
      ['PATCH', `services/${service.id}`],
      ['DELETE', `services/${service.id}`],
      ['GET', `services/${service.id}/keys`],
      ['POST', `services/${service.id}/keys`],
      ['DELETE', `services/${service.id}/keys/${issued.body.id}`],
      ['GET', 'users'],
      ['GET', 'audit-events'],
    ] as const)
      t.equal((await call(null, method, path, undefined, key)).status, 401, `${method} ${path}`)
  })

  await t.test('of the settings registers any service, and makes one', async t => {
    const name = unique()
    const put = (routes: object[]) =>
      call(null, 'PUT', `services/${name}`, { base_url: baseUrl, routes }, byKey(internalKey))
    t.match(await put([]), { status: 201, headers: { location: /^\/admin\/v1\/services\// } })
    t.equal((await put([needing(`/${name}`, `${name}:read`)])).status, 200)
    t.equal((await call(null, 'PUT', 'services/iam', { base_url: baseUrl }, byKey(internalKey))).status, 404)
  })

  await t.test('that has expired or was withdrawn opens nothing, and of another service is not found', async t => {
    const { body: expired } = await call(staff, 'POST', `services/${service.id}/keys`, {
      name: 'old',
      expires_at: '2020-01-01T00:00:00Z',
    })
    t.equal((await call(null, 'GET', `services/${service.id}`, undefined, byKey(expired.key))).status, 401)
    const { body: withdrawn } = await call(staff, 'POST', `services/${service.id}/keys`, { name: 'lost' })
    const other = await aService(t)
    const foreign = await call(staff, 'DELETE', `services/${other.id}/keys/${withdrawn.id}`)
    t.match(foreign, { status: 404, body: { code: 'service-key-not-found' } })
    t.equal((await call(staff, 'DELETE', `services/${service.id}/keys/${withdrawn.id}`)).status, 204)
    t.equal((await call(null, 'GET', `services/${service.id}`, undefined, byKey(withdrawn.key))).status, 401)
  })
})
