/** What is owed to callers of scalable-auth beyond its document: bad input, the ceiling, the doors, the log. The replay walks the rest. */
import { newId, type RoleId } from '@signet/kernel'
import t from 'tap'
import { createTokenCallers } from './client-token-callers.ts'
import { type Answer, password, testApp } from './test-app.ts'

const log: string[] = []
const a = await testApp(t, { log: { write: line => void log.push(line) }, deps: { sendsEvents: true } })
const { giveRole, takeRole } = createTokenCallers(a)
const staff = (await a.signIn(a.administrator.email)).access_token

const create = (kind: string, body: object, token?: string) => a.post(`/auth/${kind}/create`, body, token)
const login = (kind: string, body: object) => a.post(`/auth/${kind}/login`, body)
const number = (index: number) => `+9198000000${String(index).padStart(2, '0')}`
const made = { detail: /created/, id: /^[0-9a-f-]{36}$/ }

const adminId = (await create('admin', { username: 'asha', password }, staff)).body.id
const admin: string = (await login('admin', { username: 'asha', password })).body.token
const client: string = (await create('client', { username: 'volta', password }, admin)).body.id

/** Somebody of the company who holds these permissions by a role of their own. */
async function holderOf(name: string, ...permissions: string[]) {
  const { id } = await a.register({ email: `${name}@example.com` })
  const role = newId<RoleId>()
  await a.asOwner(async sql => {
    await sql`insert into roles (tenant_id, id, name) values (${a.company}, ${role}, ${name})`
    for (const code of permissions)
      await sql`insert into role_permissions (tenant_id, role_id, permission_code) values (${a.company}, ${role}, ${code})`
  })
  await giveRole(id, name)
  return { id, token: (await a.signIn(`${name}@example.com`)).access_token }
}

t.test('faulty input is 422, and says where', async t => {
  const at = (answer: Answer, ...loc: string[]) =>
    t.match(answer, { status: 422, body: { detail: [{ loc, msg: /./, type: /./ }] } }, loc.join('.'))
  for (const kind of ['admin', 'client', 'subclient']) {
    at(await create(kind, {}, admin), 'body', 'username')
    at(await create(kind, { username: 'two words' }, admin), 'body', 'username')
    at(await create(kind, { number: '123' }, admin), 'body', 'number')
    at(await create(kind, { mobile: 'call me' }, admin), 'body', 'mobile')
    at(await create(kind, { username: 7 }, admin), 'body', 'username')
    at(await create(kind, { username: 'a', name: 'line\nbreak' }, admin), 'body', 'name')
    at(await login(kind, {}), 'body', 'username')
    at(await login(kind, { username: 'volta' }), 'body', 'username')
    at(await login(kind, { password }), 'body', 'username')
    at(await login(kind, { number: '9800000001' }), 'body', 'otp')
    at(await login(kind, { number: '4155552671', otp: '1' }), 'body', 'number')
    at(await login(kind, { username: 'a\0b', password }), 'body', 'username')
  }
  at(await create('subclient', { username: 'a', client_id: '7' }, admin), 'body', 'client_id')
  at(await a.post('/auth/otp/sendotp/0612345678', {}), 'path', 'number')
  at(await a.post('/auth/user/login/123/000000', {}), 'path', 'number')
  const broken = await a.app.inject({
    method: 'POST',
    url: '/auth/client/login',
    headers: { 'content-type': 'application/json' },
    payload: '{',
  })
  t.equal(broken.statusCode, 422)
  t.match(broken.json(), { detail: [{ loc: ['body'] }] })
  const short = await create('client', { username: 'short', password: 'x' }, admin)
  t.match(short, { status: 400, body: { detail: /at least 8/ } })
})

t.test('nobody creates without a token, or for somebody else', async t => {
  for (const kind of ['admin', 'client', 'subclient']) {
    t.match(await create(kind, { username: 'x' }), { status: 401, body: { detail: /./ } }, kind)
    t.match(await create(kind, { username: 'x' }, `${admin.slice(0, -8)}AAAAAAAA`), { status: 401 }, kind)
  }
})

t.test('the ceiling', async t => {
  await t.test('a permission is asked for by name', async t => {
    const { token: reader } = await holderOf('reader', 'clients:read')
    t.match(await create('client', { username: 'x' }, reader), { status: 403, body: { detail: /clients:create/ } })
    const body = { username: 'x', client_id: client }
    t.match(await create('subclient', body, reader), { status: 403, body: { detail: /sub-clients:create/ } })
  })
  await t.test('whoever holds it makes clients, and no administrators', async t => {
    const { token: maker } = await holderOf('maker', 'clients:create', 'users:create', 'memberships:modify')
    t.match(await create('client', { username: 'by-maker' }, maker), { status: 200, body: made })
    t.match(await create('admin', { username: 'x' }, maker), { status: 403, body: { detail: /super_admin/ } })
  })
  await t.test('nobody makes a client that holds what they do not', async t => {
    const { id, token } = await holderOf('lesser', 'clients:create', 'sub-clients:create')
    await a.asOwner(
      sql => sql`insert into role_permissions (tenant_id, role_id, permission_code)
        select tenant_id, id, 'places:read' from roles where tenant_id = ${a.company} and name = 'member'`,
    )
    t.equal((await create('client', { username: 'equal' }, token)).status, 200, 'they hold it as a member as well')
    await takeRole(id, 'member')
    const lacking = { status: 403, body: { detail: /places:read/ } }
    t.match(await create('client', { username: 'more' }, token), lacking)
    t.match(await create('subclient', { username: 'more', client_id: client }, token), lacking)
  })
  await t.test('a client makes sub-clients of its own, and of nobody else', async t => {
    const token = (await login('client', { username: 'volta', password })).body.token
    const other = (await create('client', { username: 'ampere', password }, admin)).body.id
    t.match(await create('subclient', { username: 'north' }, token), { status: 200, body: made })
    t.match(await create('subclient', { username: 'x', client_id: other }, token), { status: 404 })
    for (const kind of ['admin', 'client']) t.equal((await create(kind, { username: 'x' }, token)).status, 403, kind)
  })
  await t.test('what was taken away a moment ago counts no more, whatever the token says', async t => {
    await takeRole(adminId, 'admin')
    t.equal((await create('client', { username: 'x' }, admin)).status, 403)
    await giveRole(adminId, 'admin')
  })
})

t.test('a creation is audited and announced, with whoever made it', async t => {
  const { id } = (await create('client', { username: 'told', number: number(1) }, admin)).body
  const [event] = await a.asOwner(
    sql => sql`select action, actor_id, after from audit_events where target_id = ${id} and action = 'user.created'`,
  )
  t.match(event, { actor_id: adminId, after: { kind: 'client', username: 'told', phone: number(1) } })
  const announced = await a.messagesTo('analytics')
  t.ok(announced.some(({ data }) => data.payload.user_id === id && data.payload.kind === 'client'))
})

t.test('sixteen who take one name at once: one has it', async t => {
  const answers = await Promise.all(Array.from({ length: 16 }, () => create('client', { username: 'sought' }, admin)))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.equal(answers.filter(({ status }) => status === 409).length, 15)
})

t.test('a door', async t => {
  await create('client', { username: 'ohm', password, number: number(2) }, admin)
  await t.test('answers whoever is of another kind as whoever is wrong', async t => {
    const wrong = await login('client', { username: 'ohm', password: 'a loud red harbour' })
    t.strictSame(wrong.body, { detail: 'Incorrect username or password' })
    for (const kind of ['admin', 'subclient']) {
      const other = await login(kind, { username: 'ohm', password })
      t.strictSame([other.status, other.body], [wrong.status, wrong.body], kind)
    }
  })
  await t.test('opens no session for them, and the log says why', async t => {
    const { id } = (await create('client', { username: 'watt', password, number: number(3) }, admin)).body
    await login('admin', { username: 'watt', password })
    await a.post(`/auth/otp/sendotp/${number(3)}`, {})
    const code = await a.codeFor(number(3))
    const refused = await login('subclient', { number: number(3), otp: code })
    t.match(refused, { status: 401, body: { detail: "OTP didn't match" } })
    const reasons = await a.asOwner(
      sql => sql`select action, after ->> 'reason' as reason from audit_events where target_id = ${id}
        and action in ('sign-in.failed', 'code.refused', 'session.opened') order by id`,
    )
    t.match(reasons, [
      { action: 'sign-in.failed', reason: 'other-door' },
      { action: 'code.refused', reason: 'other-door' },
    ])
    t.equal(reasons.length, 2)
  })
  await t.test('makes nobody of a number that is new', async t => {
    await a.post(`/auth/otp/sendotp/${number(4)}`, {})
    const code = await a.codeFor(number(4))
    t.equal((await login('client', { number: number(4), code })).status, 401)
    const [{ count } = { count: -1 }] = await a.asOwner(
      sql => sql<{ count: number }[]>`select count(*)::int as count from users where phone = ${number(4)}`,
    )
    t.equal(count, 0)
  })
  await t.test('lets platform staff in where administrators enter', async t => {
    t.equal((await login('admin', { username: a.administrator.email, password })).status, 200)
    t.equal((await login('client', { username: a.administrator.email, password })).status, 401)
  })
})

t.test('no number and no code of an address gets into the log', async t => {
  await a.post(`/auth/otp/sendotp/${number(5)}`, {})
  const code = await a.codeFor(number(5))
  const entered = await a.post(`/auth/user/login/${number(5)}/${code}`, {})
  t.match(entered, { status: 200, body: { token: /^ey/ }, headers: { 'cache-control': 'no-store' } })
  const lines = log.join('')
  t.match(lines, '/auth/user/login/:number/:otp', 'the log writes patterns')
  t.notMatch(lines, new RegExp(`${number(5).slice(1)}|\\b${code}\\b`))
})
