import { readFileSync, writeFileSync } from 'node:fs'
import { inTenant } from '@signet/db'
import { newId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import t from 'tap'
import {
  type Call,
  fill,
  isOfThePlatform,
  listServedRoutes,
  nameOf,
  type OpenTo,
  type Route,
  routes,
} from './route-table.ts'
import { compatRoutes } from './routes/compat.ts'
import { pmIdentityRoutes } from './routes/pm-identity-api.ts'
import { ableActor, prepareFor, send } from './walk.ts'
import { type Answer, createWorld, internalKey } from './world.ts'

// Every role and permission on every route: the one file that grows with the square of the API.
t.setTimeout(300_000)
const world = await createWorld(t)
const { admin, staff, member, stranger, cast, company, platform } = world

/** Without what differs from request to request. */
function comparable({ status, headers, text }: Answer) {
  const { 'x-request-id': id, date: _date, ...rest } = headers
  return { status, headers: rest, text: text.replaceAll(String(id), '<id>') }
}

const guarded = routes.filter(route => route.needs !== 'nothing')
/** Those that ask for more than an account. */
const privileged = guarded.filter(route => route.needs !== 'sign-in')

t.test('every route of the app stands in the table', async t => {
  t.strictSame(
    listServedRoutes(world).toSorted(),
    [...routes.map(nameOf), ...compatRoutes, ...pmIdentityRoutes].toSorted(),
  )
})

t.test('every route does what the table says for whoever may', async t => {
  for (const route of routes) {
    const who = route.needs === 'nothing' ? null : ableActor(world, route)
    const answer = await send(world, who, route, await prepareFor(world, route))
    t.equal(answer.status, route.status, `${nameOf(route)} ${answer.text.slice(0, 200)}`)
  }
})

t.test('nobody gets 401 everywhere, before anything is read of the request', async t => {
  for (const route of guarded) {
    const params = {
      id: newId(),
      role_id: newId(),
      user_id: newId(),
      policy_id: newId(),
      session_id: newId(),
      code: 'users:read',
    }
    for (const body of route.method === 'GET' ? [undefined] : [undefined, '{broken']) {
      const answer = await world.call(null, route.method, fill(route.path, params), body)
      t.equal(answer.status, 401, nameOf(route))
      t.equal(answer.body.code, 'missing-token', nameOf(route))
    }
  }
})

t.test('a service key that is none is refused where one is taken, and counts for nothing elsewhere', async t => {
  for (const route of guarded) {
    const params = Object.fromEntries([...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, newId()]))
    for (const key of ['', 'wrong', `${internalKey},${internalKey}`]) {
      const answer = await world.call(admin, route.method, fill(route.path, params), undefined, { 'x-api-key': key })
      if (route.orServiceKey === true)
        t.match(answer, { status: 401, body: { code: 'invalid-service-key' } }, nameOf(route))
      else t.not(answer.body.code, 'invalid-service-key', nameOf(route))
    }
    if (route.orServiceKey === true) continue
    const answer = await world.call(null, route.method, fill(route.path, params), undefined, {
      'x-api-key': internalKey,
    })
    t.match(answer, { status: 401, body: { code: 'missing-token' } }, nameOf(route))
  }
})

t.test('T-01 a foreign id answers as a random one, byte for byte', async t => {
  for (const route of routes.filter(({ owned }) => owned !== undefined)) {
    const call = await prepareFor(world, route)
    const random = Object.fromEntries(
      Object.entries(call.params ?? {}).map(([name, value]) => [name, route.owned?.includes(name) ? newId() : value]),
    )
    const foreign = comparable(await send(world, stranger, route, call))
    t.equal(foreign.status, 404, `${nameOf(route)} ${foreign.text}`)
    t.strictSame(foreign, comparable(await send(world, stranger, route, { ...call, params: random })), nameOf(route))
    t.equal(
      (await send(world, ableActor(world, route), route, call)).status,
      route.status,
      `${nameOf(route)} finds its own`,
    )
  }
})

t.test('a member without permissions gets 403 that names what is missing, for every id', async t => {
  for (const route of privileged) {
    const call = await prepareFor(world, route)
    const answer = await send(world, member, route, call)
    t.equal(answer.status, 403, `${nameOf(route)} ${answer.text}`)
    t.equal(answer.body.code, 'forbidden', nameOf(route))
    t.match(answer.body.detail, route.needs === 'staff' ? 'super_admin' : route.needs, nameOf(route))
    const random = {
      ...call,
      params: {
        id: newId(),
        role_id: newId(),
        user_id: newId(),
        policy_id: newId(),
        key_id: newId(),
        session_id: newId(),
        code: 'users:read',
      },
    }
    t.strictSame(
      comparable(await send(world, member, route, random)),
      comparable(answer),
      `${nameOf(route)} tells no id apart`,
    )
  }
})

/** Whoever has an account, and those whom the table names. */
function isOpenTo(kind?: OpenTo): (route: Route) => boolean {
  return ({ needs, openTo = [] }) => needs === 'sign-in' || (kind !== undefined && openTo.includes(kind))
}

const matrixFile = new URL('../docs/access.md', import.meta.url)
const matrixTitle = `# Who may do what

Each role, and each permission held alone, with the routes that it opens; a test tries every pair and compares this page.
Without a token nothing is open but the operations paths and \`/admin/v1/bootstrap\`.
`

t.test('X-01 role × route × method: every cell that the table does not declare is 403', async t => {
  const permissions = [...new Set(privileged.map(({ needs }) => needs))].filter(
    needs => needs !== 'staff' && needs !== 'advisor',
  )
  const entered = await cast.signIn(staff, company)
  const client = await cast.addActor(company, { kind: 'client' })
  const rows: { name: string; actor: TestActor; may: (route: Route) => boolean }[] = [
    { name: 'member', actor: member, may: isOpenTo() },
    { name: 'advisor', actor: await cast.addActor(company, { roles: ['advisor'] }), may: isOpenTo('advisor') },
    { name: 'client', actor: client, may: isOpenTo('client') },
    {
      name: 'sub-client',
      actor: await cast.addActor(company, { clientId: client.userId }),
      may: isOpenTo('sub-client'),
    },
    {
      name: 'admin',
      actor: admin,
      may: ({ needs }) => needs !== 'staff' && needs !== 'advisor' && !isOfThePlatform(needs),
    },
    { name: 'super_admin who has entered', actor: entered, may: ({ needs }) => needs !== 'advisor' },
  ]
  for (const permission of permissions) {
    const home = isOfThePlatform(permission) ? platform : company
    const actor = await cast.addActor(home, { permissions: [permission] })
    rows.push({ name: permission, actor, may: ({ needs }) => needs === permission || needs === 'sign-in' })
  }
  const refused = new Map<Route, Call>()
  for (const route of guarded) refused.set(route, await prepareFor(world, route))
  const matrix: string[] = []
  for (const { name, actor, may } of rows) {
    const allowed: string[] = []
    for (const route of guarded) {
      const answer = await send(
        world,
        actor,
        route,
        may(route) ? await prepareFor(world, route, actor) : (refused.get(route) as Call),
      )
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
  for (const route of guarded.filter(({ method, event }) => method !== 'GET' && event !== null)) {
    t.ok(route.event, `${nameOf(route)} has an event`)
    const actor = ableActor(world, route)
    const done = await send(world, actor, route, await prepareFor(world, route))
    t.equal(done.status, route.status, nameOf(route))
    const events = await eventsOf(done, actor.tenantId)
    t.match(events, [{ action: route.event, actorId: actor.userId, ip: '127.0.0.1' }], nameOf(route))
    t.notMatch(events[0]?.text, /argon2|password|hash/i, 'without a secret')
    if (route.needs === 'sign-in') continue
    const refusedAnswer = await send(world, member, route, await prepareFor(world, route))
    t.equal((await eventsOf(refusedAnswer, company)).length, 0, `${nameOf(route)} refused`)
  }
})
