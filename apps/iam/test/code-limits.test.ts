import t from 'tap'
import { createCodeCallers, home, stranger, type Device } from './code-callers.ts'
import { testApp } from './test-app.ts'

const a = await testApp(t)
const {
  ask,
  tell,
  register,
  codeOf,
  getCode,
  wrong,
  isInvalid,
  wait,
  queued,
  events,
  challengeOf,
  failuresOf,
  withoutIds,
} = createCodeCallers(a)

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
