import t from 'tap'
import { password, testApp } from './test-app.ts'

t.setTimeout(180_000)
const a = await testApp(t)

interface Device {
  readonly ip: string
  readonly agent: string
}
const home: Device = { ip: '192.0.2.10', agent: 'the device at home' }
const stranger: Device = { ip: '198.51.100.7', agent: 'a stranger' }

const guess = async (who: object, typed: string, { ip, agent }: Device) => {
  const answer = await a.app.inject({
    method: 'POST',
    url: '/api/v1/tokens',
    payload: { ...who, password: typed },
    remoteAddress: ip,
    headers: { 'user-agent': agent },
  })
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: answer.body,
    code: answer.json().code as string | undefined,
  }
}
type Guess = Awaited<ReturnType<typeof guess>>

const tally = (answers: readonly Guess[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { status, code } of answers) {
    const what = `${status} ${code ?? ''}`.trim()
    counts[what] = (counts[what] ?? 0) + 1
  }
  return counts
}

/** The window that is running for everybody is over. */
const endWindows = () =>
  a.asOwner(async sql => {
    await sql`update account_counters set window_started_at = window_started_at - interval '15 minutes'`
    await sql`update known_devices set window_started_at = window_started_at - interval '15 minutes'`
  })

/** As after `count` failures in a row, whose windows are over. */
const setFailures = (userId: string, count: number) =>
  a.asOwner(
    sql => sql`
      update account_counters set failures = ${count}, taken = 0, window_started_at = now() - interval '1 hour'
      where subject = ${userId} and kind = 'password'`,
  )

const eventsOf = (userId: string, action: string) =>
  a.asOwner(async sql => [
    ...(await sql<{ after: { reason: string }; ip: string; user_agent: string; request_id: string }[]>`
      select after, ip, user_agent, request_id from audit_events where target_id = ${userId} and action = ${action} order by at`),
  ])

/** What differs from one request to the next, and nothing else. */
const withoutIds = ({ status, headers, text }: Guess): string => {
  const kept = Object.entries(headers).filter(([name]) => !/^(date|x-request-id|retry-after|ratelimit-.*)$/.test(name))
  return JSON.stringify([status, kept, text.replace(/urn:uuid:[\w-]+/, '')])
}

t.test('P-05 two hundred wrong at once: exactly ten are evaluated', { timeout: 120_000 }, async t => {
  const ada = await a.register({ email: 'ada@example.com' })
  const flood = (email: string) =>
    Promise.all(Array.from({ length: 200 }, (_, index) => guess({ email }, `wrong-${index}`, stranger)))
  const rounds: Record<string, Guess[]> = {}
  for (const email of ['ada@example.com', 'nobody@example.com']) {
    const before = a.countHashes()
    const answers = await flood(email)
    rounds[email] = answers
    t.equal(a.countHashes() - before, 10, `${email}: ten hashes`)
    const { '503 database-unavailable': shed = 0, ...rest } = tally(answers)
    // A machine that is busy sheds: what was shed was not evaluated.
    t.same(rest, { '401 invalid-credentials': 10, '429 too-many-attempts': 190 - shed }, email)
    for (const { headers } of answers.filter(answer => answer.status === 429)) {
      const seconds = Number(headers['retry-after'])
      t.ok(Number.isInteger(seconds) && seconds > 0 && seconds <= 900, `Retry-After: ${headers['retry-after']}`)
    }
  }
  const kinds = Object.values(rounds).map(answers =>
    [...new Set(answers.filter(({ status }) => status !== 503).map(withoutIds))].toSorted(),
  )
  t.equal(kinds[0]?.length, 2, 'one refusal for what was evaluated, one for what was not')
  t.same(kinds[0], kinds[1], 'known and unknown are refused alike, byte for byte')

  await t.test('the right password is not tried either', async t => {
    const before = a.countHashes()
    t.equal((await guess({ email: 'ada@example.com' }, password, stranger)).code, 'too-many-attempts')
    t.equal(a.countHashes(), before)
  })
  await t.test('what met the limit is audited once', async t => {
    const events = await eventsOf(ada.id, 'sign-in.throttled')
    t.match(events, [{ after: { reason: 'password' }, ip: stranger.ip, user_agent: stranger.agent }])
    t.equal(events.length, 1)
    t.equal((await eventsOf(ada.id, 'sign-in.failed')).length, 10)
  })
  await t.test('and when the window is over there are ten again', async t => {
    await endWindows()
    for (const email of ['ada@example.com', 'nobody@example.com']) {
      const before = a.countHashes()
      await flood(email)
      t.equal(a.countHashes() - before, 10, email)
    }
  })
})

t.test('P-05 a hundred failures in a row lock the way in for devices that are not known', async t => {
  const { id } = await a.register({ email: 'grace@example.com' })
  t.equal((await guess({ email: 'grace@example.com' }, password, home)).status, 200)
  // Ten windows, ten failures in each: those that were refused unevaluated are none.
  for (let window = 0; window < 10; window += 1) {
    await endWindows()
    for (let each = 0; each < 12; each += 1) await guess({ email: 'grace@example.com' }, 'wrong', stranger)
  }
  t.equal((await eventsOf(id, 'sign-in.failed')).length, 100)
  t.same(await eventsOf(id, 'sign-in.locked'), [], 'a hundred are borne')
  t.same(await a.messagesTo('grace@example.com'), [])
  await endWindows()
  const before = a.countHashes()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => guess({ email: 'grace@example.com' }, password, stranger)),
  )
  t.same(tally(answers), { '429 too-many-attempts': 20 }, 'also with the right password')
  t.equal(a.countHashes(), before)

  await t.test('the owner is told once, and it is audited once', async t => {
    await endWindows()
    await guess({ email: 'grace@example.com' }, 'wrong', stranger)
    t.match(await a.messagesTo('grace@example.com'), [
      { template: 'way-in-locked', status: 'queued', data: { wayIn: 'password' } },
    ])
    t.equal((await a.messagesTo('grace@example.com')).length, 1)
    const events = await eventsOf(id, 'sign-in.locked')
    t.match(events, [{ after: { reason: 'password' }, ip: stranger.ip, user_agent: stranger.agent }])
    t.equal(events.length, 1)
  })
  await t.test('a known device gets in, which opens the way again', async t => {
    t.equal((await guess({ email: 'grace@example.com' }, password, home)).status, 200)
    t.equal((await guess({ email: 'grace@example.com' }, password, { ...stranger, agent: 'another' })).status, 200)
  })
  await t.test('a name that nobody has is locked alike, and its message is dropped', async t => {
    await guess({ email: 'nobody.else@example.com' }, 'wrong', stranger)
    const known = await a.register({ email: 'known@example.com' })
    await guess({ email: 'known@example.com' }, 'wrong', stranger)
    await a.asOwner(sql => sql`update account_counters set failures = 100, taken = 0 where failures = 1`)
    t.equal((await eventsOf(known.id, 'sign-in.locked')).length, 0)
    const one = await guess({ email: 'known@example.com' }, 'wrong', stranger)
    const other = await guess({ email: 'nobody.else@example.com' }, 'wrong', stranger)
    t.equal(withoutIds(one), withoutIds(other))
    t.match([one.status, one.headers['retry-after'], other.headers['retry-after']], [429, '86400', '86400'])
    const dropped = await a.asOwner(async sql => [
      ...(await sql`select tenant_id, status, payload, recipient from outbound_messages where user_id is null`),
    ])
    t.same(dropped, [{ tenant_id: a.platform, status: 'dropped', payload: null, recipient: '' }])
  })
})

t.test('P-06 one account from a thousand addresses is capped', { timeout: 120_000 }, async t => {
  await a.register({ email: 'spread@example.com' })
  const before = a.countHashes()
  for (let batch = 0; batch < 10; batch += 1) {
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        guess({ email: 'spread@example.com' }, 'wrong', { ip: `203.0.${batch}.${index}`, agent: `agent ${index}` }),
      ),
    )
  }
  t.equal(a.countHashes() - before, 10)
})

t.test('P-07 the owner is not locked out by others', async t => {
  const { id } = await a.register({ email: 'owner@example.com' })
  t.equal((await guess({ email: 'owner@example.com' }, password, home)).status, 200)
  await t.test('neither for a quarter of an hour', async t => {
    for (let each = 0; each < 12; each += 1) await guess({ email: 'owner@example.com' }, 'wrong', stranger)
    t.equal((await guess({ email: 'owner@example.com' }, password, stranger)).status, 429)
    t.equal((await guess({ email: 'owner@example.com' }, password, home)).status, 200)
  })
  await t.test('nor by a hundred failures in a row', async t => {
    await guess({ email: 'owner@example.com' }, 'wrong', stranger)
    await setFailures(id, 100)
    t.equal((await guess({ email: 'owner@example.com' }, password, stranger)).headers['retry-after'], '86400')
    t.equal((await guess({ email: 'owner@example.com' }, password, home)).status, 200)
  })
  await t.test('nobody gets a known device by its name alone, nor by its network alone', async t => {
    for (let each = 0; each < 10; each += 1) await guess({ email: 'owner@example.com' }, 'wrong', stranger)
    for (const other of [
      { ip: '198.51.100.99', agent: home.agent },
      { ip: home.ip, agent: 'a neighbour' },
    ])
      t.equal((await guess({ email: 'owner@example.com' }, password, other)).status, 429)
  })
  await t.test('but by the failures of the own device, which do not count for others', async t => {
    const before = a.countHashes()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => guess({ email: 'owner@example.com' }, 'wrong', home)),
    )
    t.same(tally(answers), { '401 invalid-credentials': 10, '429 too-many-attempts': 40 })
    t.equal(a.countHashes() - before, 10)
    t.equal((await guess({ email: 'owner@example.com' }, password, home)).status, 429)
    await endWindows()
    t.equal((await guess({ email: 'owner@example.com' }, password, home)).status, 200, 'until the window is over')
  })
})

t.test('P-08 a person has one counter, whatever they are called by', async t => {
  await a.register({ email: 'many@example.com', username: 'many', phone: '+4915112340000' })
  const ways = [
    { email: 'MANY@example.com' },
    { username: 'Many' },
    { phone: '+4915112340000' },
    { identifier: 'many@example.com' },
    { identifier: 'many', tenant: 'acme' },
  ]
  const before = a.countHashes()
  const answers: Guess[] = []
  for (let round = 0; round < 4; round += 1) for (const way of ways) answers.push(await guess(way, 'wrong', stranger))
  t.same(tally(answers), { '401 invalid-credentials': 10, '429 too-many-attempts': 10 })
  t.equal(a.countHashes() - before, 10)
  await t.test('and so has a name that nobody has, however it is written', async t => {
    const spellings = ['nobody.here@example.com', 'Nobody.Here@example.com', 'nobody.here+1@example.com']
    const unknown: Guess[] = []
    for (let round = 0; round < 4; round += 1)
      for (const email of spellings) unknown.push(await guess({ email }, 'wrong', stranger))
    t.same(tally(unknown), { '401 invalid-credentials': 10, '429 too-many-attempts': 2 })
  })
})

t.test('registration tells that an address is taken, and nothing more about whose it is', async t => {
  const { id } = await a.register({ email: 'taken@example.com', name: 'Taken' })
  const active = await a.post('/api/v1/users', { email: 'taken@example.com', password })
  await a.asOwner(sql => sql`update users set status = 'suspended' where id = ${id}`)
  const suspended = await a.post('/api/v1/users', { email: 'taken@example.com', password })
  const bare = (text: string) => text.replace(/urn:uuid:[\w-]+/, '')
  t.match(active, { status: 409, body: { code: 'email-taken' } })
  t.equal(bare(active.text), bare(suspended.text), 'whether they are suspended is nobody’s business')
  t.notMatch(active.text, id)
})
