/** Routes of pm-identity-api under the rules that the walks hold the native routes to, in the form of that system. */
import { newId } from '@signet/kernel'
import t from 'tap'
import { fill } from './route-table.ts'
import { aPerson } from './routes/route.ts'
import { pmIdentityRoutes } from './routes/pm-identity-api.ts'
import { type Answer, createWorld, type Method } from './world.ts'

const world = await createWorld(t)
const { call, admin, staff, member, stranger, cast, company } = world

const guarded = pmIdentityRoutes
  .filter(route => !route.endsWith('/init-db'))
  .map(route => route.split(' ') as [Method, string])
const position = (await call(admin, 'POST', '/positions', { title: 'Head' })).body
const unit = (await call(admin, 'POST', '/organization_units', { name: 'Sales' })).body
const customer = (await call(admin, 'POST', '/customers', { name: 'Rivière' })).body
const subcontractor = (await call(admin, 'POST', '/subcontractors', { name: 'Rivière' })).body
const person = await aPerson(world)
const ownIds: Readonly<Record<string, string>> = {
  users: person,
  companies: company,
  organization_units: unit.id,
  positions: position.id,
  customers: customer.id,
  subcontractors: subcontractor.id,
}
const idFor = (path: string) => ownIds[path.split('/')[1] ?? ''] ?? ''
/** Enough for each of them to get past its schema. */
const body = { name: 'x', title: 'x', email: 'walk@example.test', password: 'seven quiet herons', role_id: newId() }
const { password: _password, ...change } = body
const bodies: Readonly<Record<Method, object | undefined>> = {
  GET: undefined,
  POST: body,
  PUT: change,
  PATCH: change,
  DELETE: undefined,
}
const bodyFor = (method: Method) => bodies[method]

function comparable({ status, headers, text }: Answer) {
  const { 'x-request-id': id, date: _date, ...rest } = headers
  return { status, headers: rest, text: text.replaceAll(String(id), '<id>') }
}

t.test('nobody gets 401, in the form of that system, before anything is read of the request', async t => {
  for (const [method, path] of guarded) {
    for (const sent of method === 'GET' ? [undefined] : [undefined, '{broken']) {
      const answer = await call(null, method, fill(path, { id: newId(), role_id: newId() }), sent)
      t.match(answer, { status: 401, body: { message: String } }, `${method} ${path}`)
      t.strictSame(Object.keys(answer.body), ['message'])
      t.match(answer.headers['www-authenticate'], /^Bearer/)
    }
  }
})

t.test('T-01 an id of another company answers as one that nobody has, byte for byte', async t => {
  for (const [method, path] of guarded.filter(([, route]) => route.includes(':id'))) {
    const send = (id: string) => call(stranger, method, fill(path, { id, role_id: newId() }), bodyFor(method))
    const foreign = comparable(await send(idFor(path)))
    t.ok([403, 404].includes(foreign.status), `${method} ${path} ${foreign.status} ${foreign.text}`)
    t.strictSame(foreign, comparable(await send(newId())), `${method} ${path}`)
  }
})

t.test('X-01 a member without permissions gets 403 for every id, where the person is not themself', async t => {
  for (const [method, path] of guarded) {
    const answers = []
    for (const id of [idFor(path), newId()])
      answers.push(comparable(await call(member, method, fill(path, { id, role_id: newId() }), bodyFor(method))))
    t.equal(answers[0]?.status, 403, `${method} ${path} ${answers[0]?.text}`)
    t.strictSame(answers[0], answers[1], `${method} ${path} tells no id apart`)
  }
})

t.test('X-02 nobody gives more than they hold', async t => {
  const helper = await cast.addActor(company, {
    permissions: ['users:read', 'users:modify', 'memberships:read', 'memberships:modify'],
  })
  const roles = (await call(admin, 'GET', 'roles')).body.items as { id: string; name: string }[]
  const role_id = roles.find(({ name }) => name === 'admin')?.id
  t.equal((await call(helper, 'POST', `/users/${person}/roles`, { role_id })).status, 403)
  t.equal((await call(helper, 'POST', `/users/${admin.userId}/admin-reset-password`)).status, 403)
  t.equal((await call(helper, 'PATCH', `/users/${admin.userId}`, { is_active: false })).status, 403)
})

t.test('permissions are grouped by resource, under the verbs of that system', async t => {
  const id = await cast.addActor(company, { permissions: ['users:read', 'users:modify', 'roles:list'] })
  const { body: answer } = await call(admin, 'GET', `/users/${id.userId}/permissions`)
  t.match(answer.permissions, [
    { service: 'signet', resource_name: 'roles', operations: ['list'], description: String, id: String },
    { service: 'signet', resource_name: 'users', operations: ['update', 'read'], description: String },
  ])
})

t.test('policies of a person are their own and those of their roles, each once', async t => {
  const source = 'permit (principal in ?principal, action == Action::"users:read", resource);'
  const policy = (await call(admin, 'POST', 'policies', { name: 'readers', source })).body
  t.type(policy.id, 'string', JSON.stringify(policy))
  t.equal((await call(admin, 'PUT', `users/${person}/policies/${policy.id}`)).status, 204)
  const { body: answer } = await call(admin, 'GET', `/users/${person}/policies`)
  t.match(answer.policies, [{ id: policy.id, name: 'readers', description: String, company_id: company }])
  t.equal(answer.policies.length, 1)
})

t.test('a company’s profile is one, whoever writes it', async t => {
  const native = await call(admin, 'PATCH', `tenants/${company}`, {
    settings: { profile: { city: 'Paris', phone: '1' } },
  })
  t.match(native, { status: 200, body: { settings: { profile: { city: 'Paris', phone: '1' } } } })
  t.match(await call(admin, 'PATCH', `/companies/${company}`, { city: '', country: 'France' }), {
    status: 200,
    body: { city: null, phone_number: '1', country: 'France' },
  })
  t.strictSame((await call(admin, 'GET', `tenants/${company}`)).body.settings.profile, {
    phone: '1',
    country: 'France',
  })
  t.equal((await call(admin, 'PATCH', `tenants/${company}`, { settings: { profile: null } })).status, 200)
  t.match(await call(admin, 'GET', `/companies/${company}`), { body: { country: null } })
  t.match(await call(admin, 'GET', '/companies'), { body: [{ id: company }] })
  t.ok((await call(staff, 'GET', '/companies')).body.length > 2, 'all of them for the platform')
})

t.test('the cookie opens these routes, once, and from our own site alone', async t => {
  const cookie = `access_token=${admin.headers.authorization.slice('Bearer '.length)}`
  t.equal((await call(null, 'GET', '/users', undefined, { cookie })).status, 200)
  t.equal((await call(null, 'GET', '/users', undefined, { cookie: `${cookie}; access_token=x` })).status, 401)
  const post = (headers: Record<string, string>) =>
    call(null, 'POST', '/customers', { name: 'x' }, { cookie, ...headers })
  t.equal((await post({})).status, 201)
  t.equal((await post({ 'sec-fetch-site': 'same-origin' })).status, 201)
  t.equal((await post({ origin: 'http://localhost:4001' })).status, 201)
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }])
    t.equal((await post(headers)).status, 403)
})
