import { inTenant } from '@signet/db'
import { newId } from '@signet/kernel'
import t from 'tap'
import { type Answer, createWorld, type Method } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, admin, stranger, call } = world

const reads = 'permit (principal in ?principal, action == Action::"users:read", resource);'
const forOne = reads.replace('in ?', '== ?')
const forAll = 'forbid (principal, action == Action::"users:read", resource) when { resource.is_closed };'
let made = 0
const create = async (
  source = reads,
  name = `policy ${++made}`,
): Promise<{ id: string; etag: string; name: string }> => {
  const { status, body, headers } = await call(admin, 'POST', 'policies', { name, source })
  t.equal(status, 201, JSON.stringify(body))
  return { id: body.id, etag: String(headers['etag']), name }
}
const anyVersion = { 'if-match': '*' }
const refused = (answer: Answer, status: number, code: string, detail?: RegExp) =>
  t.match(answer, { status, body: { code, ...(detail === undefined ? {} : { detail }) } }, `${status} ${code}`)

t.test('a policy is created, read, changed and removed', async t => {
  const { id, etag } = await create(reads, 'readers')
  const read = await call(admin, 'GET', `policies/${id}`)
  t.match(read, {
    status: 200,
    headers: { etag },
    body: { name: 'readers', description: '', source: reads, form: null },
  })
  t.match(read.body.statements, [{ number: 1, actions: ['users:read'], applies_to: 'attached' }])

  const form = [{ effect: 'forbid', actions: ['users:list'] }]
  const changed = await call(admin, 'PATCH', `policies/${id}`, { description: 'why', form }, { 'if-match': etag })
  t.match(changed, { status: 200, body: { name: 'readers', description: 'why', form } })
  t.match(changed.body.statements, [{ effect: 'forbid', actions: ['users:list'] }])
  t.match(changed.body.source, /^forbid \(/)
  const text = await call(admin, 'PATCH', `policies/${id}`, { source: reads, description: null }, anyVersion)
  t.match(text, { status: 200, body: { form: null, description: '', source: reads } }, 'written as text again')

  t.equal((await call(admin, 'DELETE', `policies/${id}`, undefined, anyVersion)).status, 204)
  refused(await call(admin, 'GET', `policies/${id}`), 404, 'policy-not-found')
})

t.test('what cannot be', async t => {
  const { id, etag, name } = await create()
  const post = (body: object) => call(admin, 'POST', 'policies', body)
  const patch = (body: object, headers: Record<string, string> = anyVersion) =>
    call(admin, 'PATCH', `policies/${id}`, body, headers)
  const form = [{ effect: 'permit', actions: ['users:read'] }]
  for (const [answer, status, code, fault] of [
    [await post({ name, source: reads }), 409, 'policy-name-taken'],
    [await post({ name: 'x' }), 400, 'invalid-input', '/source'],
    [await post({ name: 'x', source: reads, form }), 400, 'invalid-input', '/form'],
    [await post({ name: ' x', source: reads }), 400, 'invalid-input', '/name'],
    [await post({ name: 'a\nb', source: reads }), 400, 'invalid-input', '/name'],
    [await post({ name: 'x', source: 'permit' }), 422, 'invalid-policy', '/source'],
    [
      await post({ name: 'x', form: [{ effect: 'permit', actions: ['no:such'] }] }),
      422,
      'invalid-policy',
      '/form/0/actions/0',
    ],
    [await patch({ source: reads, form }), 400, 'invalid-input', '/form'],
    [await patch({ form: null }), 400, 'invalid-input', '/form'],
    [await patch({}), 400, 'invalid-input', ''],
    [await patch({ source: `${reads}\n foo` }), 422, 'invalid-policy', '/source'],
    [await patch({ name: 'y' }, {}), 428, 'version-required'],
    [await patch({ name: 'y' }, { 'if-match': '"99"' }), 412, 'version-mismatch'],
    [await call(admin, 'DELETE', `policies/${id}`), 428, 'version-required'],
    [await call(admin, 'DELETE', `policies/${id}`, undefined, { 'if-match': '"99"' }), 412, 'version-mismatch'],
  ] as [Answer, number, string, string?][]) {
    refused(answer, status, code)
    if (fault !== undefined)
      t.ok(
        answer.body.errors.some((each: { pointer: string }) => each.pointer === fault),
        answer.text,
      )
  }
  t.match(await call(admin, 'GET', `policies/${id}`), { headers: { etag }, body: { name, source: reads } }, 'unchanged')
  const [fault] = (await patch({ source: `${reads}\n foo` })).body.errors
  t.match(fault, { line: 2 }, 'with its line')
})

t.test('a list names, filters and pages them', async t => {
  const tenant = await cast.addTenant()
  const keeper = await cast.addActor(tenant, { roles: ['admin'] })
  for (const [name, source] of [
    ['b', reads],
    ['a', forAll],
    ['c', 'permit (principal in ?principal, action, resource);'],
  ]) {
    t.equal((await call(keeper, 'POST', 'policies', { name, source, description: `of ${name}` })).status, 201)
  }
  const names = async (query: string) =>
    (await call(keeper, 'GET', `policies?${query}`)).body.items.map((policy: { name: string }) => policy.name)
  t.strictSame(await names('sort=name'), ['a', 'b', 'c'])
  t.strictSame(await names('sort=-name&limit=2'), ['c', 'b'])
  t.strictSame(await names('q=OF B'), ['b'])
  t.strictSame(await names('name=c'), ['c'])
  t.strictSame(await names('action=users:read&sort=name'), ['a', 'b', 'c'], 'every action is this one too')
  t.strictSame(await names('action=roles:read'), ['c'])
  const { body } = await call(keeper, 'GET', 'policies?sort=name&limit=1&count=true')
  t.match(body, { total: 3, items: [{ name: 'a', statements: [{ effect: 'forbid', is_conditional: true }] }] })
  t.notOk('source' in body.items[0], 'without the text')
})

t.test('a policy is attached to people, guests and roles, and taken away again', async t => {
  const { id, name } = await create()
  const person = await cast.addPerson(company)
  const guest = await cast.addPerson(other)
  await cast.addGuest(company, guest)
  const client = await cast.addPerson(company, { kind: 'client' })
  const sub = await cast.addPerson(company, { clientId: client.userId })
  const role = await cast.addRole(company, [])
  const paths = [person, guest, client, sub].map(({ userId }) => `users/${userId}/policies`)
  for (const path of [...paths, `roles/${role}/policies`]) {
    t.equal((await call(admin, 'PUT', `${path}/${id}`)).status, 204, path)
    t.equal((await call(admin, 'PUT', `${path}/${id}`)).status, 204, 'again')
    const { body } = await call(admin, 'GET', path)
    t.match(body, { items: [{ id, name, description: '' }], next_cursor: null })
  }
  const attachments = (await call(admin, 'GET', `policies/${id}/attachments?limit=3&count=true`)).body
  t.match(attachments, { total: 5, items: { length: 3, 0: { type: 'user', id: person.userId, name: person.email } } })
  const rest = await call(admin, 'GET', `policies/${id}/attachments?limit=3&cursor=${attachments.next_cursor}`)
  t.match(rest.body, {
    items: [
      { type: 'user', id: sub.userId },
      { type: 'role', id: role },
    ],
    next_cursor: null,
  })
  refused(await call(admin, 'POST', paths[0] as string, { policy_id: id }), 409, 'policy-already-attached')
  refused(await call(admin, 'DELETE', `policies/${id}`, undefined, anyVersion), 409, 'policy-in-use', /role role-/)
  for (const path of [...paths, `roles/${role}/policies`]) {
    t.equal((await call(admin, 'DELETE', `${path}/${id}`)).status, 204)
    refused(await call(admin, 'DELETE', `${path}/${id}`), 404, 'policy-not-found')
    t.strictSame((await call(admin, 'GET', path)).body.items, [])
  }
  const again = await call(admin, 'POST', paths[1] as string, { policy_id: id }, { 'idempotency-key': 'k' })
  t.match(again, { status: 201, headers: { location: `/admin/v1/${paths[1]}/${id}` }, body: { id, name } })
  t.same(
    (await call(admin, 'POST', paths[1] as string, { policy_id: id }, { 'idempotency-key': 'k' })).body,
    again.body,
  )
  refused(
    await call(admin, 'DELETE', `policies/${id}`, undefined, anyVersion),
    409,
    'policy-in-use',
    new RegExp(`user ${guest.email}`),
  )
  refused(await call(admin, 'PUT', `${paths[0]}/${id}`, undefined, { 'if-match': '"99"' }), 412, 'version-mismatch')
  t.equal((await call(admin, 'DELETE', `users/${person.userId}`)).status, 204)
  refused(await call(admin, 'PUT', `${paths[0]}/${id}`), 404, 'user-not-found')
})

t.test('what speaks of everybody, or of one person, is attached nowhere, or to no role', async t => {
  const [everyone, one, both] = [await create(forAll), await create(forOne), await create(`${forAll}\n${forOne}`)]
  const { userId } = await cast.addPerson(company)
  const role = await cast.addRole(company, [])
  const attach = (parent: string, id: string) => call(admin, 'PUT', `${parent}/policies/${id}`)
  refused(await attach(`users/${userId}`, everyone.id), 422, 'policy-not-attachable', /everybody/)
  refused(await attach(`roles/${role}`, everyone.id), 422, 'policy-not-attachable', /everybody/)
  refused(
    await attach(`roles/${role}`, one.id),
    422,
    'policy-not-attachable',
    /`principal in \?principal` .* in line 1/,
  )
  refused(await attach(`roles/${role}`, both.id), 422, 'policy-not-attachable', /line 2/)
  t.equal((await attach(`users/${userId}`, one.id)).status, 204)
  t.equal((await attach(`users/${userId}`, both.id)).status, 204)

  await t.test('nor changed into such a one while it is attached', async () => {
    const { id } = await create()
    const patch = (source: string) => call(admin, 'PATCH', `policies/${id}`, { source }, anyVersion)
    t.equal((await attach(`roles/${role}`, id)).status, 204)
    refused(await patch(forAll), 422, 'policy-not-attachable', /everybody/)
    refused(await patch(forOne), 422, 'policy-not-attachable', /line 1/)
    t.equal((await call(admin, 'DELETE', `roles/${role}/policies/${id}`)).status, 204)
    t.equal((await patch(forOne)).status, 200)
    t.equal((await attach(`users/${userId}`, id)).status, 204)
    refused(await patch(forAll), 422, 'policy-not-attachable')
    t.equal((await patch(reads)).status, 200)
  })
  await t.test('nor to a role that holds everything, but to the other built-in ones', async () => {
    const { items } = (await call(admin, 'GET', 'roles?is_built_in=true')).body as {
      items: { id: string; name: string }[]
    }
    const { id } = await create()
    for (const { id: built, name } of items) {
      const answer = await attach(`roles/${built}`, id)
      if (name === 'admin') refused(answer, 409, 'built-in-role')
      else t.equal(answer.status, 204, name)
    }
  })
})

t.test('T-04 nothing of another tenant is attached, changed or seen', async t => {
  const mine = await create()
  const theirs = (await call(stranger, 'POST', 'policies', { name: 'theirs', source: reads })).body.id
  const person = await cast.addPerson(company)
  const foreign = await cast.addPerson(other)
  const theirRole = await cast.addRole(other, [])
  for (const [method, path, code, body] of [
    ['PUT', `users/${person.userId}/policies/${theirs}`, 'policy-not-found'],
    ['POST', `users/${person.userId}/policies`, 'policy-not-found', { policy_id: theirs }],
    ['PUT', `users/${foreign.userId}/policies/${mine.id}`, 'user-not-found'],
    ['GET', `users/${foreign.userId}/policies`, 'user-not-found'],
    ['PUT', `roles/${theirRole}/policies/${mine.id}`, 'role-not-found'],
    ['GET', `roles/${theirRole}/policies`, 'role-not-found'],
    ['PATCH', `policies/${theirs}`, 'policy-not-found', { name: 'mine' }],
    ['DELETE', `policies/${theirs}`, 'policy-not-found'],
    ['GET', `policies/${theirs}`, 'policy-not-found'],
  ] as [Method, string, string, object?][]) {
    refused(await call(admin, method, path, body, anyVersion), 404, code)
    refused(await call(admin, method, path.replaceAll(theirs, newId()), body, anyVersion), 404, code)
  }
  t.equal((await call(admin, 'GET', 'policies?name=theirs&count=true')).body.total, 0)
  await t.rejects(
    inTenant(
      database.db,
      company,
      ({ sql }) =>
        sql`insert into policy_attachments (tenant_id, policy_id, user_id) values (${company}, ${theirs}, ${person.userId})`,
    ),
    /policy_attachments__policy/,
    'and the database refuses it as well',
  )
})

t.test('what was done stands in the audit, with the text before and after', async t => {
  const { id } = await create(reads, 'audited')
  const { userId } = await cast.addPerson(company)
  await call(admin, 'PATCH', `policies/${id}`, { source: forOne }, anyVersion)
  await call(admin, 'PUT', `users/${userId}/policies/${id}`)
  await call(admin, 'PUT', `users/${userId}/policies/${id}`)
  await call(admin, 'DELETE', `users/${userId}/policies/${id}`)
  await call(admin, 'DELETE', `policies/${id}`, undefined, anyVersion)
  const events = await inTenant(
    database.db,
    company,
    ({ sql }) => sql`select action, target_type as type, before, after from audit_events
      where target_id = ${id} or (target_id = ${userId} and action like 'policy.%') order by id`,
  )
  const [before, after] = [reads, forOne].map(source => ({ name: 'audited', description: '', source }))
  const attachment = { policy_id: id, policy: 'audited' }
  t.same(events, [
    { action: 'policy.created', type: 'policy', before: null, after: before },
    { action: 'policy.modified', type: 'policy', before, after },
    { action: 'policy.attached', type: 'user', before: null, after: attachment },
    { action: 'policy.detached', type: 'user', before: attachment, after: null },
    { action: 'policy.deleted', type: 'policy', before: after, after: null },
  ])
})

t.test('sixteen at once', async t => {
  const sixteen = Array.from({ length: 16 }, (_, index) => index)
  const codes = (answers: readonly Answer[]) =>
    answers.map(({ status, body }) => String(body.code ?? status)).toSorted()

  await t.test('who attach one policy to one person: one row, one event', async t => {
    const { id } = await create()
    const { userId } = await cast.addPerson(company)
    const path = `users/${userId}/policies`
    const answers = await Promise.all(
      sixteen.map(index =>
        index % 2 === 0 ? call(admin, 'PUT', `${path}/${id}`) : call(admin, 'POST', path, { policy_id: id }),
      ),
    )
    const taken = answers.filter(({ body }) => body.code === 'policy-already-attached').length
    t.ok(taken === 7 || taken === 8, `${taken} were late`)
    const [rows] = await inTenant(
      database.db,
      company,
      ({ sql }) => sql`select
        (select count(*)::int from policy_attachments where user_id = ${userId}) as attachments,
        (select count(*)::int from audit_events where target_id = ${userId} and action = 'policy.attached') as events`,
    )
    t.same(rows, { attachments: 1, events: 1 })
  })
  await t.test('who change one version: one does', async t => {
    const { id, etag } = await create()
    const change = (index: number) => ({ source: `// ${index}\n${reads}\n${forAll}` })
    const answers = await Promise.all(
      sixteen.map(index => call(admin, 'PATCH', `policies/${id}`, change(index), { 'if-match': etag })),
    )
    t.strictSame(codes(answers), ['200', ...Array.from({ length: 15 }, () => 'version-mismatch')])
    t.equal((await call(admin, 'GET', `policies/${id}`)).body.statements.length, 2)
  })
  await t.test('who create one name: one does', async t => {
    const answers = await Promise.all(
      sixteen.map(() => call(admin, 'POST', 'policies', { name: 'one name', source: reads })),
    )
    t.strictSame(codes(answers), ['201', ...Array.from({ length: 15 }, () => 'policy-name-taken')])
  })
  await t.test('who remove and attach one: never a holder of nothing', async t => {
    const { id } = await create()
    const people = await Promise.all(sixteen.map(() => cast.addPerson(company)))
    const answers = await Promise.all(
      people.map(({ userId }, index) =>
        index % 2 === 0
          ? call(admin, 'PUT', `users/${userId}/policies/${id}`)
          : call(admin, 'DELETE', `policies/${id}`, undefined, anyVersion),
      ),
    )
    t.ok(
      answers.every(({ status }) => [204, 404, 409].includes(status)),
      JSON.stringify(codes(answers)),
    )
    const isThere = (await call(admin, 'GET', `policies/${id}`)).status === 200
    const attached = answers.filter(({ status }, index) => index % 2 === 0 && status === 204).length
    t.equal(attached > 0, isThere, 'either it stayed and is attached, or it is gone and nobody has it')
  })
})
