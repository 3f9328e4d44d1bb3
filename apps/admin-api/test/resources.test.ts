import { randomBytes } from 'node:crypto'
import { inTenant, runStatement } from '@signet/db'
import { encodeCursor, cursorScope, newId } from '@signet/kernel'
import t from 'tap'
import { routes } from './route-table.ts'
import { type Answer, createWorld } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, platform, admin, staff, stranger, call } = world
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
  const resources = [
    { path: `users/${user}`, change: { name: 'A' }, who: admin },
    { path: `memberships/${invited.body.id}`, change: undefined, who: admin },
    { path: `roles/${role.body.id}`, change: { description: 'A' }, who: admin },
    { path: `permissions/${permission.body.code}`, change: { description: 'A' }, who: staff },
    { path: `tenants/${tenant.body.id}`, change: { name: 'A' }, who: staff },
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
  const creations = routes.filter(
    ({ method, event, path }) => method === 'POST' && event !== undefined && !/suspend|activate/.test(path),
  )
  t.equal(creations.length, 7)
  for (const route of creations) {
    await t.test(`${route.path} creates once`, async t => {
      const who = /tenants|permissions/.test(route.path) ? staff : admin
      const { params = {}, body = {} } = await route.prepare(world)
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
      t.equal(anew.status, 409, 'under another key it is another request, which meets the first')
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
  if ('role_id' in body) return { role_id: newId() }
  const name = ['name', 'email', 'description'].find(each => each in body) ?? 'name'
  return { [name]: name === 'email' ? 'other@example.test' : 'Other' }
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

t.test('pages', async t => {
  const tenant = await cast.addTenant()
  const keeper = await cast.addActor(tenant, { roles: ['admin'], email: 'keeper@pages.test' })
  const names = Array.from({ length: 23 }, (_, index) => `p${String((index * 7) % 23).padStart(2, '0')}@pages.test`)
  for (const email of names) await cast.addPerson(tenant, { email })

  await t.test('show each row once while others come and go', async t => {
    for (const sort of ['created_at', '-created_at', 'email', '-email', 'name', '-username']) {
      const seen: string[] = []
      let path: string | undefined = `/admin/v1/users?limit=5&sort=${sort}&q=pages.test`
      for (let round = 0; path !== undefined; round += 1) {
        const page: Answer = await call(keeper, 'GET', path)
        t.equal(page.status, 200, page.text)
        seen.push(...page.body.items.map((user: { email: string }) => user.email))
        const next = /^<([^>]+)>; rel="next"$/.exec(String(page.headers.link ?? ''))?.[1]
        t.equal(next === undefined, page.body.next_cursor === null, 'the link and the cursor agree')
        path = next
        const passer = await cast.addPerson(tenant, { email: `m${round}${sort.replace('_', '')}@elsewhere.test` })
        if (round > 0) await call(keeper, 'DELETE', `users/${passer.userId}`)
      }
      t.strictSame(seen.toSorted(), [...names, 'keeper@pages.test'].toSorted(), sort)
      if (sort.endsWith('email')) t.strictSame(sort === 'email' ? seen : seen.toReversed(), seen.toSorted(), sort)
    }
  })
  await t.test('tell rows apart that are a microsecond apart, and rows of one moment', async t => {
    const crowded = await cast.addTenant()
    const reader = await cast.addActor(crowded, { roles: ['admin'] })
    for (let index = 0; index < 15; index += 1) await cast.addPerson(crowded)
    for (const step of ['1 microsecond', '0 seconds']) {
      await inTenant(
        database.db,
        crowded,
        ({ sql }) => sql`
          update users set created_at = timestamptz '2026-01-01T00:00:00.1234Z' + n * ${step}::interval
          from (select id, row_number() over () as n from users) numbered where numbered.id = users.id`,
      )
      for (const sort of ['created_at', '-created_at']) {
        const seen: string[] = []
        let cursor = ''
        do {
          const page: Answer = await call(reader, 'GET', `users?limit=3&sort=${sort}${cursor}`)
          seen.push(...page.body.items.map((user: { id: string }) => user.id))
          cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
        } while (cursor !== '')
        t.equal(seen.length, 16, `${step} ${sort}`)
        t.equal(new Set(seen).size, 16, `${step} ${sort}`)
      }
    }
  })
  await t.test('hold what is asked for: 50 by default, 200 at most, the total when it is asked', async t => {
    const all = await call(keeper, 'GET', 'users?q=pages.test&count=true')
    t.match(all.body, { total: 24, next_cursor: null })
    t.equal(all.headers.link, undefined)
    t.notOk('total' in (await call(keeper, 'GET', 'users?limit=1')).body)
    for (const limit of ['0', '201', '-1', '1.5', 'ten', '']) {
      t.match(
        await call(keeper, 'GET', `users?limit=${limit}`),
        { status: 400, body: { code: 'invalid-input' } },
        limit,
      )
    }
  })
  await t.test('are filtered by field', async t => {
    const { userId } = await cast.addPerson(tenant, { email: 'lone@filter.test' })
    await call(keeper, 'POST', `users/${userId}/suspend`)
    const totals = {
      'users?status=suspended': 1,
      'users?email=LONE@filter.test': 1,
      'users?email=nobody@filter.test': 0,
      'roles?is_built_in=true': 3,
      'roles?is_built_in=false': 0,
      'roles?name=admin': 1,
      [`memberships?user_id=${userId}`]: 1,
      'memberships?status=invited': 0,
      'memberships?is_guest=true': 0,
      'permissions?service=places': 4,
      'audit-events?action=user.suspended': 1,
      [`audit-events?actor_id=${keeper.userId}&target_id=${userId}`]: 1,
      'audit-events?target_type=role': 0,
      'audit-events?action=user.suspended&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z': 0,
      'audit-events?action=user.suspended&from=2020-01-01T00:00:00Z': 1,
    }
    for (const [path, total] of Object.entries(totals)) {
      t.equal((await call(keeper, 'GET', `${path}&count=true`)).body.total, total, path)
    }
    for (const sign of ['%25', '_', '%5C']) {
      t.equal((await call(keeper, 'GET', `users?q=${sign}&count=true`)).body.total, 0, `${sign} means itself`)
    }
    const listed = await call(staff, 'GET', 'tenants?slug=company')
    t.strictSame(
      listed.body.items.map((each: { id: string }) => each.id),
      [company],
    )
  })
})

t.test('I-04 sort, filter and cursor are taken from whoever made them for this very list', async t => {
  for (let index = 0; index < 3; index += 1) await cast.addPerson(company)
  const page = await call(admin, 'GET', 'users?limit=1')
  const cursor = page.body.next_cursor
  t.equal((await call(admin, 'GET', `users?limit=1&cursor=${cursor}`)).status, 200)
  const scope = cursorScope(company, 'users', { sort: '-created_at' })
  const forged = encodeCursor(randomBytes(32), scope, ["now'); drop table users; --", newId()])
  const [payload, seal] = cursor.split('.')
  for (const [why, path, who] of [
    ['a secret of their own', `users?limit=1&cursor=${forged}`, admin],
    ['another tenant', `users?limit=1&cursor=${cursor}`, stranger],
    ['another list', `memberships?limit=1&cursor=${cursor}`, admin],
    ['another sort', `users?limit=1&sort=created_at&cursor=${cursor}`, admin],
    ['another filter', `users?limit=1&status=active&cursor=${cursor}`, admin],
    ['another search', `users?limit=1&q=a&cursor=${cursor}`, admin],
    ['a changed payload', `users?limit=1&cursor=${payload}A.${seal}`, admin],
    ['no seal', `users?limit=1&cursor=${payload}`, admin],
    ['a third part', `users?limit=1&cursor=${cursor}.x`, admin],
    ['quotes', `users?limit=1&cursor=${encodeURIComponent(`' or '1'='1`)}`, admin],
    ['nothing', 'users?limit=1&cursor=', admin],
  ] as const) {
    t.match(await call(who, 'GET', path), { status: 400, body: { code: 'invalid-cursor' } }, why)
  }
  for (const query of [
    `sort=${encodeURIComponent("created_at'; drop table users")}`,
    'sort=password_hash',
    'sort=tenant_id',
    'sort=--created_at',
    'sort=created_at&sort=email',
    'status=deleted',
    `status=${encodeURIComponent("active' or 1=1")}`,
    'colour=red',
    '__proto__=x',
    'constructor=x',
    'q=%00',
    'q=',
    `q=${'x'.repeat(101)}`,
    'count=perhaps',
    `email=${encodeURIComponent("'@")}`,
  ]) {
    t.match(await call(admin, 'GET', `users?${query}`), { status: 400, body: { code: 'invalid-input' } }, query)
  }
  const quoted = await call(admin, 'GET', `users?q=${encodeURIComponent(`'; drop table users; --`)}`)
  t.match(quoted, { status: 200, body: { items: [] } }, 'a search is text')
  for (const id of ['1', 'not-an-id', newId().toUpperCase(), encodeURIComponent("' or 1=1")]) {
    t.match(await call(admin, 'GET', `users/${id}`), { status: 400, body: { code: 'invalid-input' } }, id)
  }
})

t.test('people', async t => {
  await t.test('are created under the rules of passwords, and signed in by them', async t => {
    const email = 'grace.hopper@example.test'
    for (const [password, code] of [
      ['short', 'password-too-short'],
      ['x'.repeat(129), 'password-too-long'],
      ['password123', 'password-too-common'],
      ['my grace.hopper secret', 'password-own-words'],
    ]) {
      t.match(await call(admin, 'POST', 'users', { email, password }), { status: 400, body: { code } })
    }
    const huge = await call(admin, 'POST', 'users', { email, password: 'x'.repeat(1_048_576) })
    t.match(huge, { status: 413, body: { code: 'body-too-large' } })
    t.match(await call(admin, 'POST', 'users', { name: 'Nobody' }), {
      status: 400,
      body: { errors: [{ pointer: '/email' }] },
    })
    const made = await call(admin, 'POST', 'users', {
      email: 'Grace.Hopper@Example.test',
      password: 'correct horse battery',
    })
    t.match(made, { status: 201, body: { email, tenant_id: company, email_verified_at: null, status: 'active' } })
    t.equal(made.headers.location, `/admin/v1/users/${made.body.id}`)
    const [found] = await runStatement(
      database.db,
      sql =>
        sql<
          { hash: string; refusal: string | null }[]
        >`select hash, refusal from find_sign_in(${email}, null, null, null, null)`,
    )
    t.equal(found?.refusal, null)
    t.equal(await world.deps.hasher.verify(found?.hash ?? null, 'correct horse battery'), true)
  })
  await t.test('have addresses of their own, over all tenants, until they are deleted', async t => {
    const body = { email: 'own@example.test', username: 'Own', phone: '+33612345678' }
    const { id } = (await call(admin, 'POST', 'users', body)).body
    t.match(await call(stranger, 'POST', 'users', { email: 'OWN@example.test' }), {
      status: 409,
      body: { code: 'email-taken' },
    })
    t.match(await call(stranger, 'POST', 'users', { phone: body.phone }), {
      status: 409,
      body: { code: 'phone-taken' },
    })
    t.match(await call(admin, 'POST', 'users', { username: 'oWN' }), { status: 409, body: { code: 'username-taken' } })
    t.equal((await call(stranger, 'POST', 'users', { username: 'own' })).status, 201, 'a username is of its tenant')
    t.equal((await call(admin, 'DELETE', `users/${id}`)).status, 204)
    t.match(await call(admin, 'GET', `users/${id}`), { status: 404, body: { code: 'user-not-found' } })
    t.match(await call(admin, 'GET', `users/${id}/roles`), { status: 404, body: { code: 'user-not-found' } })
    t.equal((await call(admin, 'POST', 'users', body)).status, 201)
  })
  await t.test('are suspended and activated from the state they are in', async t => {
    const { userId } = await cast.addPerson(company)
    const post = (verb: string) => call(admin, 'POST', `users/${userId}/${verb}`)
    t.match(await post('activate'), { status: 409, body: { code: 'user-state-conflict' } })
    t.match(await post('suspend'), { status: 200, body: { status: 'suspended' } })
    t.match(await post('suspend'), { status: 409, body: { code: 'user-state-conflict' } })
    t.match(await post('activate'), { status: 200, body: { status: 'active' } })
  })
  await t.test('show each effective permission with where it comes from', async t => {
    const { userId } = await cast.addPerson(company)
    const [one, two] = [
      await cast.addRole(company, ['users:read', 'roles:read'], 'one'),
      await cast.addRole(company, ['users:read'], 'two'),
    ]
    for (const role of [one, two]) await call(admin, 'PUT', `users/${userId}/roles/${role}`)
    const { body } = await call(admin, 'GET', `users/${userId}/permissions`)
    t.strictSame(body.items, [
      { code: 'roles:read', sources: [{ type: 'role', id: one, name: 'one' }] },
      {
        code: 'users:read',
        sources: [
          { type: 'role', id: one, name: 'one' },
          { type: 'role', id: two, name: 'two' },
        ],
      },
    ])
    t.match(await call(admin, 'POST', `users/${userId}/roles`, { role_id: two }), {
      status: 409,
      body: { code: 'role-already-assigned' },
    })
    const own = await call(admin, 'GET', `users/${admin.userId}/permissions`)
    const catalogue = await call(admin, 'GET', 'permissions?is_platform=false&count=true')
    t.equal(own.body.items.length, catalogue.body.total, 'an administrator holds all that is not the platform’s')
  })
})

t.test('invitations', async t => {
  await t.test('answer the same whether somebody has an account with the address or nobody does', async t => {
    const known = await cast.addPerson(other)
    const local = await cast.addPerson(company)
    const shape = (answer: Answer) => ({ ...answer.body, id: '', email: '', created_at: '', updated_at: '' })
    const answers: Answer[] = []
    for (const email of [known.email, local.email, 'nobody-at-all@example.test']) {
      answers.push(await call(admin, 'POST', 'memberships', { email }))
    }
    for (const answer of answers) {
      t.equal(answer.status, 202)
      t.match(answer.body, { status: 'invited', user_id: null, name: null })
      t.strictSame(shape(answer), shape(answers[0] as Answer))
    }
    t.match(await call(admin, 'POST', 'memberships', { email: known.email.toUpperCase() }), {
      status: 409,
      body: { code: 'membership-exists' },
    })

    await t.test('and become guests when they are accepted', async t => {
      const id = answers[0]?.body.id
      const [accepted] = await runStatement(
        database.db,
        sql => sql<{ tenant: string | null }[]>`select accept_membership(${id}, ${known.userId}, '', null) as tenant`,
      )
      t.equal(accepted?.tenant, company)
      const { body } = await call(admin, 'GET', `memberships/${id}`)
      t.match(body, { status: 'active', user_id: known.userId, is_guest: true, email: known.email })
      t.match((await call(admin, 'GET', `memberships?is_guest=true&q=${known.email}`)).body.items, [{ id }])
      t.match(await call(admin, 'GET', `users/${known.userId}`), { status: 404 }, 'the person is of their home tenant')
      t.equal((await call(admin, 'DELETE', `memberships/${id}`)).status, 204)
    })
  })
  await t.test('and people at home are deleted, not put out', async t => {
    const { membershipId } = await cast.addPerson(company)
    t.match(await call(admin, 'DELETE', `memberships/${membershipId}`), {
      status: 409,
      body: { code: 'user-state-conflict' },
    })
  })
})

t.test('what is in use, built in or taken stays', async t => {
  const builtIn = (await call(admin, 'GET', 'roles?is_built_in=true')).body.items
  t.equal(builtIn.length, 3)
  for (const { id } of builtIn) {
    const refused = { status: 409, body: { code: 'built-in-role' } }
    t.match(await call(admin, 'PATCH', `roles/${id}`, { name: 'x' }, { 'if-match': '*' }), refused)
    t.match(await call(admin, 'DELETE', `roles/${id}`, undefined, { 'if-match': '*' }), refused)
    t.match(await call(admin, 'PUT', `roles/${id}/permissions/users:read`), refused)
    t.match(await call(admin, 'DELETE', `roles/${id}/permissions/users:read`), refused)
  }
  t.match(await call(admin, 'POST', 'roles', { name: 'admin' }), { status: 409, body: { code: 'role-name-taken' } })
  t.match(await call(admin, 'POST', 'roles', { name: 'x', permissions: ['users:fly'] }), {
    status: 422,
    body: { code: 'unknown-permission' },
  })
  const role = await cast.addRole(company, [])
  const { userId } = await cast.addPerson(company)
  await call(admin, 'PUT', `users/${userId}/roles/${role}`)
  t.match(await call(admin, 'DELETE', `roles/${role}`, undefined, { 'if-match': '*' }), {
    status: 409,
    body: { code: 'role-in-use' },
  })

  await call(staff, 'POST', 'permissions', { code: 'used:read', service: 'things' })
  t.match(await call(staff, 'POST', 'permissions', { code: 'used:read', service: 'things' }), {
    status: 409,
    body: { code: 'permission-code-taken' },
  })
  const holder = await call(admin, 'POST', 'roles', { name: 'holder', permissions: ['used:read'] })
  t.equal(holder.status, 201, 'an administrator holds what is new at once')
  t.match(await call(staff, 'DELETE', 'permissions/used:read'), { status: 409, body: { code: 'permission-in-use' } })
  t.match(await call(staff, 'DELETE', 'permissions/users:read'), { status: 403, body: { code: 'forbidden' } })
  t.match(await call(staff, 'POST', 'permissions', { code: 'new:read', service: 'signet' }), { status: 400 })

  t.match(await call(staff, 'POST', 'tenants', { name: 'Company' }), {
    status: 409,
    body: { code: 'tenant-slug-taken' },
  })
  t.match(await call(staff, 'POST', 'tenants', { name: '北京' }), {
    status: 400,
    body: { errors: [{ pointer: '/slug' }] },
  })
  t.match(await call(staff, 'DELETE', `tenants/${company}`), {
    status: 409,
    body: { code: 'tenant-in-use', detail: /people: \d+, memberships: \d+, sessions: \d+/ },
  })
  for (const change of [{ status: 'closed' }, { status: 'suspended' }]) {
    t.match(await call(staff, 'PATCH', `tenants/${platform}`, change), { status: 409, body: { code: 'tenant-in-use' } })
  }
  t.match(await call(staff, 'DELETE', `tenants/${platform}`), { status: 409, body: { code: 'tenant-in-use' } })
  t.match(await call(admin, 'PATCH', `tenants/${company}`, { status: 'closed' }), {
    status: 403,
    body: { code: 'forbidden' },
  })
})

t.test('what the platform does to a tenant is in the log of both', async t => {
  const { body: tenant } = await call(staff, 'POST', 'tenants', { name: 'Watched' })
  await call(staff, 'PATCH', `tenants/${tenant.id}`, { status: 'suspended' })
  const actions = (id: typeof company) =>
    inTenant(database.db, id, async ({ sql }) =>
      (await sql<{ action: string }[]>`select action from audit_events where target_id = ${tenant.id} order by id`).map(
        row => row.action,
      ),
    )
  t.strictSame(await actions(tenant.id), ['tenant.created', 'tenant.modified'])
  t.strictSame(await actions(platform), ['tenant.created', 'tenant.modified'])
})
