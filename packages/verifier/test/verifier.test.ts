import { createVerifier } from '@signet/verifier'
import { createTestIssuer } from '@signet/verifier/testing'
import t from 'tap'
import { answerJson, header, reasonOf, standardClaims } from './forge.ts'
import { claimsOf, minute, setUp, waitUntil } from './remote-issuer.ts'

t.test('V-08 clocks may differ by 29 seconds, not by 31', async t => {
  const { clock, issuer, verifier } = await setUp(t)
  const now = Math.floor(clock.nowMs / 1000)
  clock.nowMs = now * 1000
  const verdict = (claims: Record<string, unknown>) => reasonOf(() => verifier.verify(issuer.token(claims)))
  t.equal(await verdict({ exp: now - 29 }), undefined, 'expired 29 s ago')
  t.equal(await verdict({ exp: now - 30 }), 'expired', 'expired 30 s ago')
  t.equal(await verdict({ exp: now - 31 }), 'expired', 'expired 31 s ago')
  for (const claim of ['iat', 'nbf']) {
    t.equal(await verdict({ [claim]: now + 29 }), undefined, `${claim} in 29 s`)
    t.equal(await verdict({ [claim]: now + 31 }), 'not_active', `${claim} in 31 s`)
  }
  const strict = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    keys: { jwks: issuer.jwks },
    clockToleranceSeconds: 0,
    now: () => clock.nowMs,
  })
  t.equal(await reasonOf(() => strict.verify(issuer.token({ exp: now }))), 'expired', 'no tolerance: at exp')
  t.equal(
    await reasonOf(() => strict.verify(issuer.token({ exp: now + 1 }))),
    undefined,
    'no tolerance: a second before',
  )
  const broken = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    keys: { jwks: issuer.jwks },
    now: () => Number.NaN,
  })
  t.equal(await reasonOf(() => broken.verify(issuer.token())), 'expired', 'a clock that says NaN accepts nothing')
})

t.test('V-09 a key of one issuer never verifies a token of the other', async t => {
  const [a, b] = [createTestIssuer({ issuer: 'https://a.test' }), createTestIssuer({ issuer: 'https://b.test' })]
  const fetches: string[] = []
  const both: typeof fetch = async (input, init) => {
    fetches.push(input instanceof Request ? input.url : input.toString())
    const answer = await a.fetch(input, init)
    return answer.ok ? answer : b.fetch(input, init)
  }
  const verifier = createVerifier({ issuer: [a.issuer, b.issuer], audience: 'signet', keys: { fetch: both } })
  await verifier.warmUp()
  t.same(fetches.toSorted(), [
    'https://a.test/.well-known/jwks.json',
    'https://a.test/status-lists',
    'https://b.test/.well-known/jwks.json',
    'https://b.test/status-lists',
  ])
  t.match(verifier.health(), { ready: true, keys: 2 })
  t.equal((await verifier.verify(a.token({ sub: 'of-a' }))).subject, 'of-a')
  t.equal((await verifier.verify(b.token({ sub: 'of-b' }))).subject, 'of-b')
  const crossed = (iss: string, kid: string) =>
    b.sign({ ...header(b), kid }, JSON.stringify({ ...standardClaims(b), iss }))
  t.equal(
    await reasonOf(() => verifier.verify(crossed(a.issuer, b.key.kid))),
    'unknown_key',
    'its own kid, the other name',
  )
  t.equal(
    await reasonOf(() => verifier.verify(crossed(a.issuer, a.key.kid))),
    'invalid_signature',
    'the other kid, the other name',
  )
  t.equal(
    await reasonOf(() => verifier.verify(crossed(b.issuer, a.key.kid))),
    'unknown_key',
    'the other kid, its own name',
  )
  t.equal(await reasonOf(() => verifier.verify(crossed('https://c.test', b.key.kid))), 'wrong_issuer', 'a third name')
  t.throws(() => verifier.exportKeys(), TypeError, 'keys of two issuers are not mixed')
  t.throws(
    () => createVerifier({ issuer: ['https://a.test', 'https://b.test'], audience: 'signet', keys: { jwks: a.jwks } }),
    TypeError,
    'nor given as one set',
  )
})

t.test('V-10 tokens that differ in one byte never share a cached result', async t => {
  const { clock, issuer, verifier } = await setUp(t)
  const token = issuer.token()
  await verifier.verify(token)
  let accepted = 0
  for (let at = 0; at < token.length; at++) {
    const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
    if ((await reasonOf(() => verifier.verifySync(changed))) === undefined) accepted++
  }
  t.equal(accepted, 0)
  t.equal(verifier.verifySync(token), verifier.verifySync(token), 'the same token is remembered')
  clock.nowMs += 930_000
  t.equal(await reasonOf(() => verifier.verify(token)), 'expired', 'and expires to the second')
  t.equal(await reasonOf(() => verifier.verifySync(token)), 'expired')
})

t.test('V-10 a key under the same kid is another key', async t => {
  const { clock, issuer, server, verifier } = await setUp(t)
  const token = issuer.token()
  await verifier.verify(token)
  const [replaced] = createTestIssuer().jwks.keys
  server.answer = answerJson({ keys: [{ ...replaced, kid: issuer.key.kid }] })
  clock.nowMs += 5 * minute + 1
  await verifier.verify(token)
  await waitUntil(() => verifier.health().keysAgeMs === 0)
  t.equal(await reasonOf(() => verifier.verify(token)), 'invalid_signature')
})

t.test('V-10 the cache is bounded and may be switched off', async t => {
  const issuer = createTestIssuer()
  const common = { issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } }
  const small = createVerifier({ ...common, cache: { max: 4 } })
  const tokens = Array.from({ length: 9 }, () => issuer.token())
  const first = tokens.map(token => small.verifySync(token))
  const again = tokens.map((token, n) => small.verifySync(token) === first[n])
  t.ok(again.filter(Boolean).length <= 4, 'at most max are remembered')
  const last = tokens.at(-1) ?? ''
  t.equal(small.verifySync(last), small.verifySync(last))
  const off = createVerifier({ ...common, cache: false })
  t.not(off.verifySync(last), off.verifySync(last))
  const remembered = small.verifySync(last)
  small.close()
  t.not(small.verifySync(last), remembered)
  t.equal(small.verifySync(last).subject, claimsOf(last).sub, 'close forgets tokens, not keys')
})

t.test('V-11 many bad tokens: memory flat', async t => {
  const { issuer, verifier } = await setUp(t)
  await verifier.warmUp()
  const good = issuer.token()
  const [start, payload, signature] = good.split('.')
  const bad = (n: number) => {
    const mark = n.toString(36).padStart(8, '0')
    if (n % 3 === 0) return `${start}.${mark}${payload}.${mark}`
    if (n % 3 === 1)
      return `${Buffer.from(JSON.stringify(header(issuer, { kid: mark }))).toString('base64url')}.${payload}.${signature}`
    return `${mark}.${good}`
  }
  const collect = exposeGc()
  const heapAfter = (from: number, to: number) => {
    let accepted = 0
    for (let n = from; n < to; n++) {
      try {
        verifier.verifySync(bad(n))
        accepted++
      } catch {}
    }
    t.equal(accepted, 0)
    collect()
    return process.memoryUsage().heapUsed
  }
  heapAfter(0, 5_000)
  const before = heapAfter(5_000, 10_000)
  const after = heapAfter(10_000, 110_000)
  // A hundred thousand of them remembered in any way (a key in a map is 60 bytes at least) would be 6 MB and more.
  t.ok(after - before < 2 * 1_048_576, `grew by ${Math.round((after - before) / 1024)} kB over 100,000 tokens`)
})

t.test('V-12 claims have no prototype and are frozen', async t => {
  const { issuer, verifier } = await setUp(t)
  const payload = JSON.stringify({ ...standardClaims(issuer), act: { sub: 'advisor' }, deep: { list: [{ x: 1 }] } })
  const token = issuer.sign(
    header(issuer),
    `${payload.slice(0, -1)},"__proto__":{"permissions":["all:do"]},"constructor":1}`,
  )
  const principal = await verifier.verify(token)
  const { claims } = principal
  t.equal(claims, principal.claims)
  const deep = claims.deep as { list: object[] }
  for (const node of [claims, deep, deep.list[0], claims.act]) t.equal(Object.getPrototypeOf(node), null)
  for (const node of [claims, deep, deep.list, deep.list[0], claims.act, claims.roles, principal])
    t.ok(Object.isFrozen(node))
  t.equal(({} as Record<string, unknown>).permissions, undefined, 'nothing is polluted')
  t.throws(() => Object.assign(claims, { sub: 'other' }), TypeError)
  t.throws(() => Object.assign(principal, { subject: 'other' }), TypeError)
  t.same(Object.keys(claims).slice(-2), ['__proto__', 'constructor'], 'and what the issuer wrote stays data')

  const everyObject: object = Object.getPrototypeOf({})
  Object.defineProperty(everyObject, 'permissions', { value: ['all:do'], configurable: true })
  Object.defineProperty(everyObject, 'sub', { value: 'polluted', configurable: true })
  Object.defineProperty(everyObject, 'typ', { value: 'at+jwt', configurable: true })
  t.teardown(() => {
    for (const name of ['permissions', 'sub', 'typ']) Reflect.deleteProperty(everyObject, name)
  })
  t.equal(await reasonOf(() => verifier.verify(issuer.token({}, { typ: undefined }))), 'wrong_type', 'and no type')
  t.equal(
    await reasonOf(() => verifier.verify(issuer.token({ sub: undefined }))),
    'invalid_claims',
    'a polluted prototype adds no subject',
  )
  const bare = await verifier.verify(issuer.token({ permissions: undefined }))
  t.equal(await reasonOf(() => bare.can('all:do')), 'bundle_unavailable', 'and no permission')
})

t.test('Keys given as a document need no network', async t => {
  const issuer = createTestIssuer()
  const donor = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: issuer.fetch } })
  await donor.warmUp()
  const verifier = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    keys: { jwks: donor.exportKeys() },
  })
  t.strictSame(verifier.health(), { ready: true, keys: 1, keysAgeMs: 0 })
  t.ok(verifier.verifySync(issuer.token()), 'and no warmUp')
  await verifier.warmUp()
  issuer.rotate()
  t.equal(await reasonOf(() => verifier.verify(issuer.token())), 'unknown_key')
})

t.test('Listeners observe and never decide', async t => {
  const issuer = createTestIssuer()
  const rejected: string[] = []
  const warnings: string[] = []
  const listen = (warning: Error) => warnings.push(warning.message)
  process.on('warning', listen)
  t.teardown(() => process.removeListener('warning', listen))
  const verifier = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    keys: { fetch: issuer.fetch },
    on: {
      keysRefreshed() {
        throw new Error('listener')
      },
      rejected: reason => rejected.push(reason),
    },
  })
  t.ok(await verifier.verify(issuer.token()), 'one that throws changes nothing')
  await waitUntil(() => warnings.some(text => text.includes('keysRefreshed')))
  await reasonOf(() => verifier.verify('x'))
  await reasonOf(() => verifier.verifySync('x'))
  await reasonOf(() => verifier.authenticate({}))
  await reasonOf(() => verifier.verify(issuer.token({}, { kid: 'unknown' })))
  t.same(rejected, ['malformed', 'malformed', 'missing_token', 'unknown_key'], 'each refusal is told once')
})

t.test('A process with an idle verifier ends by itself', async t => {
  const { issuer, server } = await setUp(t)
  const { spawnSync } = await import('node:child_process')
  const { execPath } = process
  const script = `
    import { createVerifier } from '@signet/verifier'
    const verifier = createVerifier({ issuer: '${issuer.issuer}', audience: 'signet', keys: { jwks: ${JSON.stringify(issuer.jwks)} } })
    verifier.verifySync('${issuer.token()}')
    const remote = createVerifier({ issuer: 'http://127.0.0.1:1', audience: 'signet' })
    await remote.warmUp().catch(() => console.log('ended'))`
  const child = spawnSync(execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    timeout: 20_000,
    encoding: 'utf8',
  })
  t.equal(child.stdout, 'ended\n', child.stderr)
  t.equal(child.status, 0)
  t.equal(server.hits(), 0)
})

function exposeGc(): () => void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  const { runInNewContext } = process.getBuiltinModule('node:vm')
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
