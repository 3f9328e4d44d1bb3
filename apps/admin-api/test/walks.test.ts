import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inTenant } from '@signet/db'
import * as db from '@signet/db'
import { newId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import { getTableColumns, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { type Call, fill, isOfThePlatform, listServedRoutes, nameOf, type Route, routes } from './route-table.ts'
import { type Answer, createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, staff, member, stranger, cast, company, platform } = world

function send(who: TestActor | null, route: Route, { params, body, headers }: Call): Promise<Answer> {
  return world.call(who, route.method, fill(route.path, params), body, headers)
}

/** Somebody who may: staff where the platform is needed, the company's administrator elsewhere. */
function ableActor({ needs }: Route): TestActor {
  return needs === 'staff' || isOfThePlatform(needs) ? staff : admin
}

/** Without what differs from request to request. */
function comparable({ status, headers, text }: Answer) {
  const { 'x-request-id': id, date: _date, ...rest } = headers
  return { status, headers: rest, text: text.replaceAll(String(id), '<id>') }
}

const guarded = routes.filter(route => route.needs !== 'nothing')

t.test('every route of the app stands in the table', async t => {
  t.strictSame(listServedRoutes(world).toSorted(), routes.map(nameOf).toSorted())
})

t.test('every route does what the table says for whoever may', async t => {
  for (const route of routes) {
    const answer = await send(route.needs === 'nothing' ? null : ableActor(route), route, await route.prepare(world))
    t.equal(answer.status, route.status, `${nameOf(route)} ${answer.text.slice(0, 200)}`)
  }
})

t.test('nobody gets 401 everywhere, before anything is read of the request', async t => {
  for (const route of guarded) {
    const params = { id: newId(), role_id: newId(), user_id: newId(), code: 'users:read' }
    for (const body of route.method === 'GET' ? [undefined] : [undefined, '{broken']) {
      const answer = await world.call(null, route.method, fill(route.path, params), body)
      t.equal(answer.status, 401, nameOf(route))
      t.equal(answer.body.code, 'missing-token', nameOf(route))
    }
  }
})

t.test('T-01 a foreign id answers as a random one, byte for byte', async t => {
  for (const route of routes.filter(({ owned }) => owned !== undefined)) {
    const call = await route.prepare(world)
    const random = Object.fromEntries(
      Object.entries(call.params ?? {}).map(([name, value]) => [name, route.owned?.includes(name) ? newId() : value]),
    )
    const foreign = comparable(await send(stranger, route, call))
    t.equal(foreign.status, 404, `${nameOf(route)} ${foreign.text}`)
    t.strictSame(foreign, comparable(await send(stranger, route, { ...call, params: random })), nameOf(route))
    t.equal((await send(ableActor(route), route, call)).status, route.status, `${nameOf(route)} finds its own`)
  }
})

t.test('a member without permissions gets 403 that names what is missing, for every id', async t => {
  for (const route of guarded) {
    const call = await route.prepare(world)
    const answer = await send(member, route, call)
    t.equal(answer.status, 403, `${nameOf(route)} ${answer.text}`)
    t.equal(answer.body.code, 'forbidden', nameOf(route))
    t.match(answer.body.detail, route.needs === 'staff' ? 'super_admin' : route.needs, nameOf(route))
    const random = { ...call, params: { id: newId(), role_id: newId(), user_id: newId(), code: 'users:read' } }
    t.strictSame(
      comparable(await send(member, route, random)),
      comparable(answer),
      `${nameOf(route)} tells no id apart`,
    )
  }
})

const matrixFile = new URL('../docs/access.md', import.meta.url)
const matrixTitle = `# Who may do what

Each role, and each permission held alone, with the routes that it opens; a test tries every pair and compares this page.
Without a token nothing is open but the operations paths and \`/admin/v1/bootstrap\`.
`

t.test('X-01 role × route × method: every cell that the table does not declare is 403', async t => {
  const permissions = [...new Set(guarded.map(({ needs }) => needs))].filter(needs => needs !== 'staff')
  const entered = await cast.signIn(staff, company)
  const rows: { name: string; actor: TestActor; may: (route: Route) => boolean }[] = [
    { name: 'member', actor: member, may: () => false },
    { name: 'advisor', actor: await cast.addActor(company, { roles: ['advisor'] }), may: () => false },
    { name: 'admin', actor: admin, may: ({ needs }) => needs !== 'staff' && !isOfThePlatform(needs) },
    { name: 'super_admin who has entered', actor: entered, may: () => true },
  ]
  for (const permission of permissions) {
    const home = isOfThePlatform(permission) ? platform : company
    const actor = await cast.addActor(home, { permissions: [permission] })
    rows.push({ name: permission, actor, may: ({ needs }) => needs === permission })
  }
  const refused = new Map(await Promise.all(guarded.map(async route => [route, await route.prepare(world)] as const)))
  const matrix: string[] = []
  for (const { name, actor, may } of rows) {
    const allowed: string[] = []
    for (const route of guarded) {
      const answer = await send(actor, route, may(route) ? await route.prepare(world) : (refused.get(route) as Call))
      const expected = may(route) ? route.status : 403
      t.equal(answer.status, expected, `${name}: ${nameOf(route)} ${answer.status === expected ? '' : answer.text}`)
      if (answer.status < 300) allowed.push(nameOf(route))
    }
    matrix.push(`## ${name}\n\n${allowed.map(route => `- ${route}\n`).join('') || 'Nothing.\n'}`)
  }
  const written = `${matrixTitle}\n${matrix.join('\n')}`
  if (process.env['TAP_SNAPSHOT'] === '1') writeFileSync(matrixFile, written)
  t.equal(readFileSync(matrixFile, 'utf8'), written, 'docs/access.md says the same (TAP_SNAPSHOT=1 writes it anew)')
})

t.test('each mutating route writes its audit event in its transaction, and a refused one writes none', async t => {
  const eventsOf = (answer: Answer, tenant: typeof company) =>
    inTenant(
      world.database.db,
      tenant,
      ({ sql }) => sql<{ action: string; actorId: string; ip: string; text: string }[]>`
        select action, actor_id as "actorId", ip, concat(before, after) as text from audit_events
        where request_id = ${String(answer.headers['x-request-id'])}`,
    )
  for (const route of guarded.filter(({ method }) => method !== 'GET')) {
    t.ok(route.event, `${nameOf(route)} has an event`)
    const actor = ableActor(route)
    const done = await send(actor, route, await route.prepare(world))
    t.equal(done.status, route.status, nameOf(route))
    const events = await eventsOf(done, actor.tenantId)
    t.match(events, [{ action: route.event, actorId: actor.userId, ip: '127.0.0.1' }], nameOf(route))
    t.notMatch(events[0]?.text, /argon2|password|hash/i, 'without a secret')
    const refusedAnswer = await send(member, route, await route.prepare(world))
    t.equal((await eventsOf(refusedAnswer, company)).length, 0, `${nameOf(route)} refused`)
  }
})

const { body: reference } = await world.call(null, 'GET', '/openapi.json')
/** The schema of a route's body, as the API reference shows it. */
const bodySchemaOf = ({ method, path }: Route): { properties: object } | undefined =>
  reference.paths[path.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()].requestBody?.content['application/json'].schema
const bodyRoutes = routes.filter(route => bodySchemaOf(route) !== undefined)

t.test('the API reference is as it was agreed', async t => {
  const { version: _version, ...info } = reference.info
  const document = `${JSON.stringify({ ...reference, info }, null, 2)}\n`
  const file = new URL('../docs/openapi.json', import.meta.url)
  if (process.env['TAP_SNAPSHOT'] === '1') writeFileSync(file, document)
  t.equal(reference.openapi, '3.1.0')
  t.same(JSON.parse(document), JSON.parse(readFileSync(file, 'utf8')), 'TAP_SNAPSHOT=1 writes docs/openapi.json anew')
  for (const route of routes) {
    const operation = reference.paths[route.path.replace(/:(\w+)/g, '{$1}')][route.method.toLowerCase()]
    t.ok(operation.summary && operation.tags?.length === 1, `${nameOf(route)} says what it is for`)
    t.strictSame(operation.security, route.needs === 'nothing' ? [] : [{ bearer: [] }], nameOf(route))
  }
})

t.test('X-05 no writable schema takes a column that is not its own', async t => {
  const tables = Object.values(db).filter(value => is(value, PgTable))
  const columns = new Set(tables.flatMap(table => Object.values(getTableColumns(table)).map(column => column.name)))
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
    const call = await route.prepare(world)
    const own = Object.keys(bodySchemaOf(route)?.properties ?? {})
    t.strictSame(
      never.filter(name => own.includes(name)),
      [],
      `${nameOf(route)} has none of them itself`,
    )
    for (const column of columns) {
      if (own.includes(column)) continue
      const answer = await send(ableActor(route), route, { ...call, body: { ...call.body, [column]: null } })
      const fault = answer.body.errors?.find((each: { pointer: string }) => each.pointer === `/${column}`)
      t.equal(answer.status, 400, `${nameOf(route)} ${column}`)
      t.match(fault, { message: 'is not a member that is known here' }, `${nameOf(route)} ${column}`)
    }
  }
})

t.test('NUL, half a surrogate pair and the wrong type are refused in every text of every body', async t => {
  for (const route of bodyRoutes) {
    const call = await route.prepare(world)
    for (const [name, value] of Object.entries(call.body ?? {})) {
      if (typeof value !== 'string') continue
      for (const bad of [`a\u0000b`, '\ud800', 7, [], {}]) {
        const answer = await send(ableActor(route), route, { ...call, body: { ...call.body, [name]: bad } })
        t.equal(answer.status, 400, `${nameOf(route)} ${name} ${JSON.stringify(bad)}`)
        t.match(answer.body, { code: 'invalid-input', errors: [{ pointer: `/${name}` }] })
      }
    }
  }
})

t.test('content types that are none of ours are refused', async t => {
  for (const route of bodyRoutes) {
    const call = await route.prepare(world)
    for (const type of [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'application/json-patch+json',
    ]) {
      const answer = await send(ableActor(route), route, {
        ...call,
        headers: { ...call.headers, 'content-type': type },
      })
      t.match(answer, { status: 415, body: { code: 'unsupported-media-type' } }, `${nameOf(route)} ${type}`)
    }
    const merge = { ...call, headers: { ...call.headers, 'content-type': 'application/merge-patch+json' } }
    const answer = await send(ableActor(route), route, merge)
    t.equal(answer.status, route.method === 'PATCH' ? route.status : 415, `${nameOf(route)} as a merge patch`)
  }
})

const suite = fileURLToPath(new URL('../../../../shared/vectors/json-test-suite/test_parsing', import.meta.url))
const documents = readIfThere(suite)
t.test(
  'I-01 JSONTestSuite on every route with a body',
  documents === undefined ? { skip: 'the test vectors are not on this machine' } : {},
  async t => {
    for (const route of bodyRoutes) {
      const call = await route.prepare(world)
      const who = ableActor(route)
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
            ? statusCode === 400 && !body.includes('malformed-body')
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
