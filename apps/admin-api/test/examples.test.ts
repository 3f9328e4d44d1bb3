/**
 * The examples of the API reference, each sent as it stands by somebody who may, What an id stands for is made beforehand: for a native route by the table of routes, for those of older systems here.
 */
import { withAdminClient } from '@signet/db'
import { type ApiReference, type ExampleCall, listExampleCalls, listMisfits, testDatabase } from '@signet/testkit'
import t from 'tap'
import { buildApp } from '../src/index.ts'
import { fill, nameOf, routes } from './route-table.ts'
import { aBrand } from './routes/brands.ts'
import { aClient } from './routes/clients.ts'
import { aPolicy } from './routes/policies.ts'
import { aPerson, aRole, type Call } from './routes/route.ts'
import { aPosition, aRow } from './routes/structure.ts'
import { ableActor } from './walk.ts'
import { type Answer, createWorld, internalKey, type World } from './world.ts'
import { plain } from './pictures.ts'

// One call after the other, for each of the hundred and seventy operations.
t.setTimeout(120_000)
const world = await createWorld(t)
const { cast, staff, database } = world
const { body: reference }: { body: ApiReference } = await world.call(null, 'GET', '/openapi.json')
const calls = listExampleCalls(reference)

/** Nothing has the names of the examples any more, and the permissions that they speak of are in the catalogue. */
const setUp = () =>
  withAdminClient(database.superUrl, async sql => {
    await sql`update users set email = id || '@example.test', username = null, phone = null`
    await sql`update tenants set slug = 't-' || right(id::text, 12)`
    await sql`update services set name = 's-' || right(id::text, 12), routes = '[]'`
    for (const code of ['invoices:read', 'invoices:create', 'invoices:modify'])
      await sql`insert into permissions (code, service) values (${code}, 'accounting') on conflict do nothing`
    await sql`update roles set name = id where not is_built_in`
    for (const table of ['policies', 'brands', 'org_units']) await sql`update ${sql(table)} set name = id`
  })

type AnId = (world: World) => Promise<string>
const aUnit: AnId = of => aRow(of, 'org-units')
/** What an id in the body of an example stands for, by the name of its member. */
const bodyIds: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  role_id: of => aRole(of),
  role_ids: async of => [await aRole(of)],
  policy_id: of => aPolicy(of),
  position_id: aPosition,
  org_unit_id: aUnit,
  organization_unit_id: aUnit,
  parent_id: aUnit,
  brand_id: aBrand,
  user_id: aPerson,
  client_id: aClient,
}

async function withIds(body: unknown): Promise<unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const members = Object.entries(body).map(async ([name, value]) => [name, (await bodyIds[name]?.(world)) ?? value])
  return Object.fromEntries(await Promise.all(members))
}

interface Given extends Call {
  readonly who?: World['admin'] | null
  readonly app?: World['app']
}
type Need = () => Promise<Given>

const asIs: Need = async () => ({})
const asStaff: Need = async () => ({ who: staff })
const aPicture = await plain(40).png().toBuffer()

/** On a database that nobody has initialised. */
const fresh: Need = async () => {
  const { db } = await testDatabase(t)
  const app = await buildApp({ ...world.deps, db })
  t.teardown(() => app.close())
  return { who: null, app }
}

const withBilling: Need = async () => {
  const example = calls.find(({ name }) => name === 'POST /admin/v1/services')
  await world.call(staff, 'POST', 'services', example?.body)
  return { who: staff }
}

async function aRoleOf() {
  const [id, role_id] = [await aPerson(world), await aRole(world)]
  await world.call(world.admin, 'PUT', `users/${id}/roles/${role_id}`)
  return { params: { id, role_id } }
}

function aForm(field: string): Given {
  const form = [
    `--picture\r\ncontent-disposition: form-data; name="${field}"; filename="a.png"\r\ncontent-type: image/png\r\n\r\n`,
    aPicture,
    '\r\n--picture--\r\n',
  ].map(part => Buffer.from(part))
  return { bytes: Buffer.concat(form), headers: { 'content-type': 'multipart/form-data; boundary=picture' } }
}

const upload = (path: string, field: string, anOwner: AnId): Record<string, Need> => {
  const withImage: Need = async () => {
    const id = await anOwner(world)
    const native = field === 'avatar' ? `users/${id}/avatar` : `tenants/${id}/logo`
    await world.call(world.admin, 'PUT', native, aPicture, { 'content-type': 'image/png' })
    return { params: { id } }
  }
  return {
    [`POST ${path}`]: async () => ({ ...aForm(field), params: { id: await anOwner(world) } }),
    [`GET ${path}`]: withImage,
    [`DELETE ${path}`]: withImage,
  }
}

const withId =
  (anId: AnId): Need =>
  async () => ({ params: { id: await anId(world) } })
const resource = (path: string, anId: AnId): Record<string, Need> => ({
  [`GET ${path}`]: asIs,
  [`POST ${path}`]: asIs,
  ...Object.fromEntries(['GET', 'PUT', 'PATCH', 'DELETE'].map(method => [`${method} ${path}/{id}`, withId(anId)])),
})

/** Of older systems, and of native routes that the table does not prepare as the example wants it. */
const needs: Readonly<Record<string, Need>> = {
  'POST /admin/v1/bootstrap': fresh,
  'POST /admin/v1/permissions': async () => {
    await withAdminClient(database.superUrl, async sql => {
      await sql`delete from role_permissions where permission_code = 'invoices:read'`
      await sql`delete from permissions where code = 'invoices:read'`
    })
    return { who: staff }
  },
  'GET /admin/v1/services/{id}': withBilling,
  'PUT /admin/v1/services/{id}': asStaff,
  'PATCH /admin/v1/services/{id}': withBilling,
  'DELETE /admin/v1/services/{id}': withBilling,
  // eng-identity
  'GET /api/v1/advisor/dashboard': async () => ({ who: world.advisor }),
  'GET /gateway/routes': asIs,
  'GET /api/v1/brands/{brand_id}': async () => ({
    who: null,
    params: { brand_id: await aBrand(world) },
    headers: { 'x-api-key': internalKey },
  }),
  'PATCH /admin/users/{email}': async () => {
    await cast.addPerson(world.company, { email: 'ada@example.com' })
    return {}
  },
  // iam-rs256
  'POST /api/v1/roles': asIs,
  // pm-identity-api
  'GET /init-db': asIs,
  'POST /init-db': fresh,
  ...resource('/users', aPerson),
  'POST /users/{id}/admin-reset-password': withId(aPerson),
  'GET /users/{id}/roles': withId(aPerson),
  'POST /users/{id}/roles': withId(aPerson),
  'GET /users/{id}/roles/{role_id}': aRoleOf,
  'DELETE /users/{id}/roles/{role_id}': aRoleOf,
  'GET /users/{id}/policies': withId(aPerson),
  'GET /users/{id}/permissions': withId(aPerson),
  ...upload('/users/{id}/avatar', 'avatar', async ({ admin }) => admin.userId),
  ...resource('/companies', async ({ company }) => company),
  'POST /companies': asStaff,
  'DELETE /companies/{id}': async () => ({ who: staff, params: { id: await cast.addTenant() } }),
  ...upload('/companies/{id}/logo', 'logo', async ({ company }) => company),
  ...resource('/organization_units', aUnit),
  'GET /organization_units/{id}/children': withId(aUnit),
  'GET /organization_units/{id}/positions': withId(aUnit),
  'POST /organization_units/{id}/positions': withId(aUnit),
  ...resource('/positions', aPosition),
  'GET /positions/{id}/users': withId(aPosition),
  ...resource('/customers', of => aRow(of, 'customers')),
  ...resource('/subcontractors', of => aRow(of, 'subcontractors')),
}

const prepared = new Map(routes.map(route => [nameOf(route).replace(/:(\w+)/g, '{$1}'), route]))

async function give({ name }: ExampleCall): Promise<Given> {
  const need = needs[name]
  if (need !== undefined) return need()
  const route = prepared.get(name)
  if (route === undefined) throw new Error(`${name} needs an entry in the table of routes, or among the needs here`)
  const who = ableActor(world, route)
  return { ...(await route.prepare(world, who)), who }
}

async function send(call: ExampleCall, { who, app, params = {}, bytes, headers = {} }: Given): Promise<Answer> {
  const path = fill(call.path.replace(/\{(\w+)\}/g, ':$1'), { ...call.params, ...params })
  const query = new URLSearchParams(call.query).toString()
  const actor = who === undefined ? world.admin : who
  const isText = call.contentType === 'application/x-ndjson'
  const body = call.body === undefined ? bytes : isText ? `${JSON.stringify(call.body)}\n` : await withIds(call.body)
  const answer = await (app ?? world.app).inject({
    method: call.method,
    url: query === '' ? path : `${path}?${query}`,
    headers: {
      ...actor?.headers,
      ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: body as object }),
  })
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: undefined }
}

t.test('each example works, and is answered as the reference says', async t => {
  for (const call of calls) {
    await setUp()
    t.same(listMisfits(reference, call, await send(call, await give(call))), [], call.name)
  }
})
