/** The same object by another way of asking: whatever a request looks like, it meets the same guard. */
import { inTenant } from '@signet/db'
import t from 'tap'
import { fill, nameOf, routes } from './route-table.ts'
import { ableActor, prepareFor } from './walk.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, member, company, app, database, call } = world
const guarded = routes.filter(route => route.needs !== 'nothing')
const privileged = guarded.filter(route => route.needs !== 'sign-in')

/** The same path, written differently. */
const spellings: Readonly<Record<string, (path: string) => string>> = {
  'an encoded letter': path =>
    path.replace(/[a-z](?=[a-z]+$|[a-z-]*\/)/, letter => `%${letter.charCodeAt(0).toString(16)}`),
  'an encoded slash': path => path.replace(/\/(?=[^/]+$)/, '%2f'),
  'a doubled slash': path => path.replace(/\/(?=[^/]+$)/, '//'),
  'a slash at the end': path => `${path}/`,
  'a dot': path => path.replace(/\/(?=[^/]+$)/, '/./'),
  'two dots': path => path.replace(/\/(?=[^/]+$)/, '/x/../'),
  capitals: path => path.toUpperCase(),
  'a parameter of the path': path => `${path};x=1`,
  'an ending': path => `${path}.json`,
  'another address before it': path => `http://localhost:4001${path}`,
}

t.test('X-03 no spelling of a path passes the guard', async t => {
  for (const route of privileged) {
    const path = fill(route.path, (await prepareFor(world, route)).params)
    for (const [what, spell] of Object.entries(spellings)) {
      for (const who of [null, member]) {
        const answer = await app.inject({ method: route.method, url: spell(path), headers: who?.headers ?? {} })
        const isRefused = [400, 401, 403, 404, 415].includes(answer.statusCode)
        t.ok(isRefused, `${nameOf(route)} with ${what}: ${answer.statusCode}`)
      }
    }
  }
})

t.test('X-03 HEAD is refused where GET is, and no other method reaches a route', async t => {
  const served = new Set(routes.map(nameOf))
  for (const { method, path, ...route } of privileged) {
    const url = fill(path, (await prepareFor(world, { method, path, ...route })).params)
    if (method === 'GET') {
      const head = await app.inject({ method: 'HEAD', url, headers: member.headers })
      t.match({ status: head.statusCode, body: head.body }, { status: 403 }, `HEAD ${path}`)
    }
    for (const other of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      if (served.has(`${other} ${path}`)) continue
      const answer = await app.inject({ method: other, url, headers: admin.headers })
      // 400 where the path is that of another route, of which this one's last word is no id.
      t.ok([400, 404].includes(answer.statusCode), `${other} ${path} ${answer.statusCode}`)
    }
  }
})

t.test('X-03 a method named elsewhere than in the request line is not heard', async t => {
  for (const route of guarded.filter(({ method, path }) => method === 'GET' && path.includes(':'))) {
    const { params, headers } = await prepareFor(world, route)
    const who = ableActor(world, route)
    const url = fill(route.path, params)
    const overrides = { 'x-http-method-override': 'DELETE', 'x-http-method': 'DELETE', 'x-method-override': 'DELETE' }
    const answer = await call(who, 'GET', url, undefined, { ...headers, ...overrides })
    t.equal(answer.status, route.status, nameOf(route))
    t.equal((await call(who, 'GET', url, undefined, headers)).status, route.status, `${nameOf(route)} is there still`)
    const asked = await call(who, 'GET', `${url}?_method=DELETE`, undefined, headers)
    t.ok([200, 400].includes(asked.status), `${nameOf(route)} ${asked.status}`)
  }
})

t.test('X-04 nobody is somebody else by saying so', async t => {
  const claims = {
    'x-user-id': admin.userId,
    'x-actor-id': admin.userId,
    'x-forwarded-user': admin.email,
    'x-remote-user': admin.email,
    'x-roles': 'admin',
    'x-permissions': '*',
    cookie: `access_token=${admin.token}`,
  }
  for (const route of privileged) {
    const { params, body, bytes, headers } = await prepareFor(world, route)
    const url = `${fill(route.path, params)}?user_id=${admin.userId}&actor_id=${admin.userId}&as=${admin.userId}`
    const answer = await call(member, route.method, url, bytes ?? body, { ...headers, ...claims })
    t.ok([400, 403].includes(answer.status), `${nameOf(route)} ${answer.status}`)
  }
  const person = await world.cast.addActor(company, { permissions: ['roles:create'] })
  for (const name of ['actor_id', 'user_id', 'created_by', 'sub', 'on_behalf_of']) {
    const answer = await call(person, 'POST', 'roles', { name: 'theirs', [name]: admin.userId })
    t.match(answer, { status: 400, body: { code: 'invalid-input' } }, name)
  }
  const made = await call(person, 'POST', 'roles', { name: 'theirs' }, claims)
  t.equal(made.status, 201)
  const events = await inTenant(
    database.db,
    company,
    ({ sql }) => sql<{ actorId: string }[]>`
      select actor_id as "actorId" from audit_events where request_id = ${String(made.headers['x-request-id'])}`,
  )
  t.strictSame(
    events.map(({ actorId }) => actorId),
    [person.userId],
    'the audit names whose token it was',
  )
})
