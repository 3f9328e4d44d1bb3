import { inTenant } from '@signet/db'
import { newId, type UserId } from '@signet/kernel'
import t from 'tap'
import { addPolicy, dropPolicy } from './policy-rows.ts'
import { createWorld, internalKey } from './world.ts'

const world = await createWorld(t)
const { admin, staff, member, stranger, cast, company, other, platform } = world
const anna = await cast.addActor(company, { permissions: ['brands:read', 'brands:modify'] })
const asker = await cast.addActor(company, { permissions: ['decisions:read'] })

const brand = { type: 'Brand', id: '7' }
const aboutUser = (id: string, name = 'brands:read', rest: object = {}) => ({
  subject: { type: 'user', id },
  action: { name },
  resource: brand,
  ...rest,
})
const ask = (who: typeof admin | null, body: unknown, headers = {}) =>
  world.call(who, 'POST', '/access/v1/evaluation', body, headers)
const askAll = (who: typeof admin | null, body: unknown, headers = {}) =>
  world.call(who, 'POST', '/access/v1/evaluations', body, headers)
const explained = { context: { explain: true } }

t.test('whoever is signed in asks about themself', async t => {
  t.strictSame((await ask(anna, aboutUser(anna.userId))).body, { decision: true }, 'and gets reasons when they ask')
  const { status, headers, body } = await ask(anna, aboutUser(anna.userId, 'brands:read', explained))
  t.match({ status, headers }, { status: 200, headers: { 'cache-control': 'no-store' } })
  t.match(body, { decision: true, context: { reasons: [{ type: 'role', permission: 'brands:read' }] } })
  t.match((await ask(anna, aboutUser(anna.userId, 'brands:delete', explained))).body, {
    decision: false,
    context: {
      reasons: [{ type: 'missing', message: /This needs the permission brands:delete, which none of the roles/ }],
    },
  })
  t.match((await ask(anna, aboutUser(anna.userId, 'dragons:read', explained))).body, {
    decision: false,
    context: { reasons: [{ type: 'missing', message: /not in the catalogue/ }] },
  })
})

t.test('about others of the tenant with decisions:read, and about nobody else', async t => {
  t.match(await ask(anna, aboutUser(member.userId)), {
    status: 403,
    body: { code: 'forbidden', detail: /decisions:read/ },
  })
  t.match(await ask(anna, aboutUser(newId())), { status: 403, body: { code: 'forbidden' } })
  t.match((await ask(asker, aboutUser(anna.userId))).body, { decision: true })
  t.match((await ask(asker, aboutUser(member.userId))).body, { decision: false })
  const answers = await Promise.all(
    [stranger.userId, newId(), 'nobody', "' or 1=1 --"].map(id => ask(asker, aboutUser(id, 'brands:read', explained))),
  )
  for (const { status, body } of answers) {
    t.match({ status, body }, { status: 200, body: { decision: false, context: { reasons: [{ type: 'subject' }] } } })
    t.strictSame(body, answers[0]?.body, 'somebody of another tenant answers as nobody')
  }
})

t.test('X-04 T-02 a tenant in the body is no way into another one', async t => {
  const elsewhere = { subject: { type: 'user', id: stranger.userId, properties: { tenant_id: other } } }
  t.match((await ask(asker, aboutUser('', 'roles:read', elsewhere))).body, { decision: false })
  const pretended = { subject: { type: 'user', id: anna.userId, properties: { tenant_id: other } } }
  t.match((await ask(asker, aboutUser('', 'brands:read', pretended))).body, { decision: false })
  for (const name of ['roles', 'permissions', 'kind', 'isExempt', 'ceiling']) {
    const subject = { type: 'user', id: anna.userId, properties: { [name]: ['super_admin'] } }
    t.match(await ask(anna, aboutUser('', 'brands:read', { subject })), {
      status: 400,
      body: { code: 'invalid-input' },
    })
  }
})

t.test('X-03 the same question by either path gets the same answer', async t => {
  for (const name of ['brands:read', 'brands:delete']) {
    for (const id of [anna.userId, member.userId, stranger.userId]) {
      const question = aboutUser(id, name, explained)
      const one = await ask(asker, question)
      t.strictSame((await askAll(asker, question)).body, one.body, 'without evaluations')
      t.strictSame((await askAll(asker, { evaluations: [question] })).body, { evaluations: [one.body] })
    }
  }
  const others = { evaluations: [aboutUser(anna.userId), aboutUser(member.userId)] }
  t.match(
    await askAll(anna, others),
    { status: 403, body: { detail: /decisions:read/ } },
    'one of many is enough to be refused',
  )
})

t.test('a service key asks about anybody of the tenant that it names', async t => {
  const key = { 'x-api-key': internalKey }
  const about = (id: string, tenantId: string, name = 'brands:read') => ({
    ...aboutUser(id, name),
    subject: { type: 'user', id, properties: { tenant_id: tenantId } },
  })
  t.strictSame((await ask(null, about(anna.userId, company), key)).body, { decision: true })
  t.strictSame((await ask(null, about(stranger.userId, other, 'roles:read'), key)).body, { decision: true })
  t.strictSame((await ask(null, about(anna.userId, other), key)).body, { decision: false })
  t.strictSame(
    (await ask(null, about(anna.userId, newId()), key)).body,
    { decision: false },
    'of a tenant that is none',
  )
  t.match(await ask(null, aboutUser(anna.userId), key), {
    status: 400,
    body: { code: 'invalid-input', errors: [{ pointer: '/subject/properties/tenant_id' }] },
  })
  t.match(await askAll(null, { evaluations: [about(anna.userId, company), about(stranger.userId, other)] }, key), {
    status: 400,
    body: { errors: [{ pointer: '/evaluations/1/subject/properties/tenant_id', message: /the same/ }] },
  })
  t.match(await ask(null, about(anna.userId, company), { 'x-api-key': 'wrong' }), { status: 401 })
})

t.test('evaluations take what they leave out from the top level, and stop where one decides for all', async t => {
  const { subject, resource } = aboutUser(anna.userId)
  const names = ['brands:read', 'brands:delete', 'brands:modify']
  const evaluations = names.map(name => ({ action: { name } }))
  const decisionsOf = async (semantic?: string) => {
    const options = semantic === undefined ? {} : { options: { evaluations_semantic: semantic } }
    const { body } = await askAll(anna, { subject, resource, evaluations, ...options })
    return body.evaluations.map(({ decision }: { decision: boolean }) => decision)
  }
  t.strictSame(await decisionsOf(), [true, false, true])
  t.strictSame(await decisionsOf('execute_all'), [true, false, true])
  t.strictSame(await decisionsOf('deny_on_first_deny'), [true, false])
  t.strictSame(await decisionsOf('permit_on_first_permit'), [true])
  t.match(await askAll(anna, { subject, evaluations: [{ action: { name: 'a:b' }, resource }, {}] }), {
    status: 400,
    body: { errors: [{ pointer: '/evaluations/1/action' }, { pointer: '/evaluations/1/resource' }] },
  })
  t.match(await askAll(anna, { subject, resource }), { status: 400, body: { errors: [{ pointer: '/action' }] } })
  const many = {
    subject,
    resource,
    action: { name: 'brands:read' },
    evaluations: Array.from({ length: 100 }, () => ({})),
  }
  t.equal((await askAll(anna, many)).body.evaluations.length, 100)
  t.match(await askAll(anna, { ...many, evaluations: [...many.evaluations, {}] }), { status: 400 })
})

t.test('policies decide by what is sent, and the reason names statement and line', async t => {
  const source =
    '// the owner\npermit(principal, action == Action::"brands:delete", resource is Brand)\nwhen { resource.owner_id == principal.id && context.hour < 18 };'
  const id = await addPolicy(world, company, {
    name: 'owners',
    source,
    statements: [{ line: 2, actions: ['brands:delete'], isConditional: true, isPersonal: true }],
  })
  const resource = { ...brand, properties: { owner_id: anna.userId } }
  const question = (hour: number) =>
    aboutUser(anna.userId, 'brands:delete', { resource, context: { hour, explain: true } })
  t.match((await ask(anna, question(9))).body, {
    decision: true,
    context: { reasons: [{ type: 'permit', policy: { id, name: 'owners' }, statement: 1, line: 2 }] },
  })
  t.match((await ask(anna, question(18))).body, { decision: false, context: { reasons: [{ type: 'missing' }] } })
  const seen = aboutUser(anna.userId, 'brands:delete', { resource, context: { explain: true } })
  t.match((await ask(anna, seen)).body, {
    context: { reasons: [{ type: 'missing' }, { type: 'permit-error', error: /hour/ }] },
  })
  await dropPolicy(world, company, id)
  t.match((await ask(anna, question(9))).body, { decision: false }, 'what is gone decides nothing any more')
})

t.test('a policy that was written over the API decides, and is named by its own statement and line', async t => {
  const source = [
    '// a ; in a comment, and "a text',
    'permit(principal in ?principal, action == Action::"brands:list", resource) when { resource.name == "a;b // c" };',
    '',
    '@note("; too")',
    'forbid(principal == ?principal, action, resource) when { resource has name && resource.name like "*\\"*" };',
  ].join('\n')
  const made = await world.call(admin, 'POST', 'policies', { name: 'written', source })
  t.equal(made.status, 201, made.text)
  const { status } = await world.call(admin, 'PUT', `users/${anna.userId}/policies/${made.body.id}`)
  t.equal(status, 204)
  const question = (name: string) =>
    aboutUser(anna.userId, 'brands:list', { ...explained, resource: { ...brand, properties: { name } } })
  const [first, second] = made.body.statements
  t.match((await ask(anna, question('a;b // c'))).body, {
    decision: true,
    context: { reasons: [{ type: 'permit', policy: { name: 'written' }, statement: 1, line: first.line }] },
  })
  t.match((await ask(anna, question('"'))).body, {
    decision: false,
    context: { reasons: [{ type: 'forbid', statement: 2, line: second.line }] },
  })
  await world.call(admin, 'DELETE', `users/${anna.userId}/policies/${made.body.id}`)
  t.match((await ask(anna, question('a;b // c'))).body, { decision: false })
})

t.test('a role that is taken away and a permission that is new count at once', async t => {
  const bob = await cast.addActor(company, { permissions: ['brands:read'] })
  t.match((await ask(asker, aboutUser(bob.userId))).body, { decision: true })
  await inTenant(
    world.database.db,
    company,
    ({ sql }) => sql`
    delete from membership_roles where tenant_id = ${company} and membership_id = ${bob.membershipId}`,
  )
  t.match((await ask(asker, aboutUser(bob.userId))).body, { decision: false })
  t.match((await ask(asker, aboutUser(admin.userId, 'kites:fly'))).body, { decision: false })
  await world.call(staff, 'POST', 'permissions', { code: 'kites:read', service: 'kites' })
  t.match((await ask(asker, aboutUser(admin.userId, 'kites:read'))).body, { decision: true }, 'for those who hold all')
})

t.test('guests, staff, suspended people and sub-clients', async t => {
  await cast.addGuest(company, stranger, ['admin'])
  t.match(
    (await ask(asker, aboutUser(stranger.userId, 'roles:read'))).body,
    { decision: true },
    'a guest has roles here',
  )
  t.match((await ask(asker, aboutUser(staff.userId, 'tenants:create', explained))).body, {
    decision: true,
    context: { reasons: [{ type: 'role', role: { name: 'super_admin' } }] },
  })
  t.match((await ask(asker, aboutUser(admin.userId, 'tenants:create'))).body, { decision: false })
  const carl = await cast.addPerson(company, { permissions: ['brands:read'] })
  await world.call(admin, 'POST', `users/${carl.userId}/suspend`)
  t.match((await ask(asker, aboutUser(carl.userId))).body, { decision: false })
  const client = await cast.addPerson(company, { kind: 'client', permissions: ['brands:read'] })
  const clientId: UserId = client.userId
  const sub = await cast.addPerson(company, { clientId, permissions: ['brands:read', 'brands:modify'] })
  t.match((await ask(asker, aboutUser(sub.userId))).body, { decision: true })
  t.match((await ask(asker, aboutUser(sub.userId, 'brands:modify', explained))).body, {
    decision: false,
    context: { reasons: [{ type: 'ceiling', client: clientId }, { type: 'missing' }] },
  })
})

t.test('staff are bound by no client of theirs, and a sub-client is of the staff only while its client is', async t => {
  const asked = (id: UserId) =>
    ask(staff, aboutUser(id, 'brands:delete', { ...explained, resource: { type: 'Brand', id: '7' } }))
  const policy = await addPolicy(world, platform, {
    name: 'kept here',
    source: 'forbid(principal, action == Action::"brands:delete", resource);',
    statements: [{ effect: 'forbid', actions: ['brands:delete'] }],
  })
  const client = await cast.addPerson(platform, { kind: 'client' })
  const sub = await cast.addPerson(platform, { clientId: client.userId, roles: ['super_admin'] })
  t.match((await asked(sub.userId)).body, { decision: false, context: { reasons: [{ type: 'forbid' }] } })
  await world.call(staff, 'POST', `memberships/${client.membershipId}/roles`, {
    role_id: (await world.call(staff, 'GET', 'roles?name=super_admin')).body.items[0].id,
  })
  t.strictSame((await asked(sub.userId)).body.context.reasons.length, 1)
  t.match((await asked(sub.userId)).body, { decision: true, context: { reasons: [{ type: 'role' }] } })
  await world.call(staff, 'DELETE', `policies/${policy}`, undefined, { 'if-match': '*' })
})

t.test('hostile types, ids and properties are data or refused', async t => {
  await addPolicy(world, company, {
    name: 'kept',
    source: 'forbid(principal, action == Action::"brands:modify", resource) when { resource.is_kept };',
    statements: [{ effect: 'forbid', actions: ['brands:modify'], isConditional: true }],
  })
  const asked = (resource: object, rest: object = {}) =>
    ask(anna, aboutUser(anna.userId, 'brands:modify', { resource, ...rest }))
  const open = { is_kept: false }
  for (const type of ['Brand::"7"', 'x; permit(principal, action, resource);', 'if', '__cedar', 'a b']) {
    t.match(await asked({ type, id: '7', properties: open }), {
      status: 400,
      body: { errors: [{ pointer: '/resource/type' }] },
    })
  }
  for (const id of ['"', '\\', '\n', '"; permit(principal, action, resource);', '💥', '']) {
    t.match(await asked({ type: 'Brand', id, properties: open }), { status: 200, body: { decision: true } }, id)
  }
  t.match((await asked(brand)).body, { decision: false }, 'what the forbid reads is missing: it holds')
  const nested = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
  const deep = JSON.stringify(aboutUser(anna.userId, 'brands:modify')).replace(
    '"id":"7"',
    `"id":"7","properties":{"a":${nested}}`,
  )
  t.match(await ask(anna, deep), {
    status: 400,
    body: { code: 'invalid-input', errors: [{ message: /deeper than 32/ }] },
  })
  const wide = { is_kept: false, text: 'x'.repeat(60_000) }
  t.match(await asked({ ...brand, properties: wide }), { status: 200, body: { decision: true } }, '60 kB')
  t.match(await asked({ ...brand, properties: { text: 'x'.repeat(65_536) } }), { status: 413 }, 'more than 64 kB')
  t.match(await asked({ ...brand, properties: { ...open, owner: { __entity: { type: 'User', id: 'x' } } } }), {
    status: 400,
    body: { errors: [{ pointer: '/resource/properties/owner/__entity' }] },
  })
  t.match((await asked({ ...brand, properties: open })).body, { decision: true }, 'and everything still works')
})

t.test('the metadata says where to ask', async t => {
  t.match(await world.call(null, 'GET', '/.well-known/authzen-configuration'), {
    status: 200,
    body: {
      policy_decision_point: 'http://localhost:4001',
      access_evaluation_endpoint: 'http://localhost:4001/access/v1/evaluation',
      access_evaluations_endpoint: 'http://localhost:4001/access/v1/evaluations',
    },
  })
})

t.test('sixteen ask while roles change: nobody hears of what no longer is', async t => {
  const role = await cast.addRole(platform, [], 'changing')
  const eve = await cast.addActor(platform, { roles: ['changing'] })
  for (let round = 0; round < 8; round++) {
    const holds = round % 2 === 0
    await inTenant(world.database.db, platform, ({ sql }) =>
      holds
        ? sql`insert into role_permissions values (${platform}, ${role}, 'brands:read')`
        : sql`delete from role_permissions where tenant_id = ${platform} and role_id = ${role}`,
    )
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(eve, aboutUser(eve.userId))))
    t.strictSame(new Set(answers.map(({ body }) => body.decision)), new Set([holds]), `round ${round}`)
  }
})
