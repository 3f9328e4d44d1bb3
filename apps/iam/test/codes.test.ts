import { createHash } from 'node:crypto'
import t from 'tap'
import { drawCode } from '../src/modules/otp/code.ts'
import { requestCode, verifyCode } from '../src/modules/otp/index.ts'
import { createCodeCallers, home, stranger } from './code-callers.ts'
import { password, testApp } from './test-app.ts'

const a = await testApp(t)
const {
  send,
  ask,
  tell,
  register,
  codeOf,
  getCode,
  wrong,
  isInvalid,
  claimsOf,
  wait,
  events,
  lastReason,
  personOf,
  challengeOf,
} = createCodeCallers(a)

t.test('a code', async t => {
  await t.test('by e-mail signs in and verifies the address', async t => {
    const id = await register({ email: 'ada@example.com' })
    t.equal((await ask({ email: 'Ada@Example.com' })).status, 202)
    const [message] = await a.messagesTo('ada@example.com')
    t.match(message, { template: 'sign-in-code', status: 'queued', data: { code: /^\d{6}$/, minutes: 10 } })
    const answer = await tell({ email: 'ADA@example.com' }, message?.data.code)
    t.equal(answer.status, 200)
    t.equal(answer.headers['cache-control'], 'no-store')
    t.match(claimsOf(answer), { sub: id, tid: a.company, amr: ['otp'] })
    t.ok((await personOf(id))['email_verified_at'])
    t.equal(
      (await send('/api/v1/tokens', { email: 'ada@example.com', password }, home)).status,
      200,
      'the password stays',
    )
    t.match((await events('code.requested')).at(-1), {
      after: { purpose: 'sign-in', channel: 'email' },
      target_id: id,
      tenant_id: a.company,
      ip: home.ip,
      user_agent: home.agent,
    })
  })
  await t.test('by SMS too, however the number is written', async t => {
    const id = await register({ username: 'caller', phone: '+49 151 1234-5678' })
    t.match(await personOf(id), { phone: '+4915112345678', phone_verified_at: null })
    const code = await (async () => {
      await ask({ phone: '+49 (151) 12345678' })
      return a.codeFor('+4915112345678')
    })()
    const answer = await tell({ phone: '+49-151-12345678' }, code)
    t.match(claimsOf(answer), { sub: id, amr: ['sms'] })
    t.ok((await personOf(id))['phone_verified_at'])
    t.equal((await send('/api/v1/tokens', { phone: '+49 151 12345678', password }, home)).status, 200)
  })
  await t.test('needs exactly one address, and the country code of a number', async t => {
    const bad = [
      [{}, '/email'],
      [{ email: 'ada@example.com', phone: '+4915112345678' }, '/email'],
      [{ phone: '0151 12345678' }, '/phone'],
      [{ phone: '+1' }, '/phone'],
    ] as const
    for (const [contact, pointer] of bad) {
      for (const answer of [await ask(contact), await tell(contact, '123456')])
        t.match(
          answer,
          { status: 400, body: { code: 'invalid-input', errors: [{ pointer }] } },
          JSON.stringify(contact),
        )
    }
    for (const url of ['/api/v1/users', '/api/v1/tokens'])
      t.match(
        await send(
          url,
          { phone: '0151 12345678', password, ...(url.endsWith('users') ? { username: 'n' } : {}) },
          home,
        ),
        {
          status: 400,
          body: { errors: [{ pointer: '/phone', message: /country code/ }] },
        },
      )
  })
  await t.test('puts the tokens into cookies where that is asked for', async t => {
    await register({ email: 'cookies@example.com' })
    const answer = await tell({ email: 'cookies@example.com' }, await getCode({ email: 'cookies@example.com' }), home, {
      cookies: true,
    })
    t.equal(answer.status, 200)
    t.equal(answer.body.access_token, undefined)
    t.match(answer.headers['set-cookie'], [/^access_token=/, /^refresh_token=/])
  })
})

t.test('O-01 right once, never twice', async t => {
  const contact = { email: 'once@example.com' }
  await register(contact)
  const code = await getCode(contact)
  t.equal((await tell(contact, code)).status, 200)
  t.ok(isInvalid(await tell(contact, code)))
  t.equal(await lastReason(), 'no-live-code')
})

t.test('O-02 the last allowed wrong guess kills the code', async t => {
  const contact = { email: 'five@example.com' }
  await register(contact)
  const code = await getCode(contact)
  for (let guess = 0; guess < 5; guess += 1) t.ok(isInvalid(await tell(contact, wrong(code))))
  t.ok(isInvalid(await tell(contact, code)), 'also for who is right')
  await wait('1 minute')
  const next = await getCode(contact)
  for (let guess = 0; guess < 4; guess += 1) await tell(contact, wrong(next))
  t.equal((await tell(contact, next)).status, 200, 'the fifth guess counts')
})

t.test('O-03 two hundred wrong guesses at once: exactly five are evaluated', { timeout: 60_000 }, async t => {
  for (const [contact, id] of [
    [{ email: 'flood@example.com' }, await register({ email: 'flood@example.com' })],
    [{ email: 'flood-nobody@example.com' }, null],
  ] as const) {
    const code = await getCode(contact, stranger)
    const answers = await Promise.all(Array.from({ length: 200 }, () => tell(contact, wrong(code), stranger)))
    t.same(
      answers.filter(answer => !isInvalid(answer) && answer.status !== 503).map(answer => answer.text),
      [],
    )
    t.match(await challengeOf(contact.email), { attempts: 5, consumed_at: null })
    const evaluated = (await events('code.refused')).filter(
      ({ after, target_id }) => target_id === id && after['reason'] === 'wrong-code',
    )
    t.equal(evaluated.length, 5)
    t.ok(isInvalid(await tell(contact, code, stranger)))
  }
})

t.test('O-04 the right code fifty times at once: one session', { timeout: 60_000 }, async t => {
  const contact = { email: 'fifty@example.com' }
  const id = await register(contact)
  const code = await getCode(contact)
  const devices = [home, stranger]
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => tell(contact, code, devices[index % 2])))
  t.equal(answers.filter(answer => answer.status === 200).length, 1)
  t.equal(answers.filter(isInvalid).length, 49)
  const [row] = await a.asOwner(sql => sql`select count(*)::int as sessions from sessions where user_id = ${id}`)
  t.equal(row?.sessions, 1)
})

t.test('O-07 expires to the second', async t => {
  const contact = { email: 'expiry@example.com' }
  await register(contact)
  const code = await getCode(contact)
  const [life] = await a.asOwner(
    sql => sql`
      select extract(epoch from c.expires_at - c.created_at)::int as seconds, c.expires_at = m.expires_at as with_message
      from otp_challenges c join outbound_messages m on m.recipient = c.destination where c.destination = ${contact.email}`,
  )
  t.same(life, { seconds: 600, with_message: true })
  const turn = (interval: string) =>
    a.asOwner(
      sql =>
        sql`update otp_challenges set expires_at = now() + ${interval}::interval where destination = ${contact.email}`,
    )
  await turn('0 seconds')
  t.ok(isInvalid(await tell(contact, code)), 'in the second in which it ends')
  t.match(await challengeOf(contact.email), { attempts: 0 }, 'unevaluated')
  await turn('30 seconds')
  t.equal((await tell(contact, code)).status, 200)
})

t.test('O-09 the code of another user, tenant, purpose or challenge is refused', async t => {
  await wait('1 day')
  const [mine, theirs] = [{ email: 'mine@example.com' }, { email: 'theirs@example.com' }]
  const id = await register({ ...mine, phone: '+14155552671' })
  await register(theirs)
  const code = await getCode(mine)
  const other = await getCode(theirs)
  if (code !== other) {
    t.ok(isInvalid(await tell(mine, other)), 'of another user')
    t.ok(isInvalid(await tell(theirs, code)))
  }
  t.ok(isInvalid(await tell({ phone: '+14155552671' }, code)), 'of another channel')
  t.ok(isInvalid(await tell(mine, code, home, { tenant: 'platform' })), 'for a tenant in which they are nobody')
  t.equal(await lastReason(), 'no-membership')

  const request = { id: '01a1fb17-0fe7-7146-aca5-e8adee713a5d', ip: '203.0.113.77', userAgent: 'a program' }
  const subject = { channel: 'email', destination: mine.email, userId: id } as const
  for (const purpose of ['contact', 'password-reset'] as const) {
    await wait('1 day')
    const limits = { ttlSeconds: 600, maxAttempts: 5, template: `${purpose}-code` } as const
    await requestCode(a.deps, { ...subject, purpose, ...limits }, request)
    const codeText = await codeOf(mine)
    t.ok(isInvalid(await tell(mine, codeText)), `of the purpose ${purpose}`)
    for (const another of ['sign-in', 'contact', 'password-reset'] as const) {
      if (another === purpose) continue
      t.match(await verifyCode(a.deps, { ...subject, purpose: another, codeText }, request), { outcome: 'wrong' })
    }
    t.match(await verifyCode(a.deps, { ...subject, purpose, codeText }, request), {
      outcome: 'right',
      userId: id,
      homeTenantId: a.company,
      tenantId: a.company,
    })
  }
})

t.test('O-10 a hundred thousand codes are uniform and keep their leading zeros', async t => {
  const codes = Array.from({ length: 100_000 }, drawCode)
  t.ok(codes.every(code => /^\d{6}$/.test(code)))
  /** Far beyond what chance gives: five standard deviations and more above the mean of so many degrees of freedom. */
  const isUniform = (cells: number[], count: number, limit: number) => {
    const found = Array.from({ length: count }, () => 0)
    for (const cell of cells) found[cell] = (found[cell] ?? 0) + 1
    const expected = cells.length / count
    return found.reduce((sum, each) => sum + (each - expected) ** 2 / expected, 0) < limit
  }
  for (let position = 0; position < 6; position += 1)
    t.ok(
      isUniform(
        codes.map(code => Number(code[position])),
        10,
        50,
      ),
      `digit ${position}`,
    )
  t.ok(
    isUniform(
      codes.map(code => Math.floor(Number(code) / 1_000)),
      1_000,
      1_300,
    ),
    'thousands',
  )
  t.ok(
    isUniform(
      codes.map(code => Number(code) % 1_000),
      1_000,
      1_300,
    ),
    'the rest',
  )
  t.notOk(
    isUniform(
      codes.map(code => Number(code) % 900),
      1_000,
      1_300,
    ),
    'the measure sees a bias',
  )
})

t.test('O-11 is stored as a keyed hash only', async t => {
  await wait('1 day')
  const contact = { email: 'stored@example.com' }
  await register(contact)
  const code = await getCode(contact)
  await tell(contact, wrong(code))
  const rows = await a.asOwner(async sql => {
    const found: string[] = []
    for (const table of ['otp_challenges', 'outbound_messages', 'audit_events', 'account_counters'])
      found.push(
        ...(await sql<{ row: string }[]>`select to_jsonb(x)::text as row from ${sql(table)} x`).map(({ row }) => row),
      )
    return found.filter(row => row.includes(contact.email) || row.includes('code'))
  })
  t.ok(rows.length > 0)
  const plain = [`"${code}"`, Buffer.from(code).toString('hex'), createHash('sha256').update(code).digest('hex')]
  for (const trace of plain)
    t.notOk(
      rows.some(row => row.includes(trace)),
      trace,
    )
  t.equal((await challengeOf(contact.email))?.['code_hash'].length, 32)
})
