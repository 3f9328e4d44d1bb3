import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { newId, type SessionId } from '@signet/kernel'
import t from 'tap'
import { createRefreshTokens } from '../src/refresh-token.ts'
import { createUnansweredRefreshes } from '../src/unanswered-refreshes.ts'
import { type Answer, testApp, type Tokens } from './test-app.ts'

const a = await testApp(t)
const ada = await a.register({ email: 'ada@example.com' })

const refresh = (refreshToken: string): Promise<Answer> =>
  a.post('/api/v1/tokens/refresh', { refresh_token: refreshToken })
const sessionOf = (tokens: Tokens): string =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString()).sid

/** Turns the times of one family back, as if they lay so long ago. */
async function age(tokens: Tokens, seconds: number): Promise<void> {
  const sid = sessionOf(tokens)
  await a.asOwner(async sql => {
    await sql`update refresh_tokens set rotated_at = rotated_at - make_interval(secs => ${seconds}),
      expires_at = expires_at - make_interval(secs => ${seconds}) where session_id = ${sid}`
    await sql`update sessions set authenticated_at = authenticated_at - make_interval(secs => ${seconds}),
      expires_at = expires_at - make_interval(secs => ${seconds}) where id = ${sid}`
  })
}

const familyOf = (tokens: Tokens) =>
  a.asOwner(async sql => {
    const [row] = await sql<{ generation: number; ended: boolean; reason: string | null; events: string[] }[]>`
      select r.generation, s.ended_at is not null as ended, s.end_reason as reason,
        (select array_agg(e.action order by e.at, e.id) from audit_events e where e.session_id = s.id) as events
      from sessions s join refresh_tokens r on r.session_id = s.id where s.id = ${sessionOf(tokens)}`
    return row
  })

t.test('R-01 fifty at once with one token get one successor, twenty rounds', { timeout: 120_000 }, async t => {
  let tokens = await a.signIn('ada@example.com')
  for (let round = 1; round <= 20; round += 1) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(tokens.refresh_token)))
    const successors = new Set(answers.map(answer => answer.body.refresh_token))
    t.equal(successors.size, 1, `round ${round}`)
    t.ok(answers.every(answer => answer.status === 200))
    t.match(await familyOf(tokens), { generation: round, ended: false })
    tokens = answers[0]?.body
  }
  const family = await familyOf(tokens)
  t.equal(family?.events.filter(event => event === 'token.refreshed').length, 20, 'each rotation is audited once')
})

t.test('R-02 reuse after the grace ends the family and is audited', async t => {
  const first = await a.signIn('ada@example.com')
  const second = (await refresh(first.refresh_token)).body as Tokens
  await age(first, 11)
  t.match(await refresh(first.refresh_token), { status: 401, body: { code: 'refresh-token-reused' } })
  t.match(await familyOf(first), {
    ended: true,
    reason: 'refresh-token-reused',
    events: ['session.opened', 'token.refreshed', 'token.reused'],
  })
  t.match(await refresh(second.refresh_token), { status: 401, body: { code: 'session-ended' } }, 'the live leaf too')
  t.match(await a.call('GET', '/api/v1/me', { token: second.access_token }), {
    status: 401,
    body: { code: 'session-ended' },
  })
})

t.test('R-02 a token two generations back is reuse, also within the grace', async t => {
  const first = await a.signIn('ada@example.com')
  const second = (await refresh(first.refresh_token)).body as Tokens
  await refresh(second.refresh_token)
  t.match(await refresh(first.refresh_token), { status: 401, body: { code: 'refresh-token-reused' } })
})

t.test('R-03 within the grace the same successor comes again, never a second branch', async t => {
  const first = await a.signIn('ada@example.com')
  const answers = [
    await refresh(first.refresh_token),
    await refresh(first.refresh_token),
    await refresh(first.refresh_token),
  ]
  t.equal(new Set(answers.map(answer => answer.body.refresh_token)).size, 1)
  t.match(await familyOf(first), { generation: 1, ended: false })
  await age(first, 9)
  t.equal(
    (await refresh(first.refresh_token)).body.refresh_token,
    answers[0]?.body.refresh_token,
    'nine seconds later still',
  )
  t.equal((await refresh(answers[0]?.body.refresh_token)).status, 200, 'and it is the live leaf')
})

t.test('R-04 an answer that was lost after the commit is had by asking again', async t => {
  const first = await a.signIn('ada@example.com')
  const address = new URL(await a.app.listen({ host: '127.0.0.1', port: 0 }))
  const body = JSON.stringify({ refresh_token: first.refresh_token })
  const socket = connect(Number(address.port), address.hostname)
  socket.pause()
  socket.write(
    `POST /api/v1/tokens/refresh HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  while ((await familyOf(first))?.generation === 0) await new Promise(resolve => setImmediate(resolve))
  socket.destroy()
  const again = await refresh(first.refresh_token)
  t.equal(again.status, 200)
  t.equal((await refresh(again.body.refresh_token)).status, 200)
  t.match(await familyOf(first), { generation: 2, ended: false })
})

t.test('R-04 what the database did while it answered nobody is had by asking again, also after the grace', async t => {
  const refreshTokens = createRefreshTokens(randomBytes(32))
  let shiftMs = 0
  const clock = () => Date.now() + shiftMs
  const unanswered = createUnansweredRefreshes(clock)
  const b = await testApp(t, { deps: { refreshTokens, clock, unanswered } })
  await b.register({ email: 'ada@example.com' })
  const first = await b.signIn('ada@example.com')
  const presented = refreshTokens.read(first.refresh_token)
  if (presented === undefined) throw new Error('The token of a sign-in is read.')
  const successor = refreshTokens.succeed(presented)
  const repeat = () => b.post('/api/v1/tokens/refresh', { refresh_token: first.refresh_token })

  await b.asOwner(async sql => {
    await sql`begin`
    await sql`select from refresh_tokens where session_id = ${presented.sessionId} for update`
    t.match(await repeat(), { status: 503, body: { code: 'database-unavailable' } })
    await sql`rollback`
  })
  // As a statement that was under way when the database stopped, and was committed when it went on.
  await b.asOwner(async sql => {
    await sql`select from refresh_session(${presented.sessionId}, ${presented.hash}, ${successor.hash}, '10 seconds', '5 days',
      '127.0.0.1', ${newId()}, null)`
    await sql`update refresh_tokens set rotated_at = now() - interval '11 seconds' where session_id = ${presented.sessionId}`
  })
  t.match(
    await repeat(),
    { status: 200, body: { refresh_token: successor.text } },
    'it has waited for two seconds of these',
  )
  t.match(await repeat(), { status: 200, body: { refresh_token: successor.text } }, 'and so does another tab')
  shiftMs = 11_000
  t.match(
    await repeat(),
    { status: 401, body: { code: 'refresh-token-reused' } },
    'ten seconds after the answer it is reuse',
  )
})

t.test('R-02 a clock that is an hour slow makes the grace no longer than ten minutes', async t => {
  const b = await testApp(t, { deps: { clock: () => Date.now() - 3_600_000 } })
  await b.register({ email: 'ada@example.com' })
  const first = await b.signIn('ada@example.com')
  const repeat = () => b.post('/api/v1/tokens/refresh', { refresh_token: first.refresh_token })
  const second = await repeat()
  const turnBack = (seconds: number) =>
    b.asOwner(
      sql => sql`update refresh_tokens set rotated_at = now() - make_interval(secs => ${seconds})
        where session_id = ${sessionOf(first)}`,
    )
  await turnBack(600)
  t.match(await repeat(), { status: 200, body: { refresh_token: second.body.refresh_token } })
  await turnBack(611)
  t.match(await repeat(), { status: 401, body: { code: 'refresh-token-reused' } })
})

t.test('R-04 of what was not answered', t => {
  let now = 0
  const tokens = createRefreshTokens(randomBytes(32))
  const unanswered = createUnansweredRefreshes(() => now)
  const token = tokens.create(newId<SessionId>())
  t.equal(unanswered.since(token), undefined)
  unanswered.add(token, 0)
  now = 5_000
  unanswered.add(token, now)
  t.equal(unanswered.since(token), 0, 'the first moment counts')
  now = 600_001
  t.equal(unanswered.since(token), undefined, 'for ten minutes')

  unanswered.add(token, now)
  unanswered.answered(token)
  now += 10_000
  unanswered.answered(token)
  t.equal(unanswered.since(token), 600_001, 'ten seconds after an answer')
  now += 1
  t.equal(unanswered.since(token), undefined, 'and no longer')

  unanswered.add(token, now)
  for (let count = 0; count < 10_000; count += 1) unanswered.add(tokens.create(newId<SessionId>()), now)
  t.equal(unanswered.since(token), undefined, 'and only so many are kept')
  t.end()
})

t.test('R-07 a session ends by idleness and by age', async t => {
  await t.test('idle for five days', async t => {
    const idle = await a.signIn('ada@example.com')
    await age(idle, 431_990)
    const tokens = await refresh(idle.refresh_token)
    t.match(tokens, { status: 200, body: { refresh_expires_in: 432_000 } })
    await age(idle, 432_001)
    t.match(await refresh(tokens.body.refresh_token), { status: 401, body: { code: 'session-ended' } })
  })
  await t.test('thirty days old, however often it was refreshed', async t => {
    const old = await a.signIn('ada@example.com')
    await a.asOwner(sql => sql`update sessions set expires_at = now() + interval '1 hour' where id = ${sessionOf(old)}`)
    const tokens = await refresh(old.refresh_token)
    t.ok(tokens.body.refresh_expires_in <= 3_600, 'the last tokens say how long they count')
    await a.asOwner(sql => sql`update sessions set expires_at = now() where id = ${sessionOf(old)}`)
    t.match(await refresh(tokens.body.refresh_token), { status: 401, body: { code: 'session-ended' } })
  })
})

t.test('R-08 suspended, deleted, membership removed, tenant closed: refused at once', async t => {
  const cases: Record<string, (id: string) => Promise<unknown>> = {
    suspended: id => a.asOwner(sql => sql`update users set status = 'suspended' where id = ${id}`),
    deleted: id => a.asOwner(sql => sql`update users set status = 'deleted' where id = ${id}`),
    'membership removed': id => a.asOwner(sql => sql`delete from memberships where user_id = ${id}`),
    'tenant closed': () => a.asOwner(sql => sql`update tenants set status = 'suspended' where id = ${a.company}`),
  }
  for (const [name, strike] of Object.entries(cases)) {
    const email = `${name.replace(' ', '-')}@example.com`
    const person = await a.register({ email })
    const tokens = await a.signIn(email)
    await strike(person.id)
    t.match(await refresh(tokens.refresh_token), { status: 401, body: { code: 'session-ended' } }, name)
    t.match(
      await a.call('GET', '/api/v1/me', { token: tokens.access_token }),
      { status: 401, body: { code: 'session-ended' } },
      name,
    )
    await a.asOwner(sql => sql`update tenants set status = 'active' where id = ${a.company}`)
  }
})

t.test('a refresh token', async t => {
  const tokens = createRefreshTokens(randomBytes(32))
  const sessionId = newId<SessionId>()
  const token = tokens.create(sessionId)
  await t.test('reads back as what it was made of', async t => {
    t.same(tokens.read(token.text), token)
    t.equal(tokens.read(token.text)?.sessionId, sessionId)
    t.same(tokens.succeed(token), tokens.succeed(token), 'the successor is derived')
    t.not(tokens.succeed(token).text, tokens.succeed(tokens.succeed(token)).text)
  })
  await t.test('is refused with any bit changed, and by another secret', async t => {
    const bytes = Buffer.from(token.text, 'base64url')
    let accepted = 0
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const forged = Buffer.from(bytes)
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      if (tokens.read(forged.toString('base64url')) !== undefined) accepted += 1
    }
    t.equal(accepted, 0)
    t.equal(createRefreshTokens(randomBytes(32)).read(token.text), undefined)
  })
  await t.test('has one text: no padding, no other last character, nothing around it', async t => {
    const tail = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const spellings = tail
      .split('')
      .map(last => `${token.text.slice(0, -1)}${last}`)
      .filter(text => text !== token.text)
    const others = [...spellings, `${token.text}=`, ` ${token.text}`, `${token.text}\n`, token.text.slice(0, -1)]
    t.same(
      others.filter(text => tokens.read(text) !== undefined),
      [],
    )
    t.equal(others.length, 67)
  })
  await t.test('that was forged for a living session ends nothing', async t => {
    const victim = await a.signIn('ada@example.com')
    const sid = sessionOf(victim) as SessionId
    const forged = createRefreshTokens(randomBytes(32)).create(sid)
    t.match(await refresh(forged.text), { status: 401, body: { code: 'invalid-refresh-token' } })
    t.equal((await a.post('/api/v1/tokens/revoke', { refresh_token: forged.text })).status, 204)
    t.match(await familyOf(victim), { ended: false, generation: 0 })
  })
  await t.test('that names no session is refused', async t => {
    const orphan = a.deps.refreshTokens.create(newId<SessionId>())
    t.match(await refresh(orphan.text), { status: 401, body: { code: 'invalid-refresh-token' } })
  })
})

t.test('sign-out', async t => {
  await t.test('ends the session, may be repeated, and is audited once', async t => {
    const tokens = await a.signIn('ada@example.com')
    for (let round = 0; round < 2; round += 1) {
      const answer = await a.post('/api/v1/tokens/revoke', { refresh_token: tokens.refresh_token })
      t.equal(answer.status, 204)
      t.equal(answer.text, '')
    }
    t.match(await refresh(tokens.refresh_token), { status: 401, body: { code: 'session-ended' } })
    t.match(await familyOf(tokens), { reason: 'signed-out' })
    t.equal((await familyOf(tokens))?.events.filter(event => event === 'session.ended').length, 1)
  })
  await t.test('answers 204 to what is no token', async t => {
    for (const text of ['nonsense', 'A'.repeat(114), '🦊']) {
      t.equal((await a.post('/api/v1/tokens/revoke', { refresh_token: text })).status, 204, text)
    }
  })
})

t.test('the answer', async t => {
  const tokens = await a.signIn('ada@example.com')
  const answer = await refresh(tokens.refresh_token)
  t.same(Object.keys(answer.body).toSorted(), [
    'access_token',
    'expires_in',
    'refresh_expires_in',
    'refresh_token',
    'token_type',
  ])
  t.match(answer.body, { token_type: 'Bearer', expires_in: 900, refresh_expires_in: 432_000 })
  t.equal(answer.headers['cache-control'], 'no-store')
  await a.asOwner(sql => sql`update password_credentials set must_change = true where user_id = ${ada.id}`)
  t.equal((await refresh(answer.body.refresh_token)).body.password_change_required, true)
  const { body } = await a.post('/api/v1/tokens', { email: 'ada@example.com', password: 'a quiet green harbour' })
  t.equal(body.password_change_required, true)
  await a.asOwner(sql => sql`update password_credentials set must_change = false where user_id = ${ada.id}`)
})
