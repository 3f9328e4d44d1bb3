import { inTenant, runStatement, withAdminClient } from '@signet/db'
import t from 'tap'
import { type Answer, createWorld } from './world.ts'

const { database, cast, company, other, platform, admin, staff, stranger, deps, call } = await createWorld(t)

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
    t.equal(await deps.hasher.verify(found?.hash ?? null, 'correct horse battery'), true)
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
    t.match(await post('activate'), { status: 200, body: { status: 'active' } }, 'who is active stays so')
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
      {
        code: 'roles:read',
        state: 'permitted',
        sources: [{ type: 'role', id: one, name: 'one' }],
        withheld_by: [],
      },
      {
        code: 'users:read',
        state: 'permitted',
        sources: [
          { type: 'role', id: one, name: 'one' },
          { type: 'role', id: two, name: 'two' },
        ],
        withheld_by: [],
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
      const accept = async () => {
        const [row] = await runStatement(
          database.db,
          sql => sql<{ tenant: string | null }[]>`select accept_membership(${id}, ${known.userId}, '', null) as tenant`,
        )
        return row?.tenant
      }
      t.equal(await accept(), null, 'nobody has shown that the address is theirs')
      await withAdminClient(
        database.superUrl,
        sql => sql`update users set email_verified_at = now() where id = ${known.userId}`,
      )
      t.equal(await accept(), company)
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
