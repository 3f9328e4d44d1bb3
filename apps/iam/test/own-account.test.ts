import { inTenant } from '@signet/db'
import { type MembershipId, newId } from '@signet/kernel'
import t from 'tap'
import { password, testApp, type Tokens } from './test-app.ts'

const a = await testApp(t)
const claimsOf = (tokens: Tokens) =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
const get = (tokens: Tokens, url: string) => a.call('GET', url, { token: tokens.access_token })
const refresh = (tokens: Tokens) => a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })
const eventsOf = (target: string) =>
  a.asOwner(async sql => [
    ...(await sql<
      { action: string; tenant_id: string; actor_id: string | null; before: object | null; after: object | null }[]
    >`
      select action, tenant_id, actor_id, before, after from audit_events where target_id = ${target} order by at, id`),
  ])

/** A second company with an open invitation for `email`. */
async function invite(slug: string, email: string) {
  const tenant = newId<typeof a.company>()
  const membership = newId<MembershipId>()
  await inTenant(a.database.db, tenant, async tx => {
    await tx.sql`insert into tenants (id, slug, name) values (${tenant}, ${slug}, ${slug})`
    await tx.sql`select create_built_in_roles(${tenant})`
    await tx.sql`insert into memberships (tenant_id, id, invited_email, status) values (${tenant}, ${membership}, ${email}, 'invited')`
    await tx.sql`insert into membership_roles (tenant_id, membership_id, role_id) select ${tenant}, ${membership}, id from roles where name = 'advisor'`
  })
  return { tenant, membership }
}

t.test('one’s own account', async t => {
  const { id } = await a.register({ email: 'ada@example.com', name: 'Ada', last_name: 'Lovelace' })
  const tokens = await a.signIn('ada@example.com')
  await t.test('is shown with tenant, roles, permissions and memberships', async t => {
    const { status, body, text } = await get(tokens, '/api/v1/me')
    t.equal(status, 200)
    t.match(body, {
      id,
      email: 'ada@example.com',
      password_change_required: false,
      tenant: { id: a.company, slug: 'acme', name: 'Acme' },
      roles: ['member'],
      permissions: [],
      memberships: [{ tenant: { slug: 'acme' }, roles: ['member'] }],
    })
    t.notMatch(text, /hash|argon2/)
  })
  await t.test('shows what the database holds now, not what the token says', async t => {
    const root = await a.signIn('root@example.com')
    const { body } = await get(root, '/api/v1/me')
    t.ok(body.permissions.includes('tenants:create'), 'platform staff act with everything')
    t.same(body.memberships.map((each: { tenant: { slug: string } }) => each.tenant.slug).toSorted(), [
      'acme',
      'platform',
    ])
  })
  await t.test('is changed by a merge patch, audited with what was and what is', async t => {
    const patch = (payload: object, type = 'application/merge-patch+json') =>
      a.app.inject({
        method: 'PATCH',
        url: '/api/v1/me',
        headers: { authorization: `Bearer ${tokens.access_token}`, 'content-type': type },
        payload: JSON.stringify(payload),
      })
    const changed = await patch({ name: null, first_name: 'Augusta', language: 'fr' })
    t.equal(changed.statusCode, 200)
    t.match(changed.json(), { name: null, first_name: 'Augusta', last_name: 'Lovelace', language: 'fr' })
    t.match((await eventsOf(id)).at(-1), {
      action: 'user.modified',
      actor_id: id,
      before: { name: 'Ada', first_name: null, language: 'en' },
      after: { name: null, first_name: 'Augusta', language: 'fr' },
    })
    const count = (await eventsOf(id)).length
    t.match((await patch({}, 'application/json')).json(), { first_name: 'Augusta' })
    t.equal((await eventsOf(id)).length, count, 'nothing changed, nothing audited')
    t.equal((await patch({ language: null })).json().code, 'invalid-input')
    t.equal((await patch({ language: 'xx' })).json().code, 'invalid-input')
  })
  await t.test('X-07 cannot raise or verify itself', async t => {
    const members = [
      'id',
      'tenant_id',
      'kind',
      'status',
      'email',
      'email_verified_at',
      'phone',
      'phone_verified_at',
      'username',
      'roles',
      'permissions',
      'version',
      'password_hash',
      'created_at',
    ]
    for (const member of members) {
      const { status, body } = await a.call('PATCH', '/api/v1/me', {
        token: tokens.access_token,
        body: { [member]: 'x' },
      })
      t.match(
        { status, body },
        { status: 400, body: { code: 'invalid-input', errors: [{ pointer: `/${member}` }] } },
        member,
      )
    }
  })
})

t.test('one’s own password', async t => {
  const { id } = await a.register({ email: 'grace@example.com', first_name: 'Grace' })
  const [here, there] = [await a.signIn('grace@example.com'), await a.signIn('grace@example.com')]
  const change = (body: object, tokens = here) =>
    a.call('PUT', '/api/v1/me/password', { token: tokens.access_token, body })
  await t.test('is not changed without the current one', async t => {
    t.match(await change({ current_password: 'wrong', new_password: 'nine blue herons' }), {
      status: 401,
      body: { code: 'invalid-credentials' },
    })
    t.equal((await eventsOf(id)).at(-1)?.action, 'password.refused')
  })
  await t.test('obeys the rules', async t => {
    const cases = {
      'password-too-short': 'abc',
      'password-too-common': 'Password123',
      'password-own-words': 'dear grace 99',
      'password-too-long': 'x y'.repeat(50),
    }
    for (const [code, bad] of Object.entries(cases)) {
      t.match(await change({ current_password: password, new_password: bad }), { status: 400, body: { code } })
    }
    t.match(await change({ current_password: password, new_password: password }), {
      status: 400,
      body: { errors: [{ pointer: '/new_password' }] },
    })
    t.equal((await refresh(there)).status, 200, 'and nothing has ended')
  })
  await t.test('when changed ends all other sessions, and is audited without any secret', async t => {
    const other = await a.signIn('grace@example.com')
    const answer = await change({ current_password: password, new_password: 'nine blue herons' })
    t.equal(answer.status, 204)
    t.match(await refresh(other), { status: 401, body: { code: 'session-ended' } })
    t.equal((await refresh(here)).status, 200)
    t.equal((await a.post('/api/v1/tokens', { email: 'grace@example.com', password })).status, 401)
    t.equal((await a.post('/api/v1/tokens', { email: 'grace@example.com', password: 'nine blue herons' })).status, 200)
    const events = await eventsOf(id)
    t.ok(events.some(event => event.action === 'password.changed' && event.actor_id === id))
    t.notMatch(JSON.stringify(events), /argon2|herons/)
  })
  await t.test('is changed once by sixteen who know the same old one', async t => {
    await a.register({ email: 'many@example.com' })
    const tokens = await a.signIn('many@example.com')
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        change({ current_password: password, new_password: `sixteen herons ${index}` }, tokens),
      ),
    )
    t.equal(answers.filter(answer => answer.status === 204).length, 1)
    for (const { status, body } of answers.filter(answer => answer.status !== 204)) {
      t.ok(body.code === 'concurrent-change' || body.code === 'invalid-credentials', `${status} ${body.code}`)
    }
  })
  await t.test('when changed lifts the duty to change it', async t => {
    await a.asOwner(sql => sql`update password_credentials set must_change = true where user_id = ${id}`)
    t.equal((await get(here, '/api/v1/me')).body.password_change_required, true)
    t.equal((await change({ current_password: 'nine blue herons', new_password: 'ten grey pelicans' })).status, 204)
    t.equal((await get(here, '/api/v1/me')).body.password_change_required, false)
  })
})

t.test('one’s own sessions', async t => {
  await a.register({ email: 'devices@example.com' })
  const sessions: Tokens[] = []
  for (let device = 0; device < 5; device += 1) sessions.push(await a.signIn('devices@example.com'))
  const [first, second, third] = sessions as [Tokens, Tokens, Tokens]
  await t.test('are listed, newest first, in pages', async t => {
    const { body } = await get(first, '/api/v1/sessions')
    t.equal(body.items.length, 5)
    t.equal(body.next_cursor, null)
    t.same(
      body.items.map((item: { id: string }) => item.id),
      sessions.map(tokens => claimsOf(tokens).sid).toReversed(),
    )
    t.match(body.items.at(-1), {
      is_current: true,
      tenant: { slug: 'acme' },
      amr: ['pwd'],
      ip: '127.0.0.1',
      user_agent: 'lightMyRequest',
    })
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: { body: { items: { id: string }[]; next_cursor: string | null } } = await get(
        first,
        `/api/v1/sessions?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      )
      seen.push(...page.body.items.map(item => item.id))
      cursor = page.body.next_cursor
    }
    t.same(
      seen,
      body.items.map((item: { id: string }) => item.id),
    )
  })
  await t.test('I-04 take no cursor but their own', async t => {
    const { body } = await get(first, '/api/v1/sessions?limit=1')
    await a.register({ email: 'other-devices@example.com' })
    const other = await a.signIn('other-devices@example.com')
    t.match(await get(other, `/api/v1/sessions?cursor=${body.next_cursor}`), {
      status: 400,
      body: { code: 'invalid-cursor' },
    })
    for (const cursor of ["'", 'x.y', `${body.next_cursor}x`, '%00']) {
      t.equal((await get(first, `/api/v1/sessions?cursor=${cursor}`)).status, 400, cursor)
    }
    for (const query of ['limit=0', 'limit=x', 'sort=id', 'limit=1&limit=2'])
      t.equal((await get(first, `/api/v1/sessions?${query}`)).status, 400, query)
  })
  await t.test('end one by one, and those of others look as if they did not exist', async t => {
    const id = claimsOf(second).sid
    t.equal((await a.call('DELETE', `/api/v1/sessions/${id}`, { token: first.access_token })).status, 204)
    t.match(await refresh(second), { status: 401, body: { code: 'session-ended' } })
    await a.register({ email: 'victim@example.com' })
    const victim = await a.signIn('victim@example.com')
    const answers = []
    for (const target of [id, claimsOf(victim).sid, newId()]) {
      answers.push(await a.call('DELETE', `/api/v1/sessions/${target}`, { token: first.access_token }))
    }
    for (const answer of answers) t.match(answer, { status: 404, body: { code: 'session-not-found' } })
    t.equal(new Set(answers.map(answer => answer.text.replace(/urn:uuid:[\w-]+/, ''))).size, 1, 'T-01 byte-equal')
    t.equal((await refresh(victim)).status, 200)
    t.match((await eventsOf(id))[1], { action: 'session.ended', after: { reason: 'ended-by-owner' } })
  })
  await t.test('all but this one end at once', async t => {
    t.equal((await a.call('DELETE', '/api/v1/sessions', { token: first.access_token })).status, 204)
    t.equal((await refresh(third)).status, 401)
    t.equal((await get(first, '/api/v1/sessions')).body.items.length, 1)
    t.match((await eventsOf(claimsOf(first).sub)).at(-1), { action: 'sessions.ended', after: { sessions_ended: 3 } })
  })
  await t.test('count no longer once ended: nothing can be done with the access token here', async t => {
    t.equal(
      (await a.call('DELETE', `/api/v1/sessions/${claimsOf(first).sid}`, { token: first.access_token })).status,
      204,
    )
    const calls = [
      ['GET', '/api/v1/me', undefined],
      ['PATCH', '/api/v1/me', { name: 'x' }],
      ['PUT', '/api/v1/me/password', { current_password: password, new_password: 'a new one entirely' }],
      ['GET', '/api/v1/sessions', undefined],
      ['DELETE', '/api/v1/sessions', undefined],
      ['POST', '/api/v1/tokens/tenant', { tenant_id: a.company }],
      ['POST', `/api/v1/me/memberships/${newId()}/accept`, undefined],
    ] as const
    for (const [method, url, body] of calls) {
      const answer = await a.call(method, url, { token: first.access_token, ...(body === undefined ? {} : { body }) })
      t.match(answer, { status: 401, body: { code: 'session-ended' } }, `${method} ${url}`)
    }
  })
})

t.test('another tenant', async t => {
  const { id } = await a.register({ email: 'traveller@example.com' })
  const home = await a.signIn('traveller@example.com')
  const { tenant, membership } = await invite('globex', 'traveller@example.com')
  const enter = (tokens: Tokens, tenantId: string) =>
    a.post('/api/v1/tokens/tenant', { tenant_id: tenantId }, tokens.access_token)
  const accept = (tokens: Tokens, invitation: string) =>
    a.call('POST', `/api/v1/me/memberships/${invitation}/accept`, { token: tokens.access_token })
  await t.test('is not there for who is not invited', async t => {
    const answers = [await enter(home, tenant), await enter(home, newId()), await enter(home, a.platform)]
    for (const answer of answers) t.match(answer, { status: 404, body: { code: 'tenant-not-found' } })
    t.equal(new Set(answers.map(answer => answer.text.replace(/urn:uuid:[\w-]+/, ''))).size, 1)
  })
  await t.test('takes up the invited person and nobody else', async t => {
    await a.register({ email: 'thief@example.com' })
    const thief = await a.signInByCode({ email: 'thief@example.com' })
    const answers = [await accept(thief, membership), await accept(thief, newId())]
    for (const answer of answers) t.match(answer, { status: 404, body: { code: 'membership-not-found' } })
    t.match(await accept(home, membership), { status: 403, body: { code: 'email-not-verified' } })
    await a.signInByCode({ email: 'traveller@example.com' })
    t.match(await accept(home, membership), { status: 200, body: { id: membership, tenant_id: tenant } })
    t.match((await eventsOf(membership)).at(-1), { action: 'membership.accepted', tenant_id: tenant, actor_id: id })
    t.match(await accept(home, membership), { status: 404 }, 'once')
    t.match((await get(home, '/api/v1/me')).body.memberships, [
      { tenant: { slug: 'acme' } },
      { tenant: { slug: 'globex' }, roles: ['advisor'] },
    ])
  })
  await t.test('gives a session of its own, with the time, the methods and the end of the sign-in', async t => {
    await a.asOwner(
      sql =>
        sql`update sessions set authenticated_at = authenticated_at - interval '20 days', expires_at = now() + interval '2 days' where id = ${claimsOf(home).sid}`,
    )
    const { status, body, headers } = await enter(home, tenant)
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    const claims = claimsOf(body)
    t.match(claims, { sub: id, tid: tenant, roles: ['advisor'], amr: ['pwd'] })
    t.not(claims.sid, claimsOf(home).sid)
    t.ok(Math.abs(claims.auth_time - (claimsOf(home).auth_time - 20 * 86_400)) <= 1, 'nobody has signed in again')
    t.ok(body.refresh_expires_in <= 2 * 86_400)
    const [row] = await a.asOwner(
      sql =>
        sql`select count(distinct expires_at)::int as ends from sessions where id in ${sql([claims.sid, claimsOf(home).sid])}`,
    )
    t.equal(row?.ends, 1)
    t.match((await eventsOf(claims.sid))[0], {
      action: 'session.opened',
      tenant_id: tenant,
      after: { from_session: claimsOf(home).sid },
    })
    t.equal((await refresh(home)).status, 200, 'the old session lives on')
    t.match((await get(body, '/api/v1/me')).body, {
      tenant_id: a.company,
      tenant: { slug: 'globex' },
      roles: ['advisor'],
    })
  })
  await t.test('is entered by platform staff without a membership, audited there', async t => {
    const root = await a.signIn('root@example.com', { tenant: 'platform' })
    const { status, body } = await enter(root, tenant)
    t.equal(status, 200)
    t.match(claimsOf(body), { tid: tenant, roles: ['super_admin'] })
    t.match((await eventsOf(claimsOf(body).sid))[0], {
      action: 'tenant.entered',
      tenant_id: tenant,
      actor_id: a.administrator.id,
    })
    t.match((await get(body, '/api/v1/me')).body, { tenant: { slug: 'globex' }, roles: ['super_admin'] })
    t.equal((await refresh(body)).status, 200)
  })
  await t.test('is not entered when suspended, nor out of a session that has ended', async t => {
    await a.asOwner(sql => sql`update tenants set status = 'suspended' where id = ${tenant}`)
    t.match(await enter(home, tenant), { status: 404 })
    await a.asOwner(sql => sql`update tenants set status = 'active' where id = ${tenant}`)
    await a.post('/api/v1/tokens/revoke', { refresh_token: home.refresh_token })
    t.match(await enter(home, tenant), { status: 401, body: { code: 'session-ended' } })
  })
  await t.test('ends with the password that opened it, also when it is being entered at that moment', async t => {
    for (let round = 0; round < 5; round += 1) {
      const email = `racer-${round}@example.com`
      const racer = await a.register({ email })
      const invitation = await invite(`race-${round}`, email)
      const [one, two] = [await a.signInByCode({ email }), await a.signIn(email)]
      await accept(one, invitation.membership)
      const [, entered] = await Promise.all([
        a.call('PUT', '/api/v1/me/password', {
          token: one.access_token,
          body: { current_password: password, new_password: 'after the race' },
        }),
        ...Array.from({ length: 4 }, (_, index) =>
          new Promise(resolve => setTimeout(resolve, 15 * index)).then(() => enter(two, invitation.tenant)),
        ),
      ])
      t.ok(entered)
      const [row] = await a.asOwner(
        sql => sql`select count(*)::int as live from sessions where user_id = ${racer.id} and ended_at is null`,
      )
      t.equal(row?.live, 1, 'only the session that changed the password lives')
    }
  })
})
