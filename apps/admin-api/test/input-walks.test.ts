/** What the routes with a JSON body take, and what they refuse. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as db from '@signet/db'
import { checkApiReference } from '@signet/testkit'
import { getTableColumns, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { fill, nameOf, type Route, routes } from './route-table.ts'
import { ableActor, prepareFor, send } from './walk.ts'
import { createWorld } from './world.ts'

// Every route with a body takes three hundred documents.
t.setTimeout(300_000)
const world = await createWorld(t)

const { body: reference } = await world.call(null, 'GET', '/openapi.json')
/** The schema of a route's body, as the API reference shows it. */
const bodySchemaOf = ({ method, path }: Route): { properties: object } | undefined =>
  reference.paths[path.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()].requestBody?.content['application/json']
    ?.schema
const bodyRoutes = routes.filter(route => bodySchemaOf(route) !== undefined)

t.test('the API reference is as it was agreed', async t => {
  checkApiReference(t, reference, new URL('../docs/openapi.json', import.meta.url))
  for (const route of routes) {
    const operation = reference.paths[route.path.replace(/:(\w+)/g, '{$1}')][route.method.toLowerCase()]
    const byKey = route.orServiceKey === true ? [{ serviceKey: [] }] : []
    t.strictSame(operation.security, route.needs === 'nothing' ? [] : [{ bearer: [] }, ...byKey], nameOf(route))
  }
})

t.test('X-05 no writable schema takes a column that is not its own', async t => {
  const tables = Object.values(db).filter(value => is(value, PgTable))
  const columns = new Set<string>(
    tables.flatMap(table => Object.values(getTableColumns(table)).map(column => column.name)),
  )
  for (const name of ['roles', 'password_hash', 'is_guest', 'is_platform_staff']) columns.add(name)
  const never = [
    'id',
    'tenant_id',
    'kind',
    'roles',
    'email_verified_at',
    'password_hash',
    'version',
    'is_built_in',
    'holds',
    'is_platform',
  ]
  t.ok(bodyRoutes.length >= 11, `${bodyRoutes.length} routes take a body`)
  for (const route of bodyRoutes) {
    const call = await prepareFor(world, route)
    const own = Object.keys(bodySchemaOf(route)?.properties ?? {})
    t.strictSame(
      never.filter(name => own.includes(name)),
      [],
      `${nameOf(route)} has none of them itself`,
    )
    const others = [...columns].filter(column => !own.includes(column))
    const extra = Object.fromEntries(others.map(column => [column, null]))
    const answer = await send(world, ableActor(world, route), route, { ...call, body: { ...call.body, ...extra } })
    t.equal(answer.status, 400, nameOf(route))
    const refused = (answer.body.errors as { pointer: string; message: string }[])
      .filter(({ message }) => message === 'is not a member that is known here')
      .map(({ pointer }) => pointer.slice(1))
    t.strictSame(new Set(refused), new Set(others), `${nameOf(route)} refuses each of them by name`)
  }
})

t.test('NUL, half a surrogate pair and the wrong type are refused in every text of every body', async t => {
  for (const route of bodyRoutes) {
    const call = await prepareFor(world, route)
    for (const [name, value] of Object.entries(call.body ?? {})) {
      if (typeof value !== 'string') continue
      for (const bad of [`a\u0000b`, '\ud800', 7, [], {}]) {
        const answer = await send(world, ableActor(world, route), route, {
          ...call,
          body: { ...call.body, [name]: bad },
        })
        t.equal(answer.status, 400, `${nameOf(route)} ${name} ${JSON.stringify(bad)}`)
        t.match(answer.body, { code: 'invalid-input', errors: [{ pointer: `/${name}` }] })
      }
    }
  }
})

t.test('content types that are none of ours are refused', async t => {
  for (const route of bodyRoutes) {
    const call = await prepareFor(world, route)
    for (const type of [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'application/json-patch+json',
    ]) {
      const answer = await send(world, ableActor(world, route), route, {
        ...call,
        headers: { ...call.headers, 'content-type': type },
      })
      t.match(answer, { status: 415, body: { code: 'unsupported-media-type' } }, `${nameOf(route)} ${type}`)
    }
    const merge = { ...call, headers: { ...call.headers, 'content-type': 'application/merge-patch+json' } }
    const answer = await send(world, ableActor(world, route), route, merge)
    t.equal(answer.status, route.method === 'PATCH' ? route.status : 415, `${nameOf(route)} as a merge patch`)
  }
})

t.test('a body that is announced and empty is none, and refused only where one is wanted', async t => {
  for (const route of routes) {
    const call = await prepareFor(world, route)
    const headers = { ...call.headers, 'content-type': 'application/json' }
    const answer = await send(world, ableActor(world, route), route, {
      ...(call.params && { params: call.params }),
      headers,
    })
    const wanted = bodyRoutes.includes(route) ? 400 : call.bytes === undefined ? route.status : 415
    t.equal(answer.status, wanted, nameOf(route))
    if (wanted === 400) t.match(answer.body, { code: 'malformed-body', detail: /needs a JSON document/ }, nameOf(route))
  }
})

const suite = fileURLToPath(new URL('../../../../shared/vectors/json-test-suite/test_parsing', import.meta.url))
const documents = readIfThere(suite)
t.test(
  'I-01 JSONTestSuite on every route with a body',
  documents === undefined ? { skip: 'the test vectors are not on this machine' } : {},
  async t => {
    for (const route of bodyRoutes) {
      const call = await prepareFor(world, route)
      const who = ableActor(world, route)
      const faults: string[] = []
      for (const [name, bytes] of documents ?? []) {
        const { statusCode, body } = await world.app.inject({
          method: route.method,
          url: fill(route.path, call.params),
          headers: { 'content-type': 'application/json', ...who.headers, ...call.headers },
          payload: bytes,
        })
        const isRight = name.startsWith('n_')
          ? statusCode === 400 || (statusCode === 413 && bytes.length > 64 * 1024)
          : name.startsWith('y_')
            ? // One of them is a position, by its only member.
              statusCode === route.status || (statusCode === 400 && !body.includes('malformed-body'))
            : statusCode < 500
        if (!isRight) faults.push(`${name}: ${statusCode} ${body.slice(0, 100)}`)
      }
      t.strictSame(faults, [], `${nameOf(route)}: ${documents?.length} documents`)
    }
  },
)

function readIfThere(folder: string): [name: string, bytes: Buffer][] | undefined {
  if (!existsSync(folder)) return undefined
  return readdirSync(folder).map(name => [name, readFileSync(join(folder, name))])
}
