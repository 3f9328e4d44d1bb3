import { inTenant } from '@signet/db'
import type { UserId } from '@signet/kernel'
import t from 'tap'
import { lockPerson, putKey } from '../src/modules/refresh-keys/repo.ts'
import { comparableHeaders, password, testApp, type Tokens } from './test-app.ts'

const log: string[] = []
const a = await testApp(t, { log: { write: line => void log.push(line) } })
const key = 'seven quiet herons over the weir'
const claimsOf = (tokens: Pick<Tokens, 'access_token'>) =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
const eventsOf = (target: string) =>
  a.asOwner(async sql => [
    ...(await sql<{ action: string; ip: string; user_agent: string | null; text: string }[]>`
      select action, ip, user_agent, concat(before, after) as text from audit_events where target_id = ${target} order by at, id`),
  ])
const actionsOf = async (target: string) => (await eventsOf(target)).map(({ action }) => action)
const keyOf = (id: string) =>
  a.asOwner(
    async sql =>
      (
        await sql<{ hash: string; is_short: boolean }[]>`select hash, is_short from refresh_keys where user_id = ${id}`
      )[0],
  )
const setKey = (tokens: Tokens, text: unknown = key) =>
  a.call('PUT', '/api/v1/me/refresh-key', { token: tokens.access_token, body: { key: text } })
const signInBy = (identifier: string, text = key, extra = {}) =>
  a.post('/api/v1/tokens/refresh-key', { identifier, key: text, ...extra })
/** Resolves when a statement waits for a lock of another. */
const waitForLock = async () => {
  for (;;) {
    const waiting = await a.asOwner(
      sql => sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (waiting.length > 0) return
  }
}
const someone = async (name: string) => {
  const { id } = await a.register({ email: `${name}@example.com`, first_name: 'Grace' })
  return { id, email: `${name}@example.com`, tokens: await a.signIn(`${name}@example.com`) }
}
const comparable = (answer: Awaited<ReturnType<typeof signInBy>>) => ({
  status: answer.status,
  headers: comparableHeaders(answer),
  text: answer.text.replaceAll(String(answer.headers['x-request-id']), '<id>'),
})

t.test('a refresh key', async t => {
  const { id, email, tokens } = await someone('ada')
  await t.test('is refused where it is short, long, common, or made of one’s own words', async t => {
    const cases: [string, string][] = [
      ['invalid-input', 'fifteen herons.'],
      ['invalid-input', 'x'.repeat(129)],
      ['password-too-common', 'abababababababab'],
      ['password-own-words', 'a heron of grace, that one'],
    ]
    for (const [code, bad] of cases) t.match(await setKey(tokens, bad), { status: 400, body: { code } }, bad)
    t.equal(await keyOf(id), undefined)
  })
  await t.test('is set, kept as a hash, and signs in as often as it is used', async t => {
    t.equal((await setKey(tokens)).status, 204)
    t.match(await keyOf(id), { hash: /^\$argon2id\$/, is_short: false })
    for (const identifier of [email, email.toUpperCase()]) {
      const { status, body, headers } = await signInBy(identifier)
      t.equal(status, 200)
      t.equal(headers['cache-control'], 'no-store')
      t.match(claimsOf(body), { sub: id, amr: ['pwd'] })
      t.not(claimsOf(body).sid, claimsOf(tokens).sid, 'a session of its own')
    }
    const inCookies = await signInBy(email, key, { cookies: true })
    t.notOk(inCookies.body.access_token)
    t.match(inCookies.headers['set-cookie'], [/^access_token=.*HttpOnly/, /^refresh_token=.*HttpOnly/])
  })
  await t.test('takes the place of the former one', async t => {
    t.equal((await setKey(tokens, 'eight loud geese on the marsh')).status, 204)
    t.equal((await signInBy(email)).status, 401)
    t.equal((await signInBy(email, 'eight loud geese on the marsh')).status, 200)
  })
  await t.test('is taken away, once and again', async t => {
    for (let time = 0; time < 2; time += 1) {
      t.equal((await a.call('DELETE', '/api/v1/me/refresh-key', { token: tokens.access_token })).status, 204)
    }
    t.equal((await signInBy(email, 'eight loud geese on the marsh')).status, 401)
    const events = await eventsOf(id)
    t.same(
      events.map(({ action }) => action).filter(action => action.startsWith('refresh-key')),
      ['refresh-key.set', 'refresh-key.set', 'refresh-key.removed'],
    )
    t.notMatch(JSON.stringify(events), /herons|geese|argon2/, 'no secret in any of them')
  })
  await t.test('is not set by whoever acts for the person', async t => {
    const advisor = await someone('advisor')
    await a.asOwner(
      sql => sql`
        insert into membership_roles (tenant_id, membership_id, role_id)
        select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = 'advisor'
        where m.user_id = ${advisor.id}`,
    )
    await a.asOwner(sql => sql`update sessions set act_sub = ${advisor.id} where id = ${claimsOf(tokens).sid}`)
    t.match(await setKey(tokens), { status: 403, body: { code: 'acting-for-somebody' } })
  })
  await t.test('is one after sixteen were set at once', async t => {
    const many = await someone('several')
    const texts = Array.from({ length: 16 }, (_, index) => `sixteen herons in a row ${index}`)
    const answers = await Promise.all(texts.map(text => setKey(many.tokens, text)))
    t.same(
      answers.map(({ status }) => status),
      texts.map(() => 204),
    )
    const working: string[] = []
    for (const text of texts) {
      if ((await signInBy(many.email, text)).status === 200) working.push(text)
      await a.asOwner(sql => sql`delete from account_counters where subject = ${many.id}`)
      await a.asOwner(sql => sql`update known_devices set taken = 0, failures = 0 where user_id = ${many.id}`)
    }
    t.equal(working.length, 1)
  })
})

t.test('P-08 every path to a token obeys the same limits, and looks the same to whoever is wrong', async t => {
  const known = await someone('known')
  const keyless = await someone('keyless')
  const suspended = await someone('suspended')
  await setKey(known.tokens)
  await setKey(suspended.tokens)
  await a.asOwner(sql => sql`update users set status = 'suspended' where id = ${suspended.id}`)
  const cases = {
    wrong: [known.email, 'seven wrong herons over it'],
    unknown: ['nobody@example.com', key],
    keyless: [keyless.email, key],
    password: [keyless.email, password],
    suspended: [suspended.email, key],
  } as const
  const answers = []
  for (const [name, [identifier, text]] of Object.entries(cases)) {
    const before = a.countHashes()
    answers.push(comparable(await signInBy(identifier, text)))
    t.equal(a.countHashes() - before, 1, `${name} costs one hash`)
  }
  t.match(answers[0], { status: 401, text: /invalid-credentials/ })
  for (const answer of answers) t.same(answer, answers[0])
  await t.test('P-05 sixty wrong ones at once: exactly ten are evaluated', async t => {
    const target = await someone('guessed')
    await setKey(target.tokens)
    await a.asOwner(sql => sql`delete from known_devices where user_id = ${target.id}`)
    const before = a.countHashes()
    const guesses = await Promise.all(
      Array.from({ length: 60 }, (_, index) => signInBy(target.email, `a wrong heron, the ${index}th`)),
    )
    t.equal(a.countHashes() - before, 10)
    t.equal(guesses.filter(({ body }) => body.code === 'invalid-credentials').length, 10)
    const refused = guesses.filter(({ body }) => body.code === 'too-many-attempts')
    t.equal(refused.length, 50)
    t.ok(refused.every(({ status, headers }) => status === 429 && Number(headers['retry-after']) > 0))
    t.equal(
      (await a.post('/api/v1/tokens', { identifier: target.email, password })).status,
      200,
      'a password counts apart',
    )
  })
})

t.test('R-08 a refresh key dies', async t => {
  await t.test('with the password beside it', async t => {
    const { id, email, tokens } = await someone('changer')
    await setKey(tokens)
    const body = { current_password: password, new_password: 'nine blue herons' }
    t.equal((await a.call('PUT', '/api/v1/me/password', { token: tokens.access_token, body })).status, 204)
    t.equal(await keyOf(id), undefined)
    t.equal((await signInBy(email)).status, 401)
  })
  await t.test('with the first password of whoever had none', async t => {
    const { id, tokens } = await someone('first')
    await a.asOwner(sql => sql`delete from password_credentials where user_id = ${id}`)
    await setKey(tokens)
    await a.asOwner(
      sql => sql`insert into password_credentials (tenant_id, user_id, hash) values (${a.company}, ${id}, 'x')`,
    )
    t.equal(await keyOf(id), undefined)
  })
  await t.test('with a suspension, and does not come back', async t => {
    const { id, email, tokens } = await someone('paused')
    await setKey(tokens)
    await a.asOwner(sql => sql`update users set status = 'suspended' where id = ${id}`)
    t.equal((await signInBy(email)).status, 401)
    await a.asOwner(sql => sql`update users set status = 'active' where id = ${id}`)
    t.equal(await keyOf(id), undefined)
    t.equal((await signInBy(email)).status, 401)
  })
  await t.test('also when it was being set while the password changed in another session', async t => {
    const { id, email, tokens: thief } = await someone('raced')
    const owner = await a.signIn(email)
    const reached = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const plain = a.hasher.hash.bind(a.hasher)
    const hold = async (text: string) => {
      const hash = await plain(text)
      if (text === key) {
        reached.resolve()
        await held.promise
      }
      return hash
    }
    Object.assign(a.hasher, { hash: hold })
    const setting = setKey(thief)
    await reached.promise
    const body = { current_password: password, new_password: 'after the race' }
    t.equal((await a.call('PUT', '/api/v1/me/password', { token: owner.access_token, body })).status, 204)
    held.resolve()
    Object.assign(a.hasher, { hash: plain })
    t.match(await setting, { status: 401, body: { code: 'session-ended' } })
    t.equal(await keyOf(id), undefined, 'no key of the ended session is left')
  })
  await t.test('also when its transaction is open while the password changes', async t => {
    const { id, email } = await someone('locked')
    const owner = await a.signIn(email)
    const isSet = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const setting = inTenant(a.database.db, a.company, async tx => {
      await lockPerson(tx, id as UserId)
      await putKey(tx, id as UserId, { hash: 'a hash', isShort: false })
      isSet.resolve()
      await held.promise
    })
    await isSet.promise
    const body = { current_password: password, new_password: 'after the race' }
    const change = a.call('PUT', '/api/v1/me/password', { token: owner.access_token, body })
    await waitForLock()
    held.resolve()
    await setting
    t.equal((await change).status, 204)
    t.equal(await keyOf(id), undefined, 'the change waits for it, and takes it away')
  })
})

t.test('scalable-auth', async t => {
  const set = (tokens: Pick<Tokens, 'access_token'> | null, newKey: string, oldKey?: string) =>
    a.call(
      'POST',
      `/user/access/setrefreshkey/${newKey}${oldKey === undefined ? '' : `?old_key=${oldKey}&unknown=1`}`,
      tokens === null ? {} : { token: tokens.access_token },
    )
  const renew = (token: string, text: string) => a.call('POST', `/user/access/regeneratetoken/${text}`, { token })
  /** Turns the clock past the life of access tokens for the time of `work`. */
  const afterExpiry = async <T>(work: () => Promise<T>): Promise<T> => {
    a.clock.shift(1_000_000)
    try {
      return await work()
    } finally {
      a.clock.shift(-1_000_000)
    }
  }
  const detail = (status: number, text: string | RegExp) => ({ status, body: { detail: text } })

  await t.test('sets a key once, and changes it with the old one', async t => {
    const { id, tokens } = await someone('number')
    const first = await set(tokens, '1234')
    t.match(first, detail(200, 'Refresh key set'))
    t.match(first.headers, { deprecation: /^@\d+$/, link: '</api/v1/me/refresh-key>; rel="successor-version"' })
    t.match(await keyOf(id), { is_short: true })
    for (const wrong of [await set(tokens, '5678'), await set(tokens, '5678', '9999')]) {
      t.match(wrong, detail(401, "Old key didn't match"))
      t.same(Object.keys(wrong.body), ['detail'])
      t.equal(wrong.headers['content-type'], 'application/json')
    }
    t.match(await set(tokens, '5678', '1234'), detail(200, 'Refresh key set'))
    t.match(await set(tokens, '5678', '1234'), detail(401, "Old key didn't match"))
    t.ok((await actionsOf(id)).includes('refresh-key.set'))
  })
  await t.test('answers in its own form what is no key, and nobody', async t => {
    const { tokens } = await someone('form')
    for (const bad of ['123', 'abcd', '12a4', '%31%32', '1'.repeat(129)]) {
      const answer = await set(tokens, bad)
      t.match(answer, { status: 422, body: { detail: [{ loc: ['path', 'new_key'], type: 'value_error' }] } }, bad)
    }
    const nobody = await set(null, '1234')
    t.equal(nobody.status, 401)
    t.same(Object.keys(nobody.body), ['detail'])
    t.match(nobody.headers['www-authenticate'], /^Bearer/)
  })
  await t.test('is changed by one of sixteen who know the same old key', async t => {
    const { id, tokens } = await someone('changers')
    await set(tokens, '1000')
    // Five guesses are open at a time: whoever is right has them all again.
    const answers = await Promise.all(Array.from({ length: 16 }, (_, index) => set(tokens, `20${index + 10}`, '1000')))
    t.equal(answers.filter(({ status }) => status === 200).length, 1)
    t.equal(answers.filter(({ status }) => status === 401).length, 15)
    const count = (await actionsOf(id)).filter(action => action === 'refresh-key.set').length
    t.equal(count, 2)
  })
  await t.test('a short key is worth nothing without a token', async t => {
    const { email, tokens } = await someone('short')
    await set(tokens, '1234567890123456')
    t.match(await signInBy(email, '1234567890123456'), { status: 401, body: { code: 'invalid-credentials' } })
  })
  await t.test('renews an expired token of a session that is alive', async t => {
    const { id, tokens } = await someone('renewer')
    t.match(await renew(tokens.access_token, '1234'), detail(403, 'The token has not expired yet'))
    t.match(await afterExpiry(() => renew(tokens.access_token, '1234')), detail(403, 'No refresh key is set'))
    await set(tokens, '1234')
    const answer = await afterExpiry(() => renew(tokens.access_token, '1234'))
    t.match(answer, detail(200, 'Token regenerated'))
    t.match(answer.headers, { deprecation: /^@\d+$/, link: /tokens\/refresh-key/, 'cache-control': 'no-store' })
    const claims = claimsOf({ access_token: answer.body.token })
    t.match(claims, { sub: id, sid: claimsOf(tokens).sid, roles: ['member'] })
    t.ok(claims.exp > claimsOf(tokens).exp)
    t.equal(
      (await a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })).status,
      200,
      'its refresh token lives',
    )
    const events = await eventsOf(claims.sid)
    t.match(
      events.find(({ text }) => text.includes('refresh-key')),
      { action: 'token.refreshed', ip: '127.0.0.1' },
    )
  })
  await t.test('renews nothing for a token that is none of ours, or over, or somebody else’s', async t => {
    const { id, tokens } = await someone('strict')
    await set(tokens, '1234')
    const [header = '', payload = '', signature = ''] = tokens.access_token.split('.')
    const later = Buffer.from(JSON.stringify({ ...claimsOf(tokens), exp: 1 })).toString('base64url')
    const forged = [
      `${header}.${later}.${signature}`,
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`,
      'nonsense',
      `${header}.${Buffer.from('{"exp":"1"}').toString('base64url')}.${signature}`,
    ]
    for (const token of forged) {
      const answer = await afterExpiry(() => renew(token, '1234'))
      t.equal(answer.status, 401)
      t.same(Object.keys(answer.body), ['detail'])
    }
    t.equal((await a.call('POST', '/user/access/regeneratetoken/1234')).status, 401)
    const other = await someone('other')
    t.match(await afterExpiry(() => renew(other.tokens.access_token, '1234')), { status: 403 }, 'it has no key')
    await a.asOwner(sql => sql`update users set status = 'suspended' where id = ${id}`)
    t.match(await afterExpiry(() => renew(tokens.access_token, '1234')), detail(401, "Refresh key didn't match"))
    const ended = await someone('ended')
    await set(ended.tokens, '1234')
    await a.post('/api/v1/tokens/revoke', { refresh_token: ended.tokens.refresh_token })
    t.match(await afterExpiry(() => renew(ended.tokens.access_token, '1234')), detail(401, "Refresh key didn't match"))
    const acted = await someone('acted')
    await set(acted.tokens, '1234')
    await a.asOwner(sql => sql`update sessions set act_sub = ${other.id} where id = ${claimsOf(acted.tokens).sid}`)
    t.match(await afterExpiry(() => renew(acted.tokens.access_token, '1234')), detail(401, "Refresh key didn't match"))
  })
  await t.test('ends the session at the fifth wrong key in a row, however many come at once', async t => {
    const { id, email, tokens } = await someone('wronged')
    await set(tokens, '1234')
    await afterExpiry(async () => {
      for (const text of ['1', '2', '3', '4']) t.equal((await renew(tokens.access_token, text)).status, 401)
      t.equal((await renew(tokens.access_token, '1234')).status, 200, 'whoever is right begins anew')
      const before = a.countHashes()
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => renew(tokens.access_token, `9${index}`)),
      )
      t.same([...new Set(answers.map(({ status }) => status))], [401])
      t.equal(a.countHashes() - before, 5, 'five are evaluated')
      t.match(await renew(tokens.access_token, '1234'), { status: 401 })
    })
    t.match(await a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token }), {
      status: 401,
      body: { code: 'session-ended' },
    })
    t.equal((await actionsOf(id)).filter(action => action === 'refresh-key.refused').length, 9)
    t.equal((await a.post('/api/v1/tokens', { identifier: email, password })).status, 200, 'and nothing else')
  })
  await t.test('no key in an address gets into the log', async t => {
    const { tokens } = await someone('logged')
    for (const text of ['48151623', '4815162x', '4815162342/']) await set(tokens, text, '48151623')
    await afterExpiry(() => renew(tokens.access_token, '48151623'))
    const lines = log.join('')
    t.match(lines, '/user/access/setrefreshkey/:new_key', 'the log writes patterns')
    t.notMatch(lines, /4815162/)
  })
})
