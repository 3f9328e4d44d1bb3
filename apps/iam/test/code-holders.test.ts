import t from 'tap'
import { createCodeCallers, home, stranger } from './code-callers.ts'
import { password, testApp } from './test-app.ts'

const a = await testApp(t)
const {
  send,
  ask,
  tell,
  register,
  getCode,
  isInvalid,
  claimsOf,
  wait,
  queued,
  events,
  lastReason,
  personOf,
  challengeOf,
  counting,
} = createCodeCallers(a)

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
