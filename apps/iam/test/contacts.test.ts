import t from 'tap'
import { type Answer, password, testApp, type Tokens } from './test-app.ts'

const a = await testApp(t)

const ask = (tokens: Tokens, contact: object) => a.post('/api/v1/me/contacts', contact, tokens.access_token)
const confirm = (tokens: Tokens, contact: object, code: string) =>
  a.post('/api/v1/me/contacts/confirm', { ...contact, code }, tokens.access_token)
const me = async (tokens: Tokens) => (await a.call('GET', '/api/v1/me', { token: tokens.access_token })).body
const join = async (person: { email: string }) => {
  const { id } = await a.register(person)
  const tokens = await a.signIn(person.email)
  return { id, tokens }
}
const getCode = async (tokens: Tokens, contact: { email: string } | { phone: string }): Promise<string> => {
  await ask(tokens, contact)
  return a.codeFor('email' in contact ? contact.email : contact.phone)
}
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')
const isInvalid = (answer: Answer) => answer.status === 400 && answer.body.code === 'invalid-code'
/** So much later, for everything that limits requests. */
const wait = (interval: string) =>
  a.asOwner(sql => sql`update account_counters set window_started_at = window_started_at - ${interval}::interval`)
const changesOf = (id: string) =>
  a.asOwner(async sql => [
    ...(await sql`
      select before, after, actor_id, session_id from audit_events
      where action = 'user.contact-changed' and target_id = ${id} order by at`),
  ])
const withoutIds = ({ status, headers, text }: Answer) => {
  const own = new Set(['date', 'x-request-id'])
  return JSON.stringify([status, Object.entries(headers).filter(([name]) => !own.has(name)), text])
}

t.test('an address', async t => {
  const { id, tokens } = await join({ email: 'ada@example.com' })
  await t.test('that was given at registration is verified by a code', async t => {
    t.match(await ask(tokens, { email: 'ADA@example.com' }), { status: 202, body: { message: /on its way/ } })
    const [message] = await a.messagesTo('ada@example.com')
    t.match(message, { template: 'contact-code', status: 'queued', data: { code: /^\d{6}$/, minutes: 10 } })
    t.equal((await me(tokens)).email_verified_at, null, 'asking verifies nothing')
    t.match(await confirm(tokens, { email: 'ada@example.com' }, message?.data.code), { status: 204 })
    t.match(await me(tokens), { email: 'ada@example.com', email_verified_at: String })
    t.match(await changesOf(id), [
      {
        before: { email: 'ada@example.com', email_verified_at: null },
        after: { email: 'ada@example.com' },
        actor_id: id,
      },
    ])
    t.equal((await a.messagesTo('ada@example.com')).length, 1, 'nobody is told what has not changed')
  })
  await t.test('is replaced by one that is shown to be theirs, and the one before is told', async t => {
    await wait('1 day')
    await a.post('/api/v1/otp/requests', { email: 'ada@example.com' })
    const pending = await a.codeFor('ada@example.com')
    const code = await getCode(tokens, { email: 'lovelace@example.com' })
    t.match(await me(tokens), { email: 'ada@example.com' }, 'not before it is confirmed')
    t.equal((await confirm(tokens, { email: 'Lovelace@Example.com' }, code)).status, 204)
    t.match(await me(tokens), { email: 'lovelace@example.com', email_verified_at: String })
    t.match((await a.messagesTo('ada@example.com'))[0], {
      template: 'contact-changed',
      status: 'queued',
      data: { contact: 'l…@example.com' },
    })
    t.match((await changesOf(id)).at(-1), {
      before: { email: 'ada@example.com' },
      after: { email: 'lovelace@example.com' },
    })
    t.ok(isInvalid(await a.post('/api/v1/otp/verifications', { email: 'ada@example.com', code: pending })))
    t.match(await a.asOwner(sql => sql`select from otp_challenges where destination = 'ada@example.com'`), [])
    t.ok(await a.signIn('lovelace@example.com'))
    t.equal((await a.post('/api/v1/tokens', { email: 'ada@example.com', password })).status, 401)
  })
  await t.test('may be a number, in whatever way it is written', async t => {
    await wait('1 day')
    const phone = '+49 151 1234-5678'
    t.equal((await ask(tokens, { phone })).status, 202)
    t.equal((await confirm(tokens, { phone }, await a.codeFor('+4915112345678'))).status, 204)
    t.match(await me(tokens), { phone: '+4915112345678', phone_verified_at: String, email: 'lovelace@example.com' })
    await wait('1 day')
    t.equal(
      (await confirm(tokens, { phone: '+33612345678' }, await getCode(tokens, { phone: '+33612345678' }))).status,
      204,
    )
    t.match((await a.messagesTo('+4915112345678'))[0], { template: 'contact-changed', data: { contact: '…678' } })
  })
  await t.test('is one, and a number has its country code', async t => {
    for (const [contact, pointer] of [
      [{}, '/email'],
      [{ email: 'x@example.com', phone: '+33612345678' }, '/email'],
      [{ phone: '0612345678' }, '/phone'],
    ] as const) {
      for (const answer of [await ask(tokens, contact), await confirm(tokens, contact, '123456')])
        t.match(answer, { status: 400, body: { code: 'invalid-input', errors: [{ pointer }] } })
    }
  })
  await t.test('that was not verified is not told of its successor', async t => {
    const { tokens: other } = await join({ email: 'unverified@example.com' })
    t.equal(
      (await confirm(other, { email: 'right@example.com' }, await getCode(other, { email: 'right@example.com' })))
        .status,
      204,
    )
    t.same(await a.messagesTo('unverified@example.com'), [])
  })
})

t.test('an address of somebody else', async t => {
  const { tokens } = await join({ email: 'curious@example.com' })
  await a.register({ email: 'taken@example.com', username: 'taken', phone: '+14155552671' })
  await wait('1 day')
  await t.test('is asked for with the answer for one that is free, and for one too many', async t => {
    const answers = [withoutIds(await ask(tokens, { email: 'free@example.com' }))]
    answers.push(withoutIds(await ask(tokens, { email: 'free@example.com' })))
    await wait('1 day')
    answers.push(withoutIds(await ask(tokens, { email: 'taken@example.com' })))
    t.equal(new Set(answers).size, 1)
    t.equal((await a.messagesTo('free@example.com')).length, 1)
  })
  await t.test('stays theirs: whoever reads its mail is told that it is in use', async t => {
    t.match(await confirm(tokens, { email: 'taken@example.com' }, await a.codeFor('taken@example.com')), {
      status: 409,
      body: { code: 'email-taken' },
    })
    await wait('1 day')
    const phone = '+14155552671'
    t.match(await confirm(tokens, { phone }, await getCode(tokens, { phone })), {
      status: 409,
      body: { code: 'phone-taken' },
    })
    t.match(await me(tokens), { email: 'curious@example.com', email_verified_at: null, phone: null })
  })
  await t.test('goes to one of two who confirm it at once', async t => {
    const contact = { email: 'wanted@example.com' }
    const people = [await join({ email: 'first@example.com' }), await join({ email: 'second@example.com' })]
    const codes: string[] = []
    for (const { tokens: each } of people) {
      await wait('1 day')
      codes.push(await getCode(each, contact))
    }
    const answers = await Promise.all(
      people.map(({ tokens: each }, index) => confirm(each, contact, codes[index] ?? '')),
    )
    t.equal(answers.filter(({ status }) => status === 204).length, 1)
    t.equal(answers.find(({ status }) => status === 409)?.body.code, 'email-taken')
  })
})

t.test('a code', async t => {
  const { id, tokens } = await join({ email: 'codes@example.com' })
  await t.test('is spent by the first of sixteen on two devices', async t => {
    const other = await a.signIn('codes@example.com')
    const contact = { email: 'codes@example.com' }
    const code = await getCode(tokens, contact)
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => confirm(index % 2 === 0 ? tokens : other, contact, code)),
    )
    t.equal(answers.filter(({ status }) => status === 204).length, 1)
    t.equal(answers.filter(isInvalid).length, 15)
    t.equal((await changesOf(id)).length, 1)
  })
  await t.test('O-02 dies of five wrong guesses', async t => {
    await wait('1 day')
    const contact = { email: 'guessed@example.com' }
    const code = await getCode(tokens, contact)
    for (let guess = 0; guess < 5; guess += 1) t.ok(isInvalid(await confirm(tokens, contact, wrong(code))))
    t.ok(isInvalid(await confirm(tokens, contact, code)))
  })
  await t.test('O-09 is worth nothing to another person, for another address, or to sign in', async t => {
    await wait('1 day')
    const { tokens: thief } = await join({ email: 'thief@example.com' })
    const contact = { email: 'mine@example.com' }
    const code = await getCode(tokens, contact)
    t.ok(isInvalid(await confirm(thief, contact, code)))
    t.ok(isInvalid(await confirm(tokens, { email: 'elsewhere@example.com' }, code)))
    t.ok(isInvalid(await a.post('/api/v1/otp/verifications', { ...contact, code })))
    t.equal((await confirm(tokens, contact, code)).status, 204)
  })
})

t.test('X-07 nobody verifies an address by any other path', async t => {
  const { id, tokens } = await join({ email: 'self@example.com' })
  const verified = { email_verified_at: '2020-01-01T00:00:00Z' }
  for (const answer of [
    await a.call('PATCH', '/api/v1/me', { token: tokens.access_token, body: verified }),
    await a.call('PATCH', '/api/v1/me', { token: tokens.access_token, body: { email: 'other@example.com' } }),
    await a.post('/api/v1/users', { email: 'x07@example.com', password, ...verified }),
    await ask(tokens, { email: 'self@example.com', ...verified }),
    await confirm(tokens, { email: 'self@example.com', user_id: a.administrator.id }, '123456'),
  ])
    t.match(answer, { status: 400, body: { code: 'invalid-input' } })
  const rows = await a.asOwner(sql => sql`select email, email_verified_at from users where id = ${id}`)
  t.match(rows, [{ email: 'self@example.com', email_verified_at: null }])
})

t.test('only the person in person', async t => {
  const { id, tokens } = await join({ email: 'advised@example.com' })
  t.match(await a.post('/api/v1/me/contacts', { email: 'x@example.com' }), { status: 401 })
  await a.asOwner(async sql => {
    await sql`
      insert into membership_roles (tenant_id, membership_id, role_id)
      select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = 'advisor'
      where m.tenant_id = ${a.company} and m.user_id = ${a.administrator.id}`
    await sql`update sessions set act_sub = ${a.administrator.id} where user_id = ${id}`
  })
  t.equal((await me(tokens)).id, id, 'the advisor is let in')
  for (const answer of [
    await ask(tokens, { email: 'advisor@example.com' }),
    await confirm(tokens, { email: 'advisor@example.com' }, '123456'),
  ])
    t.match(answer, { status: 403, body: { code: 'acting-for-somebody' } })
  t.same(await a.messagesTo('advisor@example.com'), [])
})
