import { generateKeyPairSync } from 'node:crypto'
import { createVerifier } from '@signet/verifier'
import { createTestIssuer } from '@signet/verifier/testing'
import t from 'tap'
import { answerJson, header, type KeyServer, reasonOf, startKeyServer } from './forge.ts'
import { claimsOf, minute, setUp, waitUntil } from './remote-issuer.ts'

t.test('V-01 keys unavailable at start: not ready, 503, never accepts', async t => {
  const { clock, issuer, server, verifier } = await setUp(t)
  const publish = server.answer
  const token = issuer.token()
  t.strictSame(verifier.health(), { ready: false, keys: 0, keysAgeMs: Number.POSITIVE_INFINITY })
  t.equal(await reasonOf(() => verifier.verifySync(token)), 'keys_unavailable', 'verifySync before warmUp')
  await waitUntil(() => verifier.health().ready)
  t.ok(verifier.verifySync(token), 'has asked for the keys')
  const faults: Record<string, KeyServer['answer']> = {
    'a dead server': (_, response) => void response.destroy(),
    'status 500': answerJson({}, 500),
    'an empty set': answerJson({ keys: [] }),
    'no set': answerJson([]),
  }
  for (const [name, answer] of Object.entries(faults)) {
    const late = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, now: () => clock.nowMs })
    t.teardown(() => late.close())
    server.answer = answer
    t.equal(await reasonOf(() => late.warmUp()), 'keys_unavailable', `${name}: warmUp`)
    const refusal = await late.verify(token).catch((error: unknown) => error)
    t.match(refusal, { reason: 'keys_unavailable', status: 503 }, `${name}: verify`)
    t.equal(late.health().ready, false, `${name}: not ready`)
    const hits = server.hits()
    server.answer = publish
    t.equal(
      await reasonOf(() => late.verify(token)),
      'keys_unavailable',
      `${name}: no fetch within a second of the last`,
    )
    t.equal(server.hits(), hits)
    clock.nowMs += 1_001
    t.equal((await late.verify(token)).subject, claimsOf(token).sub, `${name}: accepts once the keys are there`)
    t.ok(late.health().ready)
    clock.nowMs -= 1_001
  }
})

t.test('V-02 keys unavailable later: cached keys serve for keysMaxStaleMs, then 503', async t => {
  const { clock, issuer, server, stale, verifier } = await setUp(t, { keysMaxStaleMs: 60 * minute })
  const publish = server.answer
  await verifier.warmUp()
  server.answer = (_, response) => void response.destroy()
  for (const age of [6, 20, 59]) {
    clock.nowMs += (age - Math.floor(verifier.health().keysAgeMs / minute)) * minute
    t.ok(await verifier.verify(issuer.token()), `at ${age} minutes`)
    await waitUntil(() => stale.length > 0)
  }
  t.ok(
    stale.every(ageMs => ageMs >= 6 * minute),
    'and the listener hears that they are stale',
  )
  clock.nowMs += minute
  t.ok(verifier.verifySync(issuer.token()), 'at the last millisecond')
  clock.nowMs += 1
  const token = issuer.token()
  t.equal(await reasonOf(() => verifier.verify(token)), 'keys_unavailable', 'and not a millisecond longer')
  t.equal(await reasonOf(() => verifier.verifySync(token)), 'keys_unavailable')
  t.equal(verifier.health().ready, false)
  server.answer = publish
  clock.nowMs += 30_001
  t.ok(await verifier.verify(token), 'and again when the issuer is back')
})

t.test('V-02 a remembered token does not outlive the keys', async t => {
  const { clock, issuer, server, verifier } = await setUp(t, { keysMaxStaleMs: 10 * minute })
  const token = issuer.token()
  await verifier.verify(token)
  server.answer = (_, response) => void response.destroy()
  clock.nowMs += 10 * minute
  t.ok(await verifier.verify(token))
  clock.nowMs += 1
  t.equal(await reasonOf(() => verifier.verify(token)), 'keys_unavailable')
})

t.test('V-02 nobody waits for an issuer that is known to be down', async t => {
  const { clock, issuer, server, stale, verifier } = await setUp(t, { keys: { timeoutMs: 60_000 } })
  await verifier.warmUp()
  server.answer = (_, response) => void response.destroy()
  clock.nowMs += 11 * minute
  t.ok(await verifier.verify(issuer.token()), 'the first request after a long rest has waited')
  t.equal(stale.length, 1)
  server.answer = () => undefined
  clock.nowMs += minute
  const hits = server.hits()
  t.ok(await verifier.verify(issuer.token()), 'the next is answered while the issuer hangs')
  await waitUntil(() => server.hits() === hits + 1)
})

t.test('V-03 the key endpoint misbehaves: time-out, old keys kept', async t => {
  const { clock, issuer, server, verifier } = await setUp(t, { keys: { timeoutMs: 200, cooldownMs: 1_000 } })
  await verifier.warmUp()
  const elsewhere = await startKeyServer(answerJson(createTestIssuer().jwks))
  t.teardown(() => elsewhere.close())
  const json = { 'content-type': 'application/json' }
  const faults: Record<string, KeyServer['answer']> = {
    'never answers': () => undefined,
    'drips without end': (_, response) => {
      response.writeHead(200, json)
      const drip = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(drip))
    },
    '10 MB': (_, response) => void response.writeHead(200, json).end(`{"keys":[],"x":"${'y'.repeat(10_485_760)}"}`),
    HTML: (_, response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end(JSON.stringify({ keys: [] })),
    'HTML said to be JSON': (_, response) => void response.writeHead(200, json).end('<html></html>'),
    'JSON that is no set': answerJson({ keys: 'none' }),
    'a redirect': (_, response) => void response.writeHead(302, { location: elsewhere.url }).end(),
    'an error': answerJson(issuer.jwks, 500),
    'a broken answer': (_, response) => {
      response.writeHead(200, { ...json, 'content-length': '100' }).write('{')
      response.destroy()
    },
  }
  for (const [name, answer] of Object.entries(faults)) {
    server.answer = answer
    clock.nowMs += 1_001
    const hits = server.hits()
    const started = performance.now()
    t.equal(
      await reasonOf(() => verifier.verify(issuer.token({}, { kid: 'unknown' }))),
      'unknown_key',
      `${name}: asked for an unknown key`,
    )
    t.ok(performance.now() - started < 3_000, `${name}: ends`)
    t.equal(server.hits(), hits + 1, `${name}: was asked once`)
    t.ok(await verifier.verify(issuer.token()), `${name}: the old keys serve`)
    t.ok(verifier.health().keysAgeMs > 0, `${name}: and are confirmed by nothing`)
  }
  t.equal(elsewhere.hits(), 0, 'no redirect is followed')
})

t.test('V-03 a fetch function that ignores its signal still ends', async t => {
  const verifier = createVerifier({
    issuer: 'https://issuer.test',
    audience: 'signet',
    keys: { timeoutMs: 20, fetch: () => new Promise(() => undefined) },
  })
  t.equal(await reasonOf(() => verifier.warmUp()), 'keys_unavailable')
  let calls = 0
  let nowMs = 0
  const closing = createVerifier({
    issuer: 'https://issuer.test',
    audience: 'signet',
    keys: {
      timeoutMs: 60_000,
      fetch: () => {
        calls++
        return new Promise(() => undefined)
      },
    },
    now: () => nowMs,
  })
  const warming = reasonOf(() => closing.warmUp())
  await waitUntil(() => calls === 1)
  closing.close()
  t.equal(await warming, 'keys_unavailable', 'close ends it at once')
  nowMs += minute
  t.equal(await reasonOf(() => closing.warmUp()), 'keys_unavailable')
  t.equal(calls, 1, 'and no other is started')
})

t.test('V-04 10,000 unknown kids: one fetch a cool-down, good tokens unaffected', async t => {
  const { clock, issuer, server, verifier } = await setUp(t, { cache: false })
  await verifier.warmUp()
  const good = issuer.token()
  const [, payload, signature] = good.split('.')
  const unknown = (n: number) =>
    `${Buffer.from(JSON.stringify(header(issuer, { kid: `kid-${n}` }))).toString('base64url')}.${payload}.${signature}`
  for (const cooldown of [1, 2]) {
    clock.nowMs += 30_001
    const hits = server.hits()
    let refused = 0
    for (let batch = 0; batch < 10; batch++) {
      const reasons = await Promise.all(
        Array.from({ length: 500 }, (_, n) => reasonOf(() => verifier.verify(unknown(batch * 500 + n)))),
      )
      refused += reasons.filter(reason => reason === 'unknown_key').length
      t.ok(await verifier.verify(good), 'a good token in between')
    }
    t.equal(refused, 5_000)
    t.equal(server.hits(), hits + 1, `cool-down ${cooldown}: one fetch`)
  }
})

t.test('V-05 500 cold requests: one fetch', async t => {
  const { issuer, server, verifier } = await setUp(t)
  const tokens = Array.from({ length: 10 }, () => issuer.token())
  const principals = await Promise.all(Array.from({ length: 500 }, (_, n) => verifier.verify(tokens[n % 10] ?? '')))
  t.equal(principals.length, 500)
  t.equal(server.hits(), 1)
})

t.test('V-06 a new key is accepted within one refetch', async t => {
  const { clock, issuer, refreshed, server, verifier } = await setUp(t)
  await verifier.warmUp()
  const { kid } = issuer.rotate()
  clock.nowMs += 30_001
  t.ok(await verifier.verify(issuer.token()))
  t.equal(server.hits(), 2)
  t.ok(refreshed.at(-1)?.includes(kid), 'and the listener hears of it')
  issuer.rotate()
  clock.nowMs += 30_001
  const token = issuer.token()
  t.equal(await reasonOf(() => verifier.verifySync(token)), 'unknown_key', 'verifySync does not wait for it')
  await waitUntil(() => server.hits() === 3 && refreshed.length === 3)
  t.ok(verifier.verifySync(token), 'but has asked for it')
})

t.test('V-06 a removed key is refused within the maximum age', async t => {
  const { clock, issuer, server, verifier } = await setUp(t)
  const token = issuer.token({ exp: Math.floor(clock.nowMs / 1000) + 86_400 })
  const { kid } = issuer.key
  await verifier.verify(token)
  issuer.rotate()
  issuer.removeKey(kid)
  clock.nowMs += 5 * minute
  t.ok(await verifier.verify(token), 'fresh keys are trusted')
  t.equal(server.hits(), 1)
  clock.nowMs += 1
  t.ok(await verifier.verify(token), 'older ones serve while they are renewed')
  await waitUntil(() => verifier.health().keysAgeMs === 0)
  t.equal(await reasonOf(() => verifier.verify(token)), 'unknown_key', 'and then the key is gone')

  const idle = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, now: () => clock.nowMs })
  t.teardown(() => idle.close())
  const second = issuer.token({ exp: Math.floor(clock.nowMs / 1000) + 86_400 })
  await idle.verify(second)
  const gone = issuer.key.kid
  issuer.rotate()
  issuer.removeKey(gone)
  clock.nowMs += 10 * minute + 1
  t.equal(
    await reasonOf(() => idle.verify(second)),
    'unknown_key',
    'after a long rest the first request asks before it trusts',
  )
})

t.test('V-06 the age of keys does not depend on one clock', async t => {
  const issuer = createTestIssuer()
  const RealDate = globalThis.Date.now
  t.teardown(() => {
    globalThis.Date.now = RealDate
  })
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: issuer.fetch } })
  await verifier.warmUp()
  globalThis.Date.now = () => RealDate() - 3_600_000
  t.ok(verifier.health().keysAgeMs >= 0, 'a wall clock set back makes nothing younger')
  globalThis.Date.now = () => RealDate() + 3_600_000
  t.ok(verifier.health().keysAgeMs >= 3_600_000, 'sleep of the machine counts')
})

t.test('V-07 keys that must not be used are ignored with a warning', async t => {
  const { ignored, issuer, server, verifier } = await setUp(t)
  const [jwk] = issuer.jwks.keys
  const other = createTestIssuer()
  const third = createTestIssuer()
  const secret = issuer.key.privateKey.export({ format: 'jwk' })
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const e = (value: number[]) => Buffer.from(value).toString('base64url')
  const bad: Record<string, unknown> = {
    private: { ...secret, kid: 'private' },
    oct: { kty: 'oct', k: 'c2VjcmV0', kid: 'oct' },
    ec: { ...ec, kid: 'ec' },
    enc: { ...jwk, kid: 'enc', use: 'enc' },
    sign: { ...jwk, kid: 'sign', key_ops: ['sign'] },
    ps256: { ...jwk, kid: 'ps256', alg: 'PS256' },
    small: { ...small, kid: 'small' },
    e1: { ...jwk, kid: 'e1', e: e([1]) },
    e3: { ...jwk, kid: 'e3', e: e([3]) },
    even: { ...jwk, kid: 'even', e: e([1, 0, 2]) },
    padded: { ...jwk, kid: 'padded', n: `${jwk?.n}==` },
    'no n': { ...jwk, kid: 'no n', n: undefined },
    twice: { ...other.jwks.keys[0], kid: 'twice' },
  }
  const nameless = [{ ...jwk, kid: undefined }, { ...jwk, kid: '' }, { ...jwk, kid: 7 }, null, 'x', []]
  server.answer = answerJson({
    keys: [...Object.values(bad), { ...third.jwks.keys[0], kid: 'twice' }, ...nameless, jwk, { ...jwk }],
  })
  await verifier.warmUp()
  t.equal(verifier.health().keys, 1)
  t.ok(await verifier.verify(issuer.token()), 'the good one works, though it stands there twice')
  for (const kid of Object.keys(bad)) {
    t.ok(
      ignored.some(line => line.startsWith(`${kid}: `)),
      `a warning for ${kid}`,
    )
    const reason = await reasonOf(() => verifier.verify(issuer.token({}, { kid })))
    t.equal(reason, 'unknown_key', `${kid} does not verify`)
  }
  t.equal(ignored.length, Object.keys(bad).length + nameless.length, 'one warning each')
  t.same(
    Object.keys(verifier.exportKeys().keys[0] ?? {}).toSorted(),
    ['alg', 'e', 'kid', 'kty', 'n', 'use'],
    'nothing else is kept of a key',
  )
})
