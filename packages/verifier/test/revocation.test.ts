import { createVerifier, type Reason, type VerifierOptions } from '@signet/verifier'
import { createTestIssuer, type TestIssuer } from '@signet/verifier/testing'
import t, { type Test } from 'tap'
import { reasonOf } from './forge.ts'
import { minute, waitUntil } from './remote-issuer.ts'

const second = 1_000

interface World {
  readonly issuer: TestIssuer
  readonly clock: { nowMs: number }
  /** Paths in the order in which they were fetched. */
  readonly fetched: string[]
  /** Answers in the place of the issuer where it gives something. */
  answer: (path: string) => Promise<Response> | Response | undefined
  readonly stale: [string, number][]
  readonly create: (options?: Partial<VerifierOptions>) => ReturnType<typeof createVerifier>
}

function setUp(t: Test): World {
  const clock = { nowMs: Date.now() }
  const issuer = createTestIssuer({ revocable: true, now: () => clock.nowMs })
  const world: World = {
    issuer,
    clock,
    fetched: [],
    answer: () => undefined,
    stale: [],
    create(options = {}) {
      const verifier = createVerifier({
        issuer: issuer.issuer,
        audience: issuer.audience,
        now: () => clock.nowMs,
        on: { stale: (what, ageMs) => world.stale.push([what, ageMs]) },
        keys: {
          fetch: async (input, init) => {
            const path = new URL(input instanceof Request ? input.url : input).pathname
            world.fetched.push(path)
            return (await world.answer(path)) ?? issuer.fetch(input, init)
          },
        },
        ...options,
      })
      t.teardown(() => verifier.close())
      return verifier
    },
  }
  return world
}

const listPath = '/status-lists/1'

t.test('V-13 an ended session is refused within the life of a list', async t => {
  const { clock, create, fetched, issuer } = setUp(t)
  const verifier = create()
  const [ended, other] = [issuer.token(), issuer.token()]
  t.ok(await verifier.verify(ended), 'while it lasts')
  t.equal(fetched.filter(path => path === listPath).length, 1, 'the list was fetched for the first token')
  issuer.revoke(ended)
  t.ok(await verifier.verify(ended), 'unknown to the list that is held')
  clock.nowMs += 61 * second
  t.equal(await reasonOf(() => verifier.verify(ended)), 'revoked', 'older than its ttl: waits for the issuer')
  t.ok(await verifier.verify(other), 'nobody else')
  t.equal(await reasonOf(() => verifier.verifySync(ended)), 'revoked')
  const fresh = create({ cache: false })
  t.equal(await reasonOf(() => fresh.verify(ended)), 'revoked', 'for whoever has never seen the token')
  const refusal = await fresh.verify(ended).catch((error: unknown) => error)
  t.match(refusal, { status: 401, message: 'The session of the token has ended.' })
})

t.test('V-13 a list is renewed at half its life, so that a busy service never waits', async t => {
  const { clock, create, fetched, issuer } = setUp(t)
  const verifier = create()
  await verifier.verify(issuer.token())
  clock.nowMs += 31 * second
  t.ok(verifier.verifySync(issuer.token()))
  await waitUntil(() => fetched.filter(path => path === listPath).length === 2)
})

t.test('V-13 warmUp brings every list: verifySync needs no network', async t => {
  const { create, issuer } = setUp(t)
  const verifier = create()
  const ended = issuer.token()
  issuer.revoke(ended)
  await verifier.warmUp()
  t.ok(verifier.verifySync(issuer.token()))
  t.equal(await reasonOf(() => verifier.verifySync(ended)), 'revoked')
  t.match(verifier.health(), { ready: true, revocationAgeMs: 0 })
})

t.test('V-13 verifySync says that it cannot know, and knows soon after', async t => {
  const { create, issuer } = setUp(t)
  const verifier = create({ revocation: { mode: 'poll' } })
  const token = issuer.token()
  await reasonOf(() => verifier.verifySync(token))
  await waitUntil(() => verifier.health().ready)
  t.equal(await reasonOf(() => verifier.verifySync(token)), 'revocation_unavailable')
  await waitUntil(() => verifier.health().revocationAgeMs === 0)
  t.ok(verifier.verifySync(token))
})

t.test('V-13 maxStaleMs counts also where it is shorter than the life of a list', async t => {
  const world = setUp(t)
  const { clock, create, fetched, issuer } = world
  const verifier = create({ keysMaxStaleMs: 60 * minute, revocation: { mode: 'poll', maxStaleMs: 4 * second } })
  const ended = issuer.token()
  await verifier.verify(ended)
  issuer.revoke(ended)
  for (let round = 0; round < 10; round += 1) {
    clock.nowMs += second
    t.ok(await verifier.verify(issuer.token()), 'a busy service is never without a list')
  }
  t.equal(await reasonOf(() => verifier.verify(ended)), 'revoked')
  const fetches = fetched.filter(path => path === listPath).length
  t.ok(fetches >= 3 && fetches <= 6, `${fetches} fetches in ten seconds`)
  const token = issuer.token()
  await verifier.verify(token)
  world.answer = path => (path === listPath ? new Response(null, { status: 502 }) : undefined)
  clock.nowMs += 5 * second
  t.equal(await reasonOf(() => verifier.verify(token)), 'revocation_unavailable', 'and too old is too old')
})

t.test('V-13 the issuer is gone: goes on for maxStaleMs, then as was chosen', async t => {
  for (const onStale of ['deny', 'allow'] as const) {
    const world = setUp(t)
    const { clock, create, issuer, stale } = world
    const verifier = create({
      keysMaxStaleMs: 60 * minute,
      revocation: { mode: 'poll', maxStaleMs: 5 * minute, onStale },
    })
    const ended = issuer.token({ exp: Math.floor(clock.nowMs / 1000) + 3600 })
    const token = issuer.token({ exp: Math.floor(clock.nowMs / 1000) + 3600 })
    await verifier.verify(ended)
    issuer.revoke(ended)
    clock.nowMs += 61 * second
    t.equal(await reasonOf(() => verifier.verify(ended)), 'revoked')
    world.answer = path => (path === listPath ? new Response(null, { status: 502 }) : undefined)
    clock.nowMs += 5 * minute
    t.ok(await verifier.verify(token), `${onStale}: at maxStaleMs`)
    t.match(stale.at(-1), ['revocation', 5 * minute], `${onStale}: and the listener hears of it`)
    clock.nowMs += 6 * second
    const late = await reasonOf(() => verifier.verify(token))
    t.equal(late, onStale === 'deny' ? 'revocation_unavailable' : undefined, `${onStale}: beyond`)
    t.equal(verifier.health().ready, onStale === 'allow')
    t.equal(await reasonOf(() => verifier.verify(ended)), 'revoked', `${onStale}: what was known stays known`)
    world.answer = () => undefined
    clock.nowMs += 6 * second
    t.ok(await verifier.verify(token), `${onStale}: and when the issuer is back`)
  }
})

t.test('V-13 a list that was never there', async t => {
  for (const onStale of ['deny', 'allow'] as const) {
    const world = setUp(t)
    world.answer = path => (path === listPath ? new Response(null, { status: 404 }) : undefined)
    const verifier = world.create({ revocation: { mode: 'poll', onStale } })
    const expected = onStale === 'deny' ? 'revocation_unavailable' : undefined
    t.equal(await reasonOf(() => verifier.verify(world.issuer.token())), expected, onStale)
  }
})

t.test('V-13 off: nothing is asked and nothing refused', async t => {
  const { create, fetched, issuer } = setUp(t)
  const verifier = create({ revocation: { mode: 'off' } })
  const token = issuer.token()
  issuer.revoke(token)
  t.ok(await verifier.verify(token))
  t.same(fetched, ['/.well-known/jwks.json'])
})

t.test('V-13 what is no list of this issuer for this address is not used', async t => {
  const world = setUp(t)
  const { clock, create, issuer } = world
  const stranger = createTestIssuer({ issuer: issuer.issuer, now: () => clock.nowMs })
  const uri = `${issuer.issuer}${listPath}`
  const issuedAt = () => Math.floor(clock.nowMs / 1000)
  const lst = await compress(8)
  const good = () => ({ sub: uri, iat: issuedAt(), exp: issuedAt() + 100, ttl: 60, status_list: { bits: 1, lst } })
  const head = (more: object = {}) => ({ alg: 'RS256', typ: 'statuslist+jwt', kid: issuer.key.kid, ...more })
  const write = (payload: object, header: object = head()) => issuer.sign(header, JSON.stringify(payload))
  const wrong: Record<string, () => string> = {
    'signed by another': () => stranger.sign(head(), JSON.stringify(good())),
    'of another type': () => write(good(), head({ typ: 'JWT' })),
    'an access token': () => issuer.token({ sub: uri, status_list: { bits: 1, lst } }),
    'a bundle': () => write(good(), head({ typ: 'authz-bundle+jwt' })),
    unsigned: () => write(good(), head({ alg: 'none' })),
    'about another address': () => write({ ...good(), sub: `${uri}0` }),
    'without an address': () => write({ ...good(), sub: undefined }),
    'of another issuer': () => write({ ...good(), iss: 'https://other.test' }),
    expired: () => write({ ...good(), exp: issuedAt() - 31 }),
    'with an expiry that is no number': () => write({ ...good(), exp: '9999999999' }),
    'of the future': () => write({ ...good(), iat: issuedAt() + 31 }),
    'without a time': () => write({ ...good(), iat: undefined }),
    'of three bits': () => write({ ...good(), status_list: { bits: 3, lst } }),
    'without a list': () => write({ ...good(), status_list: undefined }),
    'not compressed': () => write({ ...good(), status_list: { bits: 1, lst: 'AAAA' } }),
    padded: () => write({ ...good(), status_list: { bits: 1, lst: `${lst}=` } }),
    'no JWT': () => 'hello',
  }
  for (const [name, text] of Object.entries(wrong)) {
    world.answer = path => (path === listPath ? listAnswer(text()) : undefined)
    const verifier = create()
    t.equal(await reasonOf(() => verifier.verify(issuer.token())), 'revocation_unavailable', name)
  }
  world.answer = path =>
    path === listPath ? new Response(write(good()), { headers: { 'content-type': 'text/html' } }) : undefined
  t.equal(await reasonOf(() => create().verify(issuer.token())), 'revocation_unavailable', 'as another media type')
  world.answer = path => (path === listPath ? listAnswer(write(good())) : undefined)
  const verifier = create()
  const at = (idx: unknown) => issuer.token({ status: { status_list: { idx, uri } } })
  t.ok(await verifier.verify(at(63)), 'a right one, the last index')
  const outside: [unknown, Reason][] = [
    [64, 'invalid_claims'],
    [2 ** 40, 'invalid_claims'],
    [-1, 'invalid_claims'],
    [1.5, 'invalid_claims'],
    ['5', 'invalid_claims'],
    [undefined, 'invalid_claims'],
  ]
  for (const [idx, reason] of outside)
    t.equal(await reasonOf(() => verifier.verify(at(idx))), reason, `index ${String(idx)}`)
  for (const status of [
    'x',
    [],
    { status_list: 'x' },
    { status_list: { idx: 1 } },
    { status_list: { idx: 1, uri: '' } },
    { status_list: { idx: 1, uri: 'no' } },
  ]) {
    t.equal(await reasonOf(() => verifier.verify(issuer.token({ status }))), 'invalid_claims', JSON.stringify(status))
  }
  t.ok(await verifier.verify(issuer.token({ status: { other_mechanism: {} } })), 'another mechanism is nobody’s here')
})

t.test('V-13 a list that would fill the memory is refused', async t => {
  const world = setUp(t)
  const { create, issuer } = world
  const lst = await compress(1_048_577)
  const iat = Math.floor(world.clock.nowMs / 1000)
  const payload = { sub: `${issuer.issuer}${listPath}`, iat, status_list: { bits: 1, lst } }
  const text = issuer.sign({ alg: 'RS256', typ: 'statuslist+jwt', kid: issuer.key.kid }, JSON.stringify(payload))
  world.answer = path => (path === listPath ? listAnswer(text) : undefined)
  t.equal(await reasonOf(() => create().verify(issuer.token())), 'revocation_unavailable')
})

t.test('V-13 an older answer of another node brings no session back', async t => {
  const world = setUp(t)
  const { clock, create, issuer } = world
  const old = await (await issuer.fetch(`${issuer.issuer}${listPath}`)).text()
  const verifier = create()
  const token = issuer.token()
  issuer.revoke(token)
  t.equal(await reasonOf(() => verifier.verify(token)), 'revoked')
  world.answer = path => (path === listPath ? listAnswer(old) : undefined)
  clock.nowMs += 61 * second
  t.equal(await reasonOf(() => verifier.verify(token)), 'revoked')
  clock.nowMs += 31 * second
  t.equal(await reasonOf(() => verifier.verify(token)), 'revoked')
})

t.test('V-13 a list that has not changed is not sent again', async t => {
  const world = setUp(t)
  const { clock, create, issuer } = world
  const asked: (string | null)[] = []
  const verifier = create({
    keys: {
      fetch: async (input, init) => {
        const path = new URL(input instanceof Request ? input.url : input).pathname
        if (path !== listPath) return issuer.fetch(input, init)
        const validator = new Headers(init?.headers).get('if-none-match')
        asked.push(validator)
        if (validator === '"one"') return new Response(null, { status: 304 })
        const answer = await issuer.fetch(input, init)
        return listAnswer(await answer.text(), { etag: '"one"' })
      },
    },
  })
  const token = issuer.token({ exp: Math.floor(clock.nowMs / 1000) + 10 * 86_400 })
  for (let round = 0; round < 3; round++) {
    t.ok(await verifier.verify(token))
    clock.nowMs += 61 * second
  }
  t.same(asked, [null, '"one"', '"one"'])
  t.ok((verifier.health().revocationAgeMs ?? 0) <= 61 * second, '304 confirms it')
})

t.test('500 cold requests: one fetch of the list', async t => {
  const { create, fetched, issuer } = setUp(t)
  const verifier = create()
  await Promise.all(Array.from({ length: 500 }, () => verifier.verify(issuer.token())))
  t.same(fetched.toSorted(), ['/.well-known/jwks.json', listPath])
})

t.test('Push: an end counts as soon as it is said', async t => {
  const { create, fetched, issuer } = setUp(t)
  const verifier = create({ revocation: { mode: 'push' } })
  const [ended, other] = [issuer.token(), issuer.token()]
  await verifier.verify(ended)
  await waitUntil(() => fetched.includes('/verifier/events'))
  issuer.revoke(ended)
  await waitUntil(() => refused(() => verifier.verifySync(ended)))
  t.equal(await reasonOf(() => verifier.verifySync(ended)), 'revoked')
  t.ok(verifier.verifySync(other))
})

t.test('Push: an end that is said while the list is on its way is not lost', async t => {
  const world = setUp(t)
  const { create, fetched, issuer } = world
  const before = await (await issuer.fetch(`${issuer.issuer}${listPath}`)).text()
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  world.answer = async path => {
    if (path !== listPath) return undefined as unknown as Response
    await held
    return listAnswer(before)
  }
  const verifier = create({ revocation: { mode: 'push' } })
  const warming = verifier.warmUp()
  const token = issuer.token()
  const waiting = reasonOf(() => verifier.verify(token))
  await waitUntil(() => fetched.includes(listPath))
  await waitUntil(() => fetched.includes('/verifier/events'))
  await new Promise(resolve => setImmediate(resolve))
  issuer.revoke(token)
  await new Promise(resolve => setImmediate(resolve))
  release()
  await warming
  t.equal(await waiting, 'revoked')
})

t.test('Push: keys are fetched at once when they have changed (K-02)', async t => {
  const { create, fetched, issuer } = setUp(t)
  const verifier = create({ revocation: { mode: 'push' } })
  const { kid } = issuer.key
  const token = issuer.token()
  await verifier.verify(token)
  await waitUntil(() => fetched.includes('/verifier/events'))
  issuer.rotate()
  await waitUntil(() => verifier.health().keys === 2)
  t.ok(verifier.verifySync(issuer.token()), 'the new one, without a refusal before')
  issuer.removeKey(kid)
  await waitUntil(() => verifier.health().keys === 1)
  t.equal(await reasonOf(() => verifier.verifySync(token)), 'unknown_key', 'the removed one verifies nothing any more')
})

t.test('Push: a stream that is cut is opened again, and what came meanwhile is fetched', async t => {
  const world = setUp(t)
  const { create, fetched, issuer } = world
  const cuts: (() => void)[] = []
  world.answer = async path => {
    if (path !== '/verifier/events') return undefined as unknown as Response
    const answer = await issuer.fetch(`${issuer.issuer}${path}`)
    const source = answer.body!.getReader()
    const body = new ReadableStream({
      start: controller => void cuts.push(() => controller.error(new Error('cut'))),
      pull: async controller => {
        const { value } = await source.read()
        controller.enqueue(value)
      },
    })
    return new Response(body, { headers: answer.headers })
  }
  const verifier = create({ revocation: { mode: 'push' } })
  const token = issuer.token()
  await verifier.verify(token)
  await waitUntil(() => cuts.length === 1 && fetched.includes(listPath))
  cuts[0]?.()
  issuer.revoke(token)
  await waitUntil(() => refused(() => verifier.verifySync(token)))
  t.equal(cuts.length, 2)
})

t.test('Push: close hangs up', async t => {
  const { create, fetched, issuer } = setUp(t)
  const signals: AbortSignal[] = []
  const verifier = create({
    revocation: { mode: 'push' },
    keys: {
      fetch: async (input, init) => {
        const path = new URL(input instanceof Request ? input.url : input).pathname
        if (path === '/verifier/events') signals.push(init?.signal as AbortSignal)
        return issuer.fetch(input, init)
      },
    },
  })
  await verifier.verify(issuer.token())
  await waitUntil(() => signals.length === 1)
  t.notOk(signals[0]?.aborted)
  verifier.close()
  t.ok(signals[0]?.aborted)
  t.same(fetched, [])
})

/** So many bytes of valid statuses. */
async function compress(length: number): Promise<string> {
  const stream = new Blob([new Uint8Array(length)]).stream().pipeThrough(new CompressionStream('deflate'))
  return Buffer.from(await new Response(stream).arrayBuffer()).toString('base64url')
}

function listAnswer(text: string, more: Record<string, string> = {}): Response {
  return new Response(text, { headers: { 'content-type': 'application/statuslist+jwt', ...more } })
}

function refused(act: () => unknown): boolean {
  try {
    act()
    return false
  } catch {
    return true
  }
}
