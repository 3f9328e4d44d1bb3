import { inTenant } from '@signet/db'
import { newId } from '@signet/kernel'
import t from 'tap'
import { routes } from './route-table.ts'
import { ableActor, prepareFor } from './walk.ts'
import { type Answer, createWorld } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, admin, staff, stranger, call } = world
const codes = (answers: readonly Answer[]) =>
  answers.map(({ status, body }) => (status < 400 ? `${status}` : `${status} ${body.code}`))
const counted = (answers: readonly Answer[]) =>
  codes(answers).reduce<Record<string, number>>((sum, code) => ({ ...sum, [code]: (sum[code] ?? 0) + 1 }), {})

t.test('ETag and If-Match', async t => {
  const user = (await cast.addPerson(company)).userId
  const invited = await call(admin, 'POST', 'memberships', { email: 'etag@example.test' })
  const role = await call(admin, 'POST', 'roles', { name: 'etag' })
  const permission = await call(staff, 'POST', 'permissions', { code: 'etag:read', service: 'things' })
  const tenant = await call(staff, 'POST', 'tenants', { name: 'Etag' })
  const unit = await call(admin, 'POST', 'org-units', { name: 'Etag' })
  const position = await call(admin, 'POST', 'positions', { title: 'Etag' })
  const customer = await call(admin, 'POST', 'customers', { name: 'Etag' })
  const subcontractor = await call(admin, 'POST', 'subcontractors', { name: 'Etag' })
  const resources = [
    { path: `users/${user}`, change: { name: 'A' }, who: admin },
    { path: `memberships/${invited.body.id}`, change: undefined, who: admin },
    { path: `roles/${role.body.id}`, change: { description: 'A' }, who: admin },
    { path: `permissions/${permission.body.code}`, change: { description: 'A' }, who: staff },
    { path: `tenants/${tenant.body.id}`, change: { name: 'A' }, who: staff },
    { path: `org-units/${unit.body.id}`, change: { name: 'A' }, who: admin },
    { path: `positions/${position.body.id}`, change: { title: 'A' }, who: admin },
    { path: `customers/${customer.body.id}`, change: { name: 'A' }, who: admin },
    { path: `subcontractors/${subcontractor.body.id}`, change: { name: 'A' }, who: admin },
  ]
  for (const { path, change, who } of resources) {
    await t.test(`guard ${path.split('/')[0]}`, async t => {
      const { etag } = (await call(who, 'GET', path)).headers
      t.equal(etag, '"1"')
      for (const tag of ['"7"', 'W/"1"', '1', '"1', 'anything']) {
        for (const method of change === undefined ? (['DELETE'] as const) : (['PATCH', 'DELETE'] as const)) {
          const answer = await call(who, method, path, method === 'PATCH' ? change : undefined, { 'if-match': tag })
          t.match(answer, { status: 412, body: { code: 'version-mismatch' } }, `${method} ${tag}`)
        }
      }
      if (change !== undefined) {
        const changed = await call(who, 'PATCH', path, change, { 'if-match': '"9", "1"' })
        t.match(changed, { status: 200, headers: { etag: '"2"' } }, changed.text)
        t.match(await call(who, 'PATCH', path, change, { 'if-match': '"1"' }), { status: 412 })
        t.equal((await call(who, 'GET', path)).headers.etag, '"2"')
        const raced = await Promise.all(
          Array.from({ length: 8 }, (_, index) => {
            const [name = ''] = Object.keys(change)
            return call(who, 'PATCH', path, { [name]: `Race ${index}` }, { 'if-match': '"2"' })
          }),
        )
        t.strictSame(counted(raced), { '200': 1, '412 version-mismatch': 7 }, 'of eight at once one wins')
      }
      t.equal((await call(who, 'DELETE', path, undefined, { 'if-match': '*' })).status, 204)
      t.equal((await call(who, 'GET', path)).status, 404)
    })
  }

  await t.test('roles ask for it', async t => {
    const path = `roles/${await cast.addRole(company, [])}`
    t.match(await call(admin, 'PATCH', path, { name: 'x' }), { status: 428, body: { code: 'version-required' } })
    t.match(await call(admin, 'DELETE', path), { status: 428, body: { code: 'version-required' } })
  })
  await t.test('below a parent it names the parent', async t => {
    const person = await cast.addPerson(company)
    const id = await cast.addRole(company, [])
    for (const parent of [`users/${person.userId}`, `memberships/${person.membershipId}`]) {
      const { etag } = (await call(admin, 'GET', parent)).headers
      t.match(await call(admin, 'PUT', `${parent}/roles/${id}`, undefined, { 'if-match': '"99"' }), { status: 412 })
      t.equal((await call(admin, 'PUT', `${parent}/roles/${id}`, undefined, { 'if-match': String(etag) })).status, 204)
      t.match(await call(admin, 'DELETE', `${parent}/roles/${id}`, undefined, { 'if-match': '"99"' }), { status: 412 })
      t.equal((await call(admin, 'DELETE', `${parent}/roles/${id}`)).status, 204)
    }
    const change = `roles/${id}/permissions/users:read`
    t.match(await call(admin, 'PUT', change, undefined, { 'if-match': '"2"' }), { status: 412 })
    t.match(await call(admin, 'PUT', change, undefined, { 'if-match': '"1"' }), {
      status: 204,
      headers: { etag: '"2"' },
    })
    t.match(await call(admin, 'PUT', change), { status: 204, headers: { etag: '"2"' } }, 'again changes nothing')
    t.match(await call(admin, 'DELETE', change, undefined, { 'if-match': '"1"' }), { status: 412 })
    t.match(await call(admin, 'DELETE', change, undefined, { 'if-match': '"2"' }), {
      status: 204,
      headers: { etag: '"3"' },
    })
    t.match(await call(admin, 'DELETE', change), { status: 404, body: { code: 'permission-not-found' } })
  })
})

t.test('Idempotency-Key', async t => {
  const { body: reference } = await call(null, 'GET', '/openapi.json')
  const creations = routes.filter(({ method, path }) => {
    const operation = reference.paths[path.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()]
    return operation.parameters?.some(({ name }: { name: string }) => name === 'idempotency-key')
  })
  t.ok(creations.length >= 7, `${creations.length} routes take it`)
  for (const route of creations) {
    await t.test(`${route.path} creates once`, async t => {
      const who = ableActor(world, route)
      const { params = {}, body = {} } = await prepareFor(world, route)
      const path = route.path.replace(/:(\w+)/g, (_, name: string) => params[name] ?? '')
      const headers = { 'idempotency-key': `key-${newId()}` }
      const send = (payload: object = body) => call(who, 'POST', path, payload, headers)
      const answers = await Promise.all(Array.from({ length: 16 }, () => send()))
      const made = answers.filter(({ status }) => status === route.status)
      t.ok(made.length >= 1)
      t.equal(new Set(made.map(({ text }) => text)).size, 1, 'all of them say the same')
      t.ok(
        answers.every(({ status, body: b }) => status === route.status || b.code === 'idempotency-key-in-progress'),
        String(codes(answers)),
      )
      const events = await inTenant(
        database.db,
        who.tenantId,
        ({ sql }) =>
          sql`select 1 from audit_events where action = ${route.event ?? ''} and request_id = any(${answers.map(({ headers: h }) => String(h['x-request-id']))}::uuid[])`,
      )
      t.equal(events.length, 1, 'one creation')
      const again = await send(Object.fromEntries(Object.entries(body).toReversed()))
      t.equal(again.text, made[0]?.text, 'later too, and in whatever order the members come')
      t.equal(again.headers.location, made[0]?.headers.location)
      t.equal(again.headers.etag, made[0]?.headers.etag)
      t.match(await send({ ...body, ...otherBody(body) }), { status: 422, body: { code: 'idempotency-key-reused' } })
      const anew = await call(who, 'POST', path, body, { 'idempotency-key': `key-${newId()}` })
      t.ok([409, route.status].includes(anew.status), 'under another key it is another request, which meets the first')
      t.not(anew.text, made[0]?.text)
    })
  }

  await t.test('is of one person in one tenant', async t => {
    const headers = { 'idempotency-key': 'shared' }
    const one = await call(admin, 'POST', 'roles', { name: 'shared' }, headers)
    const two = await call(stranger, 'POST', 'roles', { name: 'shared' }, headers)
    t.strictSame([one.status, two.status], [201, 201])
    t.not(one.body.id, two.body.id)
  })
  await t.test('ends after a day, and takes old ones along', async t => {
    const headers = { 'idempotency-key': 'yesterday' }
    const first = await call(admin, 'POST', 'roles', { name: 'yesterday' }, headers)
    await inTenant(
      database.db,
      company,
      ({ sql }) => sql`update idempotency_keys set created_at = now() - interval '25 hours'`,
    )
    t.equal((await call(admin, 'DELETE', `roles/${first.body.id}`, undefined, { 'if-match': '*' })).status, 204)
    const second = await call(admin, 'POST', 'roles', { name: 'yesterday' }, headers)
    t.equal(second.status, 201)
    t.not(second.body.id, first.body.id)
    const left = await inTenant(database.db, company, ({ sql }) => sql`select key from idempotency_keys`)
    t.strictSame(
      left.map(row => row.key),
      ['yesterday'],
    )
  })
  await t.test('keeps no failure', async t => {
    const headers = { 'idempotency-key': 'failing' }
    const taken = { name: 'failing' }
    const before = await call(admin, 'POST', 'roles', taken)
    t.match(await call(admin, 'POST', 'roles', taken, headers), { status: 409, body: { code: 'role-name-taken' } })
    await call(admin, 'DELETE', `roles/${before.body.id}`, undefined, { 'if-match': '*' })
    t.equal((await call(admin, 'POST', 'roles', taken, headers)).status, 201)
  })
  await t.test('has a form, and no password can be guessed from what is kept', async t => {
    for (const key of ['', ' ', 'a b', 'x'.repeat(256), 'ä']) {
      const answer = await call(admin, 'POST', 'roles', { name: 'form' }, { 'idempotency-key': key })
      t.match(answer, { status: 400, body: { code: 'invalid-input' } }, JSON.stringify(key))
    }
    const body = { email: 'kept@example.test', password: 'correct horse battery' }
    await call(admin, 'POST', 'users', body, { 'idempotency-key': 'kept' })
    const [kept] = await inTenant(
      database.db,
      company,
      ({ sql }) => sql<{ text: string; fingerprint: Buffer }[]>`
        select concat(headers, body) as text, fingerprint from idempotency_keys where key = 'kept'`,
    )
    t.notMatch(kept?.text, /password|horse|argon2/)
    t.equal(kept?.fingerprint.length, 32)
  })
})

/** The same body with one member changed. */
function otherBody(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  for (const id of ['role_id', 'policy_id']) if (id in body) return { [id]: newId() }
  const name = ['name', 'email', 'description'].find(each => each in body) ?? 'name'
  return { [name]: name === 'email' ? 'other@example.test' : 'other' }
}

t.test('a merge patch', async t => {
  const merge = { 'content-type': 'application/merge-patch+json' }
  const made = await call(admin, 'POST', 'users', {
    email: 'merge@example.test',
    username: 'merge',
    phone: '+4915112345678',
    name: 'N',
    first_name: 'F',
  })
  await t.test('keeps what is absent and clears what is null', async t => {
    const { body } = await call(
      admin,
      'PATCH',
      `users/${made.body.id}`,
      { name: null, phone: null, last_name: 'L' },
      merge,
    )
    t.match(body, {
      name: null,
      phone: null,
      last_name: 'L',
      first_name: 'F',
      username: 'merge',
      email: 'merge@example.test',
    })
  })
  await t.test('cannot clear what has to be there', async t => {
    for (const change of [{ language: null }, {}]) {
      t.match(await call(admin, 'PATCH', `users/${made.body.id}`, change, merge), {
        status: 400,
        body: { code: 'invalid-input' },
      })
    }
    const nobody = await call(
      admin,
      'PATCH',
      `users/${made.body.id}`,
      { email: null, username: null, phone: null },
      merge,
    )
    t.match(nobody, { status: 400, body: { code: 'invalid-input' } }, 'one of e-mail, phone, username stays')
    t.match(await call(admin, 'PATCH', `tenants/${company}`, { name: null }), { status: 400 })
  })
  await t.test('reaches into settings, and gives descriptions back their default', async t => {
    const { body: tenant } = await call(staff, 'POST', 'tenants', {
      name: 'Merge',
      settings: { self_registration: true },
    })
    const path = `tenants/${tenant.id}`
    t.strictSame((await call(staff, 'PATCH', path, { name: 'Merged' }, merge)).body.settings, {
      self_registration: true,
    })
    t.strictSame((await call(staff, 'PATCH', path, { settings: {} }, merge)).body.settings, { self_registration: true })
    t.strictSame((await call(staff, 'PATCH', path, { settings: { self_registration: null } }, merge)).body.settings, {})
    await call(staff, 'PATCH', path, { settings: { self_registration: false } }, merge)
    t.strictSame((await call(staff, 'PATCH', path, { settings: null }, merge)).body.settings, {})
    const { body: role } = await call(admin, 'POST', 'roles', {
      name: 'merge',
      description: 'D',
      permissions: ['users:read'],
    })
    const changed = await call(
      admin,
      'PATCH',
      `roles/${role.id}`,
      { description: null, permissions: ['users:list'] },
      { ...merge, 'if-match': '"1"' },
    )
    t.match(
      changed.body,
      { name: 'merge', description: '', permissions: ['users:list'] },
      'a list is replaced as a whole',
    )
  })
})
