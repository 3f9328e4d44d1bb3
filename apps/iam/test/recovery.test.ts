import { createHasher, type PasswordHasher } from '@signet/accounts'
import t from 'tap'
import { type Answer, comparableHeaders, password, testApp } from './test-app.ts'

const bounded = createHasher({ maxConcurrent: 2, queueLimit: 200 })
/** How often a password was hashed or checked. */
let hashes = 0
const counting: PasswordHasher = {
  ...bounded,
  hash: text => {
    hashes += 1
    return bounded.hash(text)
  },
  verify: (stored, text) => {
    hashes += 1
    return bounded.verify(stored, text)
  },
}
const a = await testApp(t, { deps: { hasher: counting } })
const signIn = (identifier: string, text = password) => a.post('/api/v1/tokens', { identifier, password: text })
const someone = async (name: string) => ({
  ...(await a.register({ email: `${name}@example.com` })),
  tokens: await a.signIn(`${name}@example.com`),
})

const ask = (email: string) => a.post('/api/v1/password-resets', { email })
const confirm = (email: string, code: string, next = 'nine blue herons', headers: Record<string, string> = {}) =>
  a.app
    .inject({
      method: 'POST',
      url: '/api/v1/password-resets/confirm',
      headers,
      payload: { email, code, new_password: next },
    })
    .then(
      ({ statusCode: status, headers: answered, body: text }): Answer => ({
        status,
        headers: answered,
        text,
        body: JSON.parse(text),
      }),
    )
/** Whose request for a code is the next of theirs: as if a day had passed. */
const forgetRequests = () => a.asOwner(sql => sql`delete from account_counters where kind like '%.%'`)
const comparable = (answer: Answer) => ({
  status: answer.status,
  headers: comparableHeaders(answer),
  text: answer.text.replaceAll(String(answer.headers['x-request-id']), '<id>'),
})
const verify = (email: string) =>
  a.asOwner(sql => sql`update users set email_verified_at = now() where email = ${email}`)
const eventsOf = (target: string) =>
  a.asOwner(async sql => [
    ...(await sql<{ action: string; actor_id: string | null; ip: string; user_agent: string | null; text: string }[]>`
      select action, actor_id, ip, user_agent, audit_events::text as text from audit_events where target_id = ${target} order by at, id`),
  ])

t.test('P-10 a lost password', async t => {
  const { id, email, tokens } = await someone('forgetful')
  await verify(email)
  const key = { identifier: email, key: 'seven quiet herons over the weir' }
  await a.call('PUT', '/api/v1/me/refresh-key', { token: tokens.access_token, body: { key: key.key } })
  await t.test('is reset by a code that is mailed, known or unknown with one answer', async t => {
    const suspended = await someone('suspended')
    await verify(suspended.email)
    await a.asOwner(sql => sql`update users set status = 'suspended' where id = ${suspended.id}`)
    const answers = [await ask(email), await ask('nobody@example.com'), await ask(suspended.email), await ask(email)]
    t.match(answers[0], { status: 200, body: { message: /^If an account/ } })
    for (const answer of answers) t.same(comparable(answer), comparable(answers[0] as Answer))
    t.match(await a.messagesTo(email), [{ template: 'password-reset-code', data: { code: /^\d{6}$/, minutes: 15 } }])
    for (const other of ['nobody@example.com', suspended.email])
      t.match(await a.messagesTo(other), [{ status: 'dropped', data: null }], other)
  })
  await t.test('and everything that is wrong is one answer, at one price', async t => {
    const keyless = await someone('codeless')
    const attempts = {
      [email]: '000000x',
      'nobody@example.com': '000000',
      'suspended@example.com': '000000',
      [keyless.email]: '1',
    }
    const answers: Answer[] = []
    for (const [address, code] of Object.entries(attempts)) {
      const before = hashes
      answers.push(await confirm(address, code))
      t.equal(hashes - before, 1, address)
    }
    t.match(answers[0], { status: 400, body: { code: 'invalid-code' } })
    for (const answer of answers) t.same(comparable(answer), comparable(answers[0] as Answer))
    t.equal((await signIn(email)).status, 200, 'and nothing has changed')
  })
  await t.test('costs no code where the new password may not be', async t => {
    await a.asOwner(sql => sql`update users set last_name = 'Lovelace' where id = ${id}`)
    const code = await a.codeFor(email)
    for (const [fault, bad] of [
      ['password-too-short', 'abc'],
      ['password-too-common', 'Password123'],
      ['password-own-words', 'forgetful heron'],
      ['password-own-words', 'a lovelace heron'],
    ] as const)
      t.match(await confirm(email, code, bad), { status: 400, body: { code: fault } }, bad)
    t.match(
      await confirm(email, '000000x', 'a lovelace heron'),
      { status: 400, body: { code: 'invalid-code' } },
      'nobody learns a name without the code',
    )
    t.equal((await signIn(email)).status, 200)
  })
  await t.test('is reset once by fifty with one code at once, whoever locked what', async t => {
    await forgetRequests()
    await ask(email)
    const code = await a.codeFor(email)
    await a.asOwner(
      sql => sql`
        insert into account_counters (tenant_id, subject, kind, failures, taken)
        select ${a.company}, ${id}, kind, 101, 11 from unnest(array['password', 'refresh-key', 'code']) kind
        on conflict (tenant_id, subject, kind) do update set failures = 101, taken = 11`,
    )
    await a.asOwner(sql => sql`update known_devices set failures = 100, taken = 11 where user_id = ${id}`)
    await a.asOwner(sql => sql`update password_credentials set must_change = true where user_id = ${id}`)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => confirm(email, code, `fifty herons, the ${index}th`)),
    )
    t.equal(answers.filter(({ status }) => status === 200).length, 1)
    t.equal(answers.filter(({ body }) => body.code === 'invalid-code').length, 49)
    const winner = answers.findIndex(({ status }) => status === 200)
    t.same(Object.keys(answers[winner]?.body), ['message'], 'nobody is signed in by it')
    t.notOk(answers[winner]?.headers['set-cookie'])
    const kinds = await a.asOwner(async sql => [
      ...(await sql`select kind from account_counters where subject = ${id} and failures > 0 and kind not like '%.%'`),
    ])
    t.same(kinds, [], 'what strangers have locked is open')
    const after = await signIn(email, `fifty herons, the ${winner}th`)
    t.equal(after.status, 200)
    t.notOk('password_change_required' in after.body)
    t.equal((await confirm(email, code, 'once more, herons')).status, 400, 'never twice')
  })
  await t.test('and with it end all sessions, the old password and the refresh key', async t => {
    t.match(await a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token }), {
      status: 401,
      body: { code: 'session-ended' },
    })
    t.equal((await signIn(email)).status, 401)
    t.equal((await a.post('/api/v1/tokens/refresh-key', key)).status, 401)
  })
  await t.test('which is told to the person, and audited without any secret', async t => {
    const messages = await a.messagesTo(email)
    t.match(messages[0], { template: 'password-changed', status: 'queued', data: {} })
    t.equal(messages.filter(({ template }) => template === 'password-changed').length, 1)
    const events = await eventsOf(id)
    const resets = events.filter(({ action }) => action === 'password.reset')
    t.match(resets, [{ actor_id: null, ip: '127.0.0.1', user_agent: /./ }])
    t.notMatch(JSON.stringify(events), /herons|argon2/)
  })
  await t.test('takes three guesses, and fifteen minutes', async t => {
    const guessed = await someone('guessed')
    await verify(guessed.email)
    await ask(guessed.email)
    const code = await a.codeFor(guessed.email)
    for (const wrong of ['a', 'b', 'c']) t.equal((await confirm(guessed.email, wrong)).status, 400)
    t.match(await confirm(guessed.email, code), { status: 400, body: { code: 'invalid-code' } }, 'the third killed it')
    await forgetRequests()
    await ask(guessed.email)
    const late = await a.codeFor(guessed.email)
    const [row] = await a.asOwner(
      sql => sql<{ seconds: number }[]>`
        select extract(epoch from expires_at - created_at)::int as seconds from otp_challenges where user_id = ${guessed.id}`,
    )
    t.equal(row?.seconds, 900)
    await a.asOwner(sql => sql`update otp_challenges set expires_at = now() where user_id = ${guessed.id}`)
    t.match(await confirm(guessed.email, late), { status: 400, body: { code: 'invalid-code' } })
    t.equal((await signIn(guessed.email)).status, 200)
  })
  await t.test('is not reset by a code for something else, nor does its code sign in', async t => {
    const other = await someone('purposes')
    await verify(other.email)
    await a.post('/api/v1/otp/requests', { email: other.email })
    t.equal((await confirm(other.email, await a.codeFor(other.email))).status, 400)
    await ask(other.email)
    const code = await a.codeFor(other.email)
    t.equal((await a.post('/api/v1/otp/verifications', { email: other.email, code })).status, 400)
    t.equal((await confirm(email, code)).status, 400, 'nor somebody else’s')
    t.equal((await confirm(other.email.toUpperCase(), code)).status, 200)
  })
  await t.test('is given to whoever had none, and shows that the address is theirs', async t => {
    const first = await someone('unproven')
    await a.asOwner(sql => sql`delete from password_credentials where user_id = ${first.id}`)
    await ask(first.email)
    const stranger = { 'user-agent': 'another device' }
    t.equal((await confirm(first.email, await a.codeFor(first.email), 'nine blue herons', stranger)).status, 200)
    const after = await signIn(first.email, 'nine blue herons')
    t.equal(after.status, 200)
    const { body } = await a.call('GET', '/api/v1/me', { token: after.body.access_token })
    t.ok(body.email_verified_at)
  })
  await t.test('is mailed with nothing of the request’s Host', async t => {
    const host = await someone('hosted')
    await a.app.inject({
      method: 'POST',
      url: '/api/v1/password-resets',
      headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
      payload: { email: host.email },
    })
    const [message] = await a.messagesTo(host.email)
    t.same(Object.keys(message?.data), ['code', 'minutes'])
    t.notMatch(JSON.stringify(message), /evil/)
  })
})
