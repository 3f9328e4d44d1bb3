import { createHash } from 'node:crypto'
import type { UserId } from '@signet/kernel'
import t from 'tap'
import { drawCode } from '../src/modules/otp/code.ts'
import { requestCode, verifyCode } from '../src/modules/otp/index.ts'
import { type Answer, password, testApp } from './test-app.ts'

const a = await testApp(t)

interface Device {
  readonly ip: string
  readonly agent: string
}
const home: Device = { ip: '192.0.2.10', agent: 'the device at home' }
const stranger: Device = { ip: '198.51.100.7', agent: 'a stranger' }

type Contact = { readonly email: string } | { readonly phone: string }

const send = async (url: string, payload: object, { ip, agent }: Device): Promise<Answer> => {
  const headers = { 'user-agent': agent }
  const answer = await a.app.inject({ method: 'POST', url, payload, headers, remoteAddress: ip })
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: answer.json() }
}
const ask = (contact: object, device = home) => send('/api/v1/otp/requests', contact, device)
const tell = (contact: object, code: string, device = home, extra: object = {}) =>
  send('/api/v1/otp/verifications', { ...contact, code, ...extra }, device)
const register = async (person: object, device = home): Promise<UserId> => {
  const answer = await send('/api/v1/users', { password, ...person }, device)
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.body.id
}
const addressOf = (contact: Contact) => ('email' in contact ? contact.email : contact.phone)
const codeOf = (contact: Contact) => a.codeFor(addressOf(contact))
const getCode = async (contact: Contact, device = home): Promise<string> => {
  await ask(contact, device)
  return codeOf(contact)
}
/** Another one. */
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')
const isInvalid = (answer: Answer) => answer.status === 400 && answer.body.code === 'invalid-code'
const claimsOf = (answer: Answer) =>
  JSON.parse(Buffer.from(answer.body.access_token.split('.')[1], 'base64url').toString())

/** So much later, for everything that limits requests. */
const wait = (interval: string) =>
  a.asOwner(sql => sql`update account_counters set window_started_at = window_started_at - ${interval}::interval`)
const queued = async (contact: Contact) =>
  (await a.messagesTo(addressOf(contact))).filter(({ status }) => status === 'queued').length
const events = (action: string) =>
  a.asOwner(async sql => [
    ...(await sql<
      { after: Record<string, string>; target_id: string | null; tenant_id: string; ip: string; user_agent: string }[]
    >`
      select after, target_id, tenant_id, ip, user_agent from audit_events where action = ${action} order by at, id`),
  ])
const lastReason = async () => (await events('code.refused')).at(-1)?.after['reason']
const personOf = (id: string) =>
  a.asOwner(async sql => (await sql`select * from users where id = ${id}`)[0] as Record<string, unknown>)
const challengeOf = (destination: string) =>
  a.asOwner(async sql => (await sql`select * from otp_challenges where destination = ${destination}`)[0])
const failuresOf = (subject: string) =>
  a.asOwner(
    async sql =>
      (await sql`select failures from account_counters where subject = ${subject} and kind = 'code'`)[0]?.failures,
  )

/** What differs from one request to the next, and nothing else. */
const withoutIds = ({ status, headers, text }: Answer): string => {
  const own = new Set(['date', 'x-request-id', 'ratelimit-remaining', 'ratelimit-reset'])
  const kept = Object.entries(headers).filter(([name]) => !own.has(name))
  return JSON.stringify([status, kept, text.replace(/urn:uuid:[\w-]+/, '')])
}
const pool = a.database.db.pool
const acquire = pool.acquire.bind(pool)
let statements = 0
Object.assign(pool, {
  acquire: () => {
    statements += 1
    return acquire()
  },
})
const counting = async (work: () => Promise<Answer>): Promise<string> => {
  const before = statements
  const answer = await work()
  return `${statements - before} ${withoutIds(answer)}`
}

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

t.test('O-05 another address of the caller, header, case or tag: the same counter', async t => {
  await wait('1 day')
  await register({ email: 'tags@example.com' })
  const spellings = ['tags@example.com', 'TAGS@example.com', 'tags+a@example.com', 'tags+b+c@Example.com']
  for (const [index, email] of spellings.entries())
    await ask({ email }, { ip: `198.51.100.${index + 20}`, agent: `agent ${index}` })
  t.equal(await queued({ email: 'tags@example.com' }), 1)
  for (const email of ['tags+a@example.com', 'tags+b+c@example.com']) t.same(await a.messagesTo(email), [])

  await wait('1 day')
  const [first, second] = [{ email: 'spell+1@example.com' }, { email: 'spell+2@example.com' }]
  for (const contact of [first, second]) {
    const code = await getCode(contact, stranger)
    await tell(contact, wrong(code), { ip: stranger.ip, agent: contact.email })
    await wait('1 day')
  }
  const rows = await a.asOwner(
    sql =>
      sql`select failures from account_counters where kind = 'code' and tenant_id = ${a.platform} and failures = 2`,
  )
  t.equal(rows.length, 1, 'wrong guesses at both are counted together')
})

t.test('O-06 P-08 a hundred wrong guesses in a row close the way in for devices that are not known', async t => {
  const contact = { email: 'locked@example.com' }
  const id = await register(contact)
  t.equal((await tell(contact, await getCode(contact))).status, 200)
  await wait('1 day')

  let lastCode = ''
  await t.test('a new code does not reset what is counted', async t => {
    for (let round = 1; round <= 3; round += 1) {
      const code = await getCode(contact, stranger)
      await tell(contact, wrong(code), stranger)
      t.equal(await failuresOf(id), round)
      await wait('1 day')
    }
  })
  await t.test('a guess at no live code is none', async t => {
    await a.asOwner(sql => sql`delete from otp_challenges where user_id = ${id}`)
    t.ok(isInvalid(await tell(contact, '123456', stranger)))
    t.equal(await failuresOf(id), 3)
  })
  await t.test('a right one begins anew', async t => {
    const code = await getCode(contact, { ip: '203.0.113.1', agent: 'a new telephone' })
    t.equal((await tell(contact, code, { ip: '203.0.113.1', agent: 'a new telephone' })).status, 200)
    t.equal(await failuresOf(id), 0)
    await wait('1 day')
  })
  await t.test('at once too: not one more than a hundred is evaluated, and the owner is told once', async t => {
    await a.asOwner(sql => sql`update account_counters set failures = 97 where subject = ${id} and kind = 'code'`)
    lastCode = await getCode(contact, stranger)
    const code = lastCode
    await Promise.all(Array.from({ length: 40 }, () => tell(contact, wrong(code), stranger)))
    t.equal(await failuresOf(id), 100)
    t.match(await challengeOf(contact.email), { attempts: 3 })
    const told = (await a.messagesTo(contact.email)).filter(({ template }) => template === 'way-in-locked')
    t.match(told, [{ status: 'queued', data: { wayIn: 'code' } }])
    t.equal(told.length, 1)
    const locks = (await events('sign-in.locked')).filter(({ target_id }) => target_id === id)
    t.match(locks, [{ after: { reason: 'code' }, ip: stranger.ip, user_agent: stranger.agent }])
    t.equal(locks.length, 1)
  })
  await t.test('the right code is not tried either, nor the next one, and the answer is the same', async t => {
    const refused = [await tell(contact, lastCode, stranger)]
    await wait('1 day')
    refused.push(await tell(contact, await getCode(contact, stranger), stranger))
    refused.push(await tell({ email: 'nobody-here@example.com' }, '123456', stranger))
    t.equal(new Set(refused.map(withoutIds)).size, 1)
    t.match((await events('code.refused')).filter(({ target_id }) => target_id === id).at(-1), {
      after: { reason: 'locked' },
    })
  })
  await t.test('the owner gets in from a device that is known, whose own failures count there', async t => {
    await wait('1 day')
    const code = await getCode(contact)
    await tell(contact, wrong(code))
    t.equal(await failuresOf(id), 100)
    t.equal((await tell(contact, code)).status, 200)
    t.equal(await failuresOf(id), 0)
  })
  await t.test('a known device with a hundred failures is as any other', async t => {
    await wait('1 day')
    await a.asOwner(async sql => {
      await sql`update account_counters set failures = 100 where subject = ${id} and kind = 'code'`
      await sql`update known_devices set failures = 100 where user_id = ${id}`
    })
    const code = await getCode(contact)
    t.ok(isInvalid(await tell(contact, code)))
    await a.asOwner(sql => sql`delete from account_counters where subject = ${id} and kind = 'code'`)
    t.equal((await tell(contact, code, stranger)).status, 200, 'without the counter the way is open')
  })
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

t.test('O-08 requests are limited, and the old code lives', async t => {
  await wait('1 day')
  const contact = { email: 'limits@example.com' }
  const id = await register({ ...contact, phone: '+33612345678' })
  await t.test('one a minute', async t => {
    const code = await getCode(contact)
    const [again, other] = [await ask(contact), await ask({ email: 'limits-other@example.com' })]
    t.equal(withoutIds(again), withoutIds(other))
    t.equal(await queued(contact), 1)
    t.match(
      (await events('code.throttled')).filter(({ target_id }) => target_id === id),
      [{ after: { purpose: 'sign-in', limit: 'sign-in.destination.minute' }, ip: home.ip, user_agent: home.agent }],
    )
    await ask(contact)
    t.equal(
      (await events('code.throttled')).filter(({ target_id }) => target_id === id).length,
      1,
      'audited once a window',
    )
    t.equal((await tell(contact, code)).status, 200)
  })
  await t.test('one a minute for the account, whatever address of it is named', async t => {
    await wait('1 minute')
    await ask(contact)
    await ask({ phone: '+33612345678' })
    t.same(await a.messagesTo('+33612345678'), [])
    t.match((await events('code.throttled')).at(-1), { after: { limit: 'sign-in.account.minute' } })
  })
  await t.test('a new code replaces the one before', async t => {
    const before = await codeOf(contact)
    await wait('1 minute')
    const after = await getCode(contact)
    if (before !== after) t.ok(isInvalid(await tell(contact, before)))
    t.equal((await tell(contact, after)).status, 200)
  })
  await t.test('five an hour and ten a day', async t => {
    const other = { email: 'many@example.com' }
    await register(other)
    for (let request = 0; request < 8; request += 1) {
      await ask(other)
      await a.asOwner(
        sql =>
          sql`update account_counters set window_started_at = now() - interval '1 minute' where kind like '%.minute'`,
      )
    }
    t.equal(await queued(other), 5)
    for (let request = 0; request < 12; request += 1) {
      await a.asOwner(
        sql =>
          sql`update account_counters set window_started_at = now() - interval '1 hour' where kind ~ '(minute|hour)$'`,
      )
      await ask(other)
    }
    t.equal(await queued(other), 10)
    await wait('1 day')
    await ask(other)
    t.equal(await queued(other), 11)
  })
  await t.test('fifty an hour and two hundred a day for a network', async t => {
    await wait('1 day')
    const network: Device = { ip: '2001:db8:1:2::1', agent: 'one' }
    for (let request = 0; request < 52; request += 1)
      await ask(
        { email: `net-${request}@example.com` },
        { ip: `2001:db8:1:2::${request + 1}`, agent: `agent ${request}` },
      )
    t.equal(await queued({ email: 'net-49@example.com' }), 1)
    t.equal(await queued({ email: 'net-50@example.com' }), 0)
    await a.asOwner(
      sql =>
        sql`update account_counters set window_started_at = now() - interval '1 hour' where kind = 'code.network.hour'`,
    )
    t.equal(await queued({ email: 'net-51@example.com' }), 0)
    await ask({ email: 'net-51@example.com' }, network)
    t.equal(await queued({ email: 'net-51@example.com' }), 1, 'a refused request has used up no turn of the address')
    await a.asOwner(sql => sql`update account_counters set taken = 200 where kind = 'code.network.day' and taken > 50`)
    await ask({ email: 'net-60@example.com' }, network)
    t.equal(await queued({ email: 'net-60@example.com' }), 0)
    t.match((await events('code.throttled')).at(-1), { after: { limit: 'code.network.day' }, tenant_id: a.platform })
  })
  await t.test('sixteen at once get one code', async t => {
    const one = { email: 'sixteen@example.com' }
    await register(one)
    await Promise.all(Array.from({ length: 16 }, () => ask(one)))
    t.equal((await a.messagesTo(one.email)).length, 1)
    t.equal((await tell(one, await codeOf(one))).status, 200)
  })
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

t.test('known, unknown, suspended and throttled', async t => {
  await wait('1 day')
  const known = { email: 'known@example.com' }
  const suspended = { email: 'suspended@example.com' }
  await register(known)
  const id = await register(suspended)
  const early = await getCode(suspended)
  await a.asOwner(sql => sql`update users set status = 'suspended' where id = ${id}`)
  await wait('1 day')
  await t.test('are answered alike when they ask, by one statement each', async t => {
    const answers = []
    for (const contact of [known, { email: 'unknown@example.com' }, suspended, known, { phone: '+33123456789' }])
      answers.push(await counting(() => ask(contact)))
    t.equal(new Set(answers).size, 1)
    t.ok(answers[0]?.startsWith('1 [202,'))
  })
  await t.test('cost a message each, which is dropped where there is nobody to send it to', async t => {
    await a.asOwner(sql => sql`update tenants set settings = '{}' where id = ${a.company}`)
    await wait('1 day')
    for (const contact of [suspended, { email: 'closed@example.com' }]) {
      await ask(contact)
      const [message] = await a.messagesTo(contact.email)
      t.match(message, { template: 'sign-in-code', status: 'dropped', data: null })
      t.ok(await challengeOf(contact.email))
    }
    t.match((await events('code.requested')).slice(-2), [
      { after: { refusal: 'user-suspended' }, tenant_id: a.company },
      { after: { refusal: 'registration-closed' }, tenant_id: a.platform },
    ])
    await a.asOwner(sql => sql`update tenants set settings = '{"self_registration": true}' where id = ${a.company}`)
  })
  await t.test('are answered alike when they guess, by one statement each', async t => {
    await a.asOwner(
      sql =>
        sql`update otp_challenges set expires_at = now() - interval '1 second' where destination = 'unknown@example.com'`,
    )
    const answers = []
    const guesses = [
      known,
      { email: 'unknown@example.com' },
      suspended,
      { email: 'never@example.com' },
      { phone: '+33123456789' },
    ]
    for (const contact of guesses) answers.push(await counting(() => tell(contact, '000000')))
    answers.push(await counting(() => tell(known, 'no code')))
    t.equal(new Set(answers).size, 1)
    t.ok(answers[0]?.startsWith('1 [400,'))
  })
  await t.test('a right code lets nobody in who was suspended meanwhile, nor into a closed tenant', async t => {
    await wait('1 day')
    await a.asOwner(sql => sql`update users set status = 'active' where id = ${id}`)
    const code = await getCode(suspended)
    t.not(code, early)
    await a.asOwner(sql => sql`update users set status = 'suspended' where id = ${id}`)
    const one = await counting(() => tell(suspended, code))
    t.match((await events('code.refused')).at(-1), { after: { reason: 'user-suspended' }, target_id: id })
    t.equal(one, await counting(() => tell({ email: 'never@example.com' }, '000000')))
    await wait('1 day')
    const open = await getCode(known)
    await a.asOwner(sql => sql`update tenants set status = 'suspended' where id = ${a.company}`)
    t.ok(isInvalid(await tell(known, open)))
    t.equal(await lastReason(), 'tenant-suspended')
    await a.asOwner(sql => sql`update tenants set status = 'active' where id = ${a.company}`)
    t.ok(isInvalid(await tell(known, open)), 'it was spent')
  })
})

t.test('a new address', async t => {
  await wait('1 day')
  await t.test('becomes a person of the default tenant, verified and without a password', async t => {
    for (const [contact, member, method] of [
      [{ email: 'New.One@example.com' }, 'email', 'otp'],
      [{ phone: '+1 202-555-0123' }, 'phone', 'sms'],
    ] as const) {
      await ask(contact)
      const address = member === 'email' ? 'new.one@example.com' : '+12025550123'
      const answer = await tell(contact, await a.codeFor(address))
      t.match(claimsOf(answer), { tid: a.company, roles: ['member'], amr: [method] })
      const person = await personOf(claimsOf(answer).sub)
      t.match(person, { [member]: address, [`${member}_verified_at`]: Date, status: 'active' })
      t.match((await events('user.registered')).at(-1), { target_id: person['id'], tenant_id: a.company })
    }
    t.match(await send('/api/v1/tokens', { email: 'new.one@example.com', password }, home), { status: 401 })
  })
  await t.test('becomes one person when two devices tell the code sixteen times at once', async t => {
    const contact = { email: 'new.race@example.com' }
    const code = await getCode(contact)
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => tell(contact, code, index % 2 === 0 ? home : stranger)),
    )
    t.equal(answers.filter(answer => answer.status === 200).length, 1)
    t.equal(answers.filter(isInvalid).length, 15)
    const [row] = await a.asOwner(sql => sql`select count(*)::int as people from users where email = ${contact.email}`)
    t.equal(row?.people, 1)
  })
  await t.test('becomes nobody where registration is closed', async t => {
    const contact = { email: 'new.closed@example.com' }
    for (const tenant of ['platform', 'nowhere']) {
      await ask({ ...contact, tenant })
      t.equal(await queued(contact), 0)
      await wait('1 day')
    }
    const code = await getCode(contact)
    await a.asOwner(sql => sql`update tenants set settings = '{}' where id = ${a.company}`)
    t.ok(isInvalid(await tell(contact, code)))
    t.equal(await lastReason(), 'registration-closed')
    t.match(await a.asOwner(sql => sql`select id from users where email = ${contact.email}`), [])
    await a.asOwner(sql => sql`update tenants set settings = '{"self_registration": true}' where id = ${a.company}`)
  })
  await t.test('that somebody registers meanwhile is theirs: the code opens nothing', async t => {
    const contact = { email: 'new.taken@example.com' }
    const code = await getCode(contact)
    const id = await register(contact, stranger)
    t.ok(isInvalid(await tell(contact, code)))
    t.match(await personOf(id), { email_verified_at: null })
  })
})

t.test('an account that somebody else has made beforehand', async t => {
  await wait('1 day')
  const contact = { email: 'victim@example.com' }
  const id = await register(contact, stranger)
  const planted = await send('/api/v1/tokens', { ...contact, password }, stranger)
  await a.asOwner(
    sql => sql`insert into refresh_keys (tenant_id, user_id, hash) values (${a.company}, ${id}, 'a hash')`,
  )
  await t.test('is its owner’s alone once they have shown that the address is theirs', async t => {
    const answer = await tell(contact, await getCode(contact))
    t.match(claimsOf(answer), { sub: id })
    t.match(await send('/api/v1/tokens', { ...contact, password }, stranger), { status: 401 })
    t.match(await send('/api/v1/tokens/refresh', { refresh_token: planted.body.refresh_token }, stranger), {
      status: 401,
      body: { code: 'session-ended' },
    })
    t.match(await a.asOwner(sql => sql`select from refresh_keys where user_id = ${id}`), [])
    const devices = await a.asOwner(sql => sql`select count(*)::int as known from known_devices where user_id = ${id}`)
    t.match(devices, [{ known: 1 }], 'only the device of now')
    t.match((await events('user.claimed')).at(-1), {
      target_id: id,
      tenant_id: a.company,
      after: { channel: 'email', password_removed: true, refresh_key_removed: true, sessions_ended: 1 },
      ip: home.ip,
    })
    t.equal((await send('/api/v1/tokens/refresh', { refresh_token: answer.body.refresh_token }, home)).status, 200)
  })
  await t.test('is not entered again by a sign-in that waited while its password was taken away', async t => {
    const raced = { email: 'raced@example.com' }
    const person = await register(raced, stranger)
    const answer = await a.asOwner(async sql => {
      await sql`begin`
      await sql`select from users where id = ${person} for update`
      await sql`delete from password_credentials where user_id = ${person}`
      const entering = send('/api/v1/tokens', { ...raced, password }, stranger)
      for (let waiting = 0; waiting === 0; ) {
        await sql`select pg_stat_clear_snapshot()`
        const rows = await sql`
          select from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query like '%open_session%'`
        waiting = rows.length
      }
      await sql`commit`
      return entering
    })
    t.match(answer, { status: 401, body: { code: 'invalid-credentials' } })
  })
  await t.test('stays as it is on the device from which it was made', async t => {
    const own = { email: 'own@example.com' }
    await register(own)
    const before = (await events('user.claimed')).length
    t.equal((await tell(own, await getCode(own))).status, 200)
    t.equal((await events('user.claimed')).length, before)
    t.equal((await send('/api/v1/tokens', { ...own, password }, home)).status, 200)
  })
  await t.test('is claimed once: a verified address changes nothing any more', async t => {
    await wait('1 day')
    const own = { email: 'own@example.com' }
    t.equal((await tell(own, await getCode(own, stranger), stranger)).status, 200)
    t.equal((await send('/api/v1/tokens', { ...own, password }, home)).status, 200)
  })
  await t.test('is not opened by a mistyped number, but on a device of its owner', async t => {
    const phone = '+919876543210'
    const person = { email: 'typo@example.com', phone }
    await register(person)
    t.equal((await tell({ email: person.email }, await getCode({ email: person.email }))).status, 200)
    await wait('1 day')
    t.equal((await ask({ phone }, stranger)).status, 202)
    t.match(await a.messagesTo(phone), [{ status: 'dropped' }])
    t.match((await events('code.requested')).at(-1), { after: { refusal: 'address-not-verified' } })
    await wait('1 day')
    const code = await getCode({ phone })
    t.ok(isInvalid(await tell({ phone }, code, stranger)), 'nor with a code that was meant for the owner')
    await wait('1 day')
    t.equal((await tell({ phone }, await getCode({ phone }))).status, 200)
  })
})
