/** V-13, the issuer's side: the bit of a session is set in the transaction that ends it, whichever path that takes. */
import { randomInt } from 'node:crypto'
import { inTenant, runStatement, withAdminClient } from '@signet/db'
import type { UserId } from '@signet/kernel'
import { endUserSessions } from '@signet/accounts'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { rotateKeys } from '../src/modules/keys/key-administration.ts'
import { issuer, password, testApp, type Tokens } from './test-app.ts'
import { type EventReader, listenTo, readList, until } from './verifier-callers.ts'

// No heartbeat while this runs: one that falls between the loss of the database and its return ends the stream, as it should.
const a = await testApp(t, { deps: { streams: { heartbeatMs: 600_000 } } })
const address = await a.app.listen({ host: '127.0.0.1', port: 0 })
await until(async () => (await fetch(`${address}/verifier/events`)).status === 200, 'the database being listened to')
const claimsOf = (tokens: Tokens) =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
const statusOf = (tokens: Tokens): { idx: number; uri: string } => claimsOf(tokens).status.status_list
const isSet = async (tokens: Tokens) => (await readList(a, statusOf(tokens).uri)).isSet(statusOf(tokens).idx)

let people = 0
async function someone() {
  const email = `person-${++people}@example.com`
  const { id } = await a.register({ email })
  return { id: id as UserId, email, tokens: await a.signIn(email) }
}

const reader: EventReader = await listenTo(t, address)
t.equal(reader.status, 200)
/** The event came, and the list says so. */
async function assertRevoked(t: Test, tokens: Tokens): Promise<void> {
  const { idx, uri } = statusOf(tokens)
  await until(() => reader.has('revoked', { uri, idx }), 'the event')
  t.equal(await isSet(tokens), true, 'the list says so')
}

t.test('every way to end a session sets its bit and is told at once', async t => {
  const ways: Readonly<Record<string, () => Promise<Tokens>>> = {
    'signing out': async () => {
      const { tokens } = await someone()
      await a.post('/api/v1/tokens/revoke', { refresh_token: tokens.refresh_token })
      return tokens
    },
    'RFC 7009': async () => {
      const { tokens } = await someone()
      await a.app.inject({
        method: 'POST',
        url: '/oauth2/revoke',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ token: tokens.access_token }).toString(),
      })
      return tokens
    },
    'ending one of the own sessions': async () => {
      const { tokens, email } = await someone()
      const other = await a.signIn(email)
      await a.call('DELETE', `/api/v1/sessions/${claimsOf(tokens).sid}`, { token: other.access_token })
      return tokens
    },
    'ending all other sessions': async () => {
      const { tokens, email } = await someone()
      const other = await a.signIn(email)
      await a.call('DELETE', '/api/v1/sessions', { token: other.access_token })
      t.equal(await isSet(other), false, 'the one that asked goes on')
      return tokens
    },
    'changing the password': async () => {
      const { tokens, email } = await someone()
      const other = await a.signIn(email)
      const body = { current_password: password, new_password: 'a loud red harbour' }
      t.equal((await a.call('PUT', '/api/v1/me/password', { token: other.access_token, body })).status, 204)
      return tokens
    },
    'a lost password': async () => {
      const { tokens, email } = await someone()
      await a.post('/api/v1/password-resets', { email })
      const code = await a.codeFor(email)
      const body = { email, code, new_password: 'a loud red harbour' }
      t.equal((await a.post('/api/v1/password-resets/confirm', body)).status, 200)
      return tokens
    },
    'a refresh token that is used again': async () => {
      const { tokens } = await someone()
      const next = (await a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })).body
      await a.post('/api/v1/tokens/refresh', { refresh_token: next.refresh_token })
      t.match(await a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token }), {
        body: { code: 'refresh-token-reused' },
      })
      return tokens
    },
    'an advisor who advises no more': async () => {
      const [advisor, client] = [await someone(), await someone()]
      await inTenant(a.database.db, a.company, async ({ sql }) => {
        await sql`insert into membership_roles (tenant_id, membership_id, role_id)
          select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = 'advisor'
          where m.tenant_id = ${a.company} and m.user_id = ${advisor.id}`
        await sql`insert into advisor_clients (tenant_id, advisor_id, user_id) values (${a.company}, ${advisor.id}, ${client.id})`
      })
      const made = await a.post('/api/v1/advisor/client-tokens', { user_id: client.id }, advisor.tokens.access_token)
      const acting = (await a.post('/auth/client-token', { token: made.body.token })).body
      await inTenant(
        a.database.db,
        a.company,
        ({ sql }) => sql`delete from advisor_clients where tenant_id = ${a.company} and advisor_id = ${advisor.id}`,
      )
      return acting
    },
    'a client that is suspended, for its sub-clients': async () => {
      const [client, desk] = [await someone(), await someone()]
      await inTenant(a.database.db, a.company, async ({ sql }) => {
        await sql`update users set kind = 'client' where id = ${client.id}`
        await sql`update users set kind = 'sub_client', parent_id = ${client.id} where id = ${desk.id}`
        await sql`update users set status = 'suspended' where id = ${client.id}`
      })
      return desk.tokens
    },
  }
  for (const [name, end] of Object.entries(ways)) await t.test(name, async t => assertRevoked(t, await end()))
})

t.test('a list is a token that verifies by itself', async t => {
  const { tokens } = await someone()
  const { uri } = statusOf(tokens)
  const list = await readList(a, uri)
  t.match(list.header, { alg: 'RS256', typ: 'statuslist+jwt', kid: a.signingKeys.activeKid() })
  t.match(list.payload, { iss: issuer, sub: uri, ttl: 60, status_list: { bits: 1 } })
  t.equal(list.payload.exp - list.payload.iat, 86_400)
  t.ok(Math.abs(list.payload.iat - Date.now() / 1_000) < 10, 'the time of signing')
  await t.test('which no service takes for an access token (F-09)', async t => {
    const answer = await a.call('GET', '/api/v1/me', { token: list.token })
    t.equal(answer.status, 401)
    await t.rejects(
      jwtVerify(list.token, createLocalJWKSet(a.signingKeys.keySet() as never), { issuer, typ: 'at+jwt' }),
      /typ/,
    )
  })
  await t.test('which is not sent twice, and to whoever asks', async t => {
    const ask = (headers: Record<string, string>) => a.app.inject({ url: new URL(uri).pathname, headers })
    const plain = await ask({})
    t.equal(plain.headers['content-type'], 'application/statuslist+jwt')
    t.equal(plain.headers['content-encoding'], undefined)
    t.match(plain.headers, {
      'cache-control': 'public, max-age=60',
      vary: 'accept-encoding',
      'access-control-allow-origin': '*',
    })
    t.match(plain.headers.etag, /^W\/"[\w-]{43}"$/)
    t.equal((await ask({ 'accept-encoding': 'gzip;q=0' })).headers['content-encoding'], undefined)
    t.equal((await ask({ 'accept-encoding': 'br, gzip' })).headers['content-encoding'], 'gzip')
    const again = await ask({ 'if-none-match': String(plain.headers.etag) })
    t.match(again, { statusCode: 304, body: '' })
    t.match(again.headers, { etag: plain.headers.etag, vary: 'accept-encoding' })
    t.equal((await ask({})).body, plain.body, 'and signed once')
  })
  await t.test('which is signed anew with another bit, another key, or after ten minutes', async t => {
    const before = await readList(a, uri)
    await a.post('/api/v1/tokens/revoke', { refresh_token: tokens.refresh_token })
    await assertRevoked(t, tokens)
    const withBit = await readList(a, uri)
    t.not(withBit.etag, before.etag)
    await rotateKeys({ folder: a.keysFolder, tokenLifeMs: 900_000, clock: a.deps.clock })
    await until(() => a.signingKeys.activeKid() !== (withBit.header as { kid: string }).kid, 'the rotation')
    const rotated = await readList(a, uri)
    t.not(rotated.etag, withBit.etag)
    a.clock.shift(600_000)
    t.teardown(() => a.clock.shift(-600_000))
    t.not((await readList(a, uri)).etag, rotated.etag)
  })
  await t.test('and of no other list', async t => {
    for (const id of ['999', '2']) {
      t.match(await a.call('GET', `/status-lists/${id}`), { status: 404, body: { code: 'status-list-not-found' } })
    }
    for (const id of ['0', '01', '-1', '1e3', 'x', '99999999999']) {
      t.equal((await a.call('GET', `/status-lists/${id}`)).status, 400, id)
    }
  })
})

t.test('the lists that count are named', async t => {
  t.strictSame((await a.call('GET', '/status-lists')).body, { status_lists: [`${issuer}/status-lists/1`] })
  const lists = async (life: string) => {
    const rows = await runStatement(
      a.database.db,
      sql => sql<{ list: string }[]>`select list from live_status_lists(${life}::interval) as l (list)`,
    )
    return rows.map(({ list }) => Number(list))
  }
  const { tokens } = await someone()
  const { sid } = claimsOf(tokens)
  await a.asOwner(async sql => {
    await sql`update sessions set status_list = 7 where id = ${sid}`
    await sql`select setval('status_index_draws', 9 * 65536)`
  })
  t.strictSame(await lists('15 minutes'), [1, 7, 10], 'and the one that is drawn from now')
  await a.asOwner(
    sql => sql`update sessions set ended_at = now() - interval '1 hour', end_reason = 'x' where id = ${sid}`,
  )
  t.strictSame(await lists('15 minutes'), [1, 10], 'not one whose tokens have all expired')
  t.strictSame(await lists('2 hours'), [1, 7, 10])
  t.equal((await a.call('GET', '/status-lists/7')).status, 200)
  t.equal((await a.call('GET', '/status-lists/10')).status, 200)
})

t.test('no bit is lost', async t => {
  await t.test('of sixteen sessions that end at once', async t => {
    const { email } = await someone()
    const sessions: Tokens[] = []
    while (sessions.length < 16) sessions.push(await a.signIn(email))
    await Promise.all(sessions.map(tokens => a.post('/api/v1/tokens/revoke', { refresh_token: tokens.refresh_token })))
    for (const tokens of sessions) await assertRevoked(t, tokens)
  })
  await t.test('of those that end while their list is being read', async t => {
    const { id, email } = await someone()
    for (let round = 0; round < 10; round += 1) {
      // A list that nobody has read yet.
      const list = 1_000 + round
      await a.asOwner(sql => sql`select setval('status_index_draws', ${(list - 1) * 65_536})`)
      const sessions = await Promise.all(Array.from({ length: 4 }, () => a.signIn(email)))
      const uri = `${issuer}/status-lists/${list}`
      const [first] = await Promise.all([
        readList(a, uri),
        ...sessions.map(tokens => a.post('/api/v1/tokens/revoke', { refresh_token: tokens.refresh_token })),
      ])
      t.ok(first.count() <= 4)
      for (const tokens of sessions) await assertRevoked(t, tokens)
    }
    await inTenant(a.database.db, a.company, tx => endUserSessions(tx, id, { reason: 'over' }))
  })
  await t.test('and none of what was rolled back is told', async t => {
    const { id, tokens } = await someone()
    await inTenant(a.database.db, a.company, async tx => {
      await endUserSessions(tx, id, { reason: 'never' })
      throw new Error('changed my mind')
    }).catch(() => undefined)
    const { tokens: later } = await someone()
    await a.post('/api/v1/tokens/revoke', { refresh_token: later.refresh_token })
    await assertRevoked(t, later)
    t.equal(reader.has('revoked', statusOf(tokens)), false)
    t.equal(await isSet(tokens), false)
  })
  await t.test('of 2,500 sessions that one statement ends', async t => {
    const { id, email } = await someone()
    await a.signIn(email)
    await a.asOwner(
      sql => sql`insert into sessions (tenant_id, id, user_id, amr, status_list, status_index, expires_at)
        select ${a.company}, new_id(), ${id}, '{pwd}', 5, n, now() + interval '1 day' from generate_series(1, 2500) n`,
    )
    await inTenant(a.database.db, a.company, tx => endUserSessions(tx, id, { reason: 'over' }))
    const uri = `${issuer}/status-lists/5`
    await until(() => reader.events.filter(({ data }) => data.uri === uri).length === 2_500, 'all events')
    t.equal((await readList(a, uri)).count(), 2_500)
  })
  await t.test('and an end is final', async t => {
    const { tokens } = await someone()
    await a.post('/api/v1/tokens/revoke', { refresh_token: tokens.refresh_token })
    await t.rejects(
      a.asOwner(sql => sql`update sessions set ended_at = null, end_reason = null where id = ${claimsOf(tokens).sid}`),
      /the end of a session is final/,
    )
    await assertRevoked(t, tokens)
  })
})

t.test('1 % of 131,072 sessions take at most 3.2 kB on the wire', async t => {
  const { id } = await someone()
  const indexes = new Set<number>()
  while (indexes.size < 1_311) indexes.add(randomInt(131_072))
  await a.asOwner(
    sql => sql`insert into sessions (tenant_id, id, user_id, amr, status_list, status_index, expires_at, ended_at, end_reason)
      select ${a.company}, new_id(), ${id}, '{pwd}', 6, n, now() + interval '1 day', now(), 'x' from unnest(${[...indexes]}::int[]) n`,
  )
  const list = await readList(a, `${issuer}/status-lists/6`)
  t.equal(list.count(), 1_311)
  for (const index of [...indexes].slice(0, 50)) t.equal(list.isSet(index), true)
  t.ok(list.bytes <= 3_200, `${list.bytes} bytes`)
  t.comment(`1 % of a list takes ${list.bytes} bytes with gzip, ${list.token.length} without`)
})

t.test('while the database is not heard nothing stale is signed, and it is heard again by itself', async t => {
  const { tokens } = await someone()
  t.equal(await isSet(tokens), false, 'held from here on')
  const cut = () =>
    withAdminClient(
      a.database.superUrl,
      sql => sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'signet-notices'`,
    )
  for (let round = 0; round < 5; round += 1) {
    const { tokens: next } = await someone()
    const { uri, idx } = statusOf(next)
    const [, revoked] = await Promise.all([
      cut(),
      a.post('/api/v1/tokens/revoke', { refresh_token: next.refresh_token }),
    ])
    t.equal(revoked.status, 204, 'the session has ended')
    await until(() => reader.has('revoked', { uri, idx }), 'what was missed')
    t.equal(await isSet(next), true)
  }
  t.equal(reader.isEnded(), false, 'whoever listens has noticed nothing')
})
