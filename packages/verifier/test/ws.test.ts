import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { AuthError, createVerifier, type Need, type Verifier, type VerifierOptions } from '@signet/verifier'
import { createTestIssuer, type TestIssuer } from '@signet/verifier/testing'
import { guardWebSockets, type WebSocketGuard, type WebSocketGuardOptions } from '@signet/verifier/ws'
import t, { type Test } from 'tap'
import { type ClientOptions, type WebSocket as ServerSocket, WebSocket, WebSocketServer } from 'ws'
import { reasonOf } from './forge.ts'
import { minute, waitUntil } from './remote-issuer.ts'
import { countTimers } from './timers.ts'

const origin = 'https://app.example.com'
const often = 5
const never = 3_600_000
const person = { sub: 'anna', tid: 'tenant-a' }

interface Bench {
  readonly url: string
  readonly port: number
  readonly issuer: TestIssuer
  readonly guard: WebSocketGuard
  readonly clock: { nowMs: number }
  /** What the application got, in order. */
  readonly accepted: ServerSocket[]
  readonly requests: IncomingMessage[]
  readonly messages: string[]
  /** Raw connections that the server holds. */
  readonly sockets: Set<Socket>
  /** Thrown by the verifier instead of its answer. */
  refusal: Error | undefined
}

/** An HTTP server whose upgrades are guarded, and a clock that the test moves. */
async function serve(
  t: Test,
  options: Partial<WebSocketGuardOptions> = {},
  verifierOptions: Partial<VerifierOptions> = {},
  makeServer = () => new WebSocketServer({ noServer: true }),
): Promise<Bench> {
  const clock = { nowMs: Date.now() }
  const now = options.now ?? (() => clock.nowMs)
  const issuer = createTestIssuer({ now, revocable: verifierOptions.revocation !== undefined })
  const real = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    keys: { fetch: issuer.fetch },
    now,
    ...verifierOptions,
  })
  const verifier: Pick<Verifier, 'authenticate' | 'verify'> = {
    authenticate: async (headers, need) => {
      if (bench.refusal !== undefined) throw bench.refusal
      return real.authenticate(headers, need)
    },
    verify: async (token, need) => {
      if (bench.refusal !== undefined) throw bench.refusal
      return real.verify(token, need)
    },
  }
  const guard = guardWebSockets({ verifier, need: {}, recheckEveryMs: never, now, ...options })
  const server = createServer((_, response) => response.end('plain'))
  const wss = makeServer()
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', guard.upgrade(wss))
  wss.on('connection', (socket, request) => {
    bench.accepted.push(socket)
    bench.requests.push(request)
    socket.on('message', data => bench.messages.push((data as Buffer).toString()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    real.close()
    server.close()
    await once(server, 'close')
  })
  const bench: Bench = {
    url: `ws://127.0.0.1:${port}`,
    port,
    issuer,
    guard,
    clock,
    accepted: [],
    requests: [],
    messages: [],
    sockets,
    refusal: undefined,
  }
  return bench
}

interface Refusal {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly problem: { readonly code: string; readonly detail: string }
  readonly text: string
}

/** The open WebSocket, or the answer that was given instead. */
async function dial(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<WebSocket | Refusal> {
  const socket = new WebSocket(url, protocols, options)
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
    socket.once('unexpected-response', (_, response) => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.once('end', () => {
        const { headers, statusCode: status } = response
        resolve({ status, headers, text, problem: JSON.parse(text) })
      })
    })
  })
}

async function openSocket(url: string, protocols: string[], options?: ClientOptions): Promise<WebSocket> {
  const socket = await dial(url, protocols, options)
  if (socket instanceof WebSocket) return socket
  throw new Error(`Refused: ${socket.text}`)
}

async function refusalOf(url: string, protocols?: string[], options?: ClientOptions): Promise<Refusal> {
  const refusal = await dial(url, protocols, options)
  if (!(refusal instanceof WebSocket)) return refusal
  throw new Error('A WebSocket was opened.')
}

const bearer = (token: string): ClientOptions => ({ headers: { authorization: `Bearer ${token}` } })

async function closeOf(socket: WebSocket): Promise<[number, string]> {
  const [code, reason] = await once(socket, 'close')
  return [code, String(reason)]
}

t.test('A handshake', async t => {
  const bench = await serve(t, { need: { permissions: ['chat:read'] } })
  const { guard, issuer, url } = bench
  const good = issuer.token({ ...person, permissions: ['chat:read'] })

  t.test('without a token is answered 401 before there is a WebSocket', async t => {
    const { headers, problem, status, text } = await refusalOf(url)
    t.equal(status, 401)
    t.equal(headers['www-authenticate'], 'Bearer realm="signet"')
    t.match(headers, { 'content-type': 'application/problem+json', connection: 'close' })
    t.equal(headers['content-length'], String(Buffer.byteLength(text)))
    t.strictSame(problem, {
      type: 'urn:signet:problem:missing-token',
      title: 'Missing token',
      status: 401,
      code: 'missing-token',
      detail: 'The request carries no access token.',
    })
  })

  t.test('with a bad token is answered 401 with the reason', async t => {
    const expired = issuer.token({ ...person, exp: Math.floor(bench.clock.nowMs / 1000) - minute })
    for (const [token, code] of [
      ['nonsense', 'malformed'],
      [`${good.slice(0, -4)}AAAA`, 'invalid-signature'],
      [expired, 'expired'],
    ] as const) {
      for (const refusal of [await refusalOf(url, [], bearer(token)), await refusalOf(url, ['signet.bearer', token])]) {
        t.equal(refusal.status, 401, code)
        t.equal(refusal.problem.code, code)
        t.match(refusal.headers['www-authenticate'], 'error="invalid_token"')
        t.notOk(refusal.text.includes(token), 'which quotes nothing of it')
      }
    }
  })

  t.test('without the permission is answered 403', async t => {
    const { headers, problem, status } = await refusalOf(url, [], bearer(issuer.token({ permissions: ['chat:list'] })))
    t.equal(status, 403)
    t.equal(problem.code, 'insufficient-scope')
    t.match(headers['www-authenticate'], 'error="insufficient_scope"')
  })

  t.test('that cannot be decided is answered 503 with Retry-After', async t => {
    bench.refusal = new AuthError('keys_unavailable')
    const { headers, problem, status } = await refusalOf(url, [], bearer(good))
    bench.refusal = undefined
    t.match(
      { status, headers, problem },
      { status: 503, headers: { 'retry-after': '5' }, problem: { code: 'keys-unavailable' } },
    )
    t.notOk('www-authenticate' in headers)
  })

  t.test('at which the verifier breaks is answered 503, and a warning says so without its text', async t => {
    const warned = once(process, 'warning')
    bench.refusal = new SyntaxError('Unexpected token in "secret"')
    t.equal((await refusalOf(url, [], bearer(good))).status, 503)
    bench.refusal = undefined
    const [warning] = await warned
    t.match(warning.message, 'SyntaxError')
    t.notMatch(warning.message, 'secret')
  })

  t.test('never takes a token from the URL', async t => {
    for (const name of ['access_token', 'token', 'authorization', 'signet.bearer']) {
      t.equal((await refusalOf(`${url}/?${name}=${good}`)).problem.code, 'missing-token', name)
    }
  })

  await t.test('takes one token, from one place', async t => {
    t.equal((await refusalOf(url, ['signet.bearer', good], bearer(good))).problem.code, 'malformed', 'two places')
    const twice = await exchange(bench.port, [`Authorization: Bearer ${good}`, `Authorization: Bearer ${good}`])
    t.match(twice, /^HTTP\/1.1 401 .*"code":"malformed"/s, 'two headers')
    t.equal((await refusalOf(url, ['signet.bearer'])).problem.code, 'missing-token', 'a marker without a token')
    const markers = `Sec-WebSocket-Protocol: signet.bearer, ${good}, signet.bearer, ${good}`
    t.match(await exchange(bench.port, [markers]), /^HTTP\/1.1 401 .*"code":"malformed"/s, 'two markers')
    const basic = { headers: { authorization: 'Basic YTpi' } }
    t.equal((await refusalOf(url, [], basic)).problem.code, 'missing-token', 'another scheme is no token')
    const socket = await openSocket(url, ['signet.bearer', good], basic)
    socket.close()
    t.pass('and keeps nobody from offering one')
  })

  t.equal(bench.accepted.length, 1, 'nobody else became a WebSocket')

  await t.test('with a good token opens a WebSocket that knows its principal', async t => {
    const socket = await openSocket(url, [], bearer(good))
    const accepted = bench.accepted.at(-1)
    t.equal(accepted === undefined || guard.principal(accepted).subject, 'anna')
    t.equal(socket.protocol, '')
    socket.close()
    await once(socket, 'close')
    t.equal(accepted === undefined || guard.principal(accepted).subject, 'anna', 'still when it has closed')
    t.throws(() => guard.principal({}), 'a socket that did not come by the guard has none')
  })

  await waitUntil(() => guard.openConnections === 0)
  t.equal(bench.sockets.size, 0, 'and holds nothing when all are gone')
})

t.test('A token among the subprotocols', async t => {
  const bench = await serve(t)
  const token = bench.issuer.token(person)

  t.test('is answered with signet.bearer and never echoed', async t => {
    const answer = await exchange(bench.port, [`Sec-WebSocket-Protocol: signet.bearer, ${token}`], /\r\n\r\n/)
    t.match(answer, /^HTTP\/1.1 101 .*Sec-WebSocket-Protocol: signet.bearer\r\n/s)
    t.notOk(answer.includes(token))
    const socket = await openSocket(bench.url, ['signet.bearer', token])
    t.equal(socket.protocol, 'signet.bearer')
    socket.close()
  })

  t.test('is gone from the request that the application sees', async t => {
    const lines = ['Sec-WebSocket-Protocol: chat.v2', `sec-websocket-protocol: signet.bearer, ${token}`]
    t.match(await exchange(bench.port, lines, /\r\n\r\n/), /^HTTP\/1.1 101 /)
    const { headers, headersDistinct, rawHeaders } = bench.requests.at(-1) as IncomingMessage
    t.equal(headers['sec-websocket-protocol'], 'chat.v2, signet.bearer')
    t.notMatch(JSON.stringify([headers, rawHeaders, headersDistinct]), token)
  })

  t.test('leaves the choice to the application', async t => {
    const seen: string[][] = []
    const own = await serve(t, {}, {}, () => {
      const handleProtocols = (protocols: Set<string>) => {
        seen.push([...protocols])
        return protocols.has('chat.v2') ? 'chat.v2' : 'signet.bearer'
      }
      return new WebSocketServer({ noServer: true, handleProtocols })
    })
    const chatting = await openSocket(own.url, ['signet.bearer', own.issuer.token(person), 'chat.v2'])
    t.equal(chatting.protocol, 'chat.v2')
    chatting.close()
    t.strictSame(seen, [['signet.bearer', 'chat.v2']])
  })
})

t.test('A cookie', async t => {
  const cookie = (token: string, from?: string): ClientOptions => ({
    headers: { cookie: `theme=dark; access_token=${token}` },
    ...(from === undefined ? {} : { origin: from }),
  })

  t.test('opens a connection from an allowed origin', async t => {
    const { guard, issuer, url } = await serve(t, { allowedOrigins: [origin] }, { cookie: 'access_token' })
    const token = issuer.token(person)
    const socket = await openSocket(url, [], cookie(token, origin))
    t.equal(guard.openConnections, 1)
    socket.close()
    for (const foreign of [
      'https://evil.example',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com.evil.example',
      `${origin}, https://evil.example`,
      'null',
    ]) {
      const { problem, status } = await refusalOf(url, [], cookie(token, foreign))
      t.strictSame([status, problem.code], [403, 'forbidden'], foreign)
    }
    t.strictSame((await refusalOf(url, [], cookie(token))).problem.code, 'forbidden', 'no origin at all')
    t.equal((await refusalOf(url, [], cookie('nonsense', origin))).problem.code, 'malformed')
    t.equal((await refusalOf(url, [], { headers: { cookie: 'theme=dark' }, origin })).problem.code, 'missing-token')
    const foreign = await refusalOf(url, [], { ...bearer(token), origin: 'https://evil.example' })
    t.equal(foreign.status, 403, 'a page that is not listed may not connect by a token either')
    const tool = await openSocket(url, [], bearer(token))
    tool.close()
  })

  t.test('opens none where no origins are configured', async t => {
    const { issuer, url } = await serve(t, {}, { cookie: 'access_token' })
    const token = issuer.token(person)
    for (const from of [undefined, origin, url.replace('ws', 'http')]) {
      const { problem, status } = await refusalOf(url, [], cookie(token, from))
      t.strictSame([status, problem.code], [403, 'forbidden'], String(from))
      t.match(problem.detail, 'allowedOrigins')
    }
    const socket = await openSocket(url, [], bearer(token))
    t.pass('but a token that no browser sends by itself does')
    socket.close()
  })

  t.test('is no token where the verifier has none', async t => {
    const { issuer, url } = await serve(t, { allowedOrigins: [origin] })
    t.equal((await refusalOf(url, [], cookie(issuer.token(person), origin))).problem.code, 'missing-token')
  })

  t.test('is checked again like every token', async t => {
    const { clock, issuer, url } = await serve(
      t,
      { allowedOrigins: [origin], recheckEveryMs: often },
      { cookie: 'access_token' },
    )
    const socket = await openSocket(url, [], cookie(issuer.token(person), origin))
    clock.nowMs += 16 * minute
    t.strictSame(await closeOf(socket), [4401, 'expired'])
  })
})

t.test('An open connection', async t => {
  t.test('closes with 4401 when its token has expired', async t => {
    const { accepted, clock, guard, issuer, url } = await serve(t, { recheckEveryMs: often })
    const socket = await openSocket(url, ['signet.bearer', issuer.token(person)])
    clock.nowMs += 14 * minute
    t.equal(guard.openConnections, 1)
    clock.nowMs += 2 * minute
    t.strictSame(await closeOf(socket), [4401, 'expired'])
    await waitUntil(() => guard.openConnections === 0)
    t.equal(accepted.length, 1)
  })

  t.test('closes at exp, whenever the next check would be', async t => {
    const exp = Math.ceil(Date.now() / 1000)
    // Stands 50 ms before the end until the connection is open, however slow this machine is.
    let startedAt: number | undefined
    const now = () => exp * 1000 - 50 + (startedAt === undefined ? 0 : Date.now() - startedAt)
    const { issuer, url } = await serve(t, { recheckEveryMs: never, now })
    const socket = await openSocket(url, [], bearer(issuer.token({ ...person, exp })))
    startedAt = Date.now()
    t.strictSame(await closeOf(socket), [4401, 'expired'])
    const lateMs = now() - exp * 1000
    t.ok(lateMs >= 0 && lateMs < 5_000, `${lateMs} ms after exp, though clocks may differ by 30 s`)
    t.equal((await refusalOf(url, [], bearer(issuer.token({ ...person, exp })))).problem.code, 'expired')
  })

  t.test('closes with 4401 when its key is published no more', async t => {
    const { clock, issuer, url } = await serve(t, { recheckEveryMs: often })
    const exp = Math.floor(clock.nowMs / 1000) + 7_200
    const socket = await openSocket(url, [], bearer(issuer.token({ ...person, exp })))
    const { kid } = issuer.key
    issuer.rotate()
    issuer.removeKey(kid)
    clock.nowMs += 11 * minute
    t.strictSame(await closeOf(socket), [4401, 'unknown_key'])
  })

  for (const mode of ['push', 'poll'] as const) {
    t.test(`closes with 4401 when its session has ended, and no other does (${mode})`, async t => {
      const { clock, guard, issuer, url } = await serve(t, { recheckEveryMs: often }, { revocation: { mode } })
      const token = issuer.token(person)
      const socket = await openSocket(url, [], bearer(token))
      const neighbour = await openSocket(url, [], bearer(issuer.token(person)))
      issuer.revoke(token)
      // Who is told does not wait; who asks does so when the list is as old as the issuer allows.
      if (mode === 'poll') clock.nowMs += minute + 1
      t.strictSame(await closeOf(socket), [4401, 'revoked'])
      t.equal((await refusalOf(url, [], bearer(token))).problem.code, 'revoked', 'nor is it let in again')
      t.equal(guard.openConnections, 1)
      t.equal(neighbour.readyState, WebSocket.OPEN)
    })
  }

  t.test('closes by what the verifier says: 4401, 4403 or 1013', async t => {
    const bench = await serve(t, { recheckEveryMs: often })
    for (const [reason, code] of [
      ['invalid_claims', 4401],
      ['forbidden', 4403],
      ['insufficient_scope', 4403],
      ['keys_unavailable', 1013],
    ] as const) {
      const socket = await openSocket(bench.url, [], bearer(bench.issuer.token(person)))
      bench.refusal = new AuthError(reason)
      t.strictSame(await closeOf(socket), [code, reason])
      bench.refusal = undefined
    }
    const socket = await openSocket(bench.url, [], bearer(bench.issuer.token(person)))
    bench.refusal = new RangeError('broken')
    t.strictSame(await closeOf(socket), [1013, 'keys_unavailable'], 'and when it breaks')
  })

  t.test('closes when its need is met no more', async t => {
    const need: { tenant: string } & Need = { tenant: person.tid }
    const { issuer, url } = await serve(t, { need, recheckEveryMs: often })
    const socket = await openSocket(url, [], bearer(issuer.token(person)))
    need.tenant = 'tenant-b'
    t.strictSame(await closeOf(socket), [4403, 'forbidden'])
  })

  t.test('stays open for as long as the token is good, without a check piling up on another', async t => {
    const issuer = createTestIssuer()
    const real = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
    const asked = { slow: 0, quick: 0 }
    let answer: (() => void) | undefined
    const verifier: Pick<Verifier, 'authenticate' | 'verify'> = {
      verify: (token, need) => real.verify(token, need),
      authenticate: async (headers, need) => {
        const principal = await real.authenticate(headers, need)
        const name = principal.subject === 'slow' ? 'slow' : 'quick'
        if (asked[name]++ > 0 && name === 'slow') {
          await new Promise<void>(resolve => {
            answer = resolve
          })
        }
        return principal
      },
    }
    const { accepted, guard, url } = await serve(t, { verifier, recheckEveryMs: often })
    const socket = await openSocket(url, [], bearer(issuer.token({ ...person, sub: 'slow' })))
    await openSocket(url, [], bearer(issuer.token(person)))
    await waitUntil(() => answer !== undefined)
    const before = asked.quick
    await waitUntil(() => asked.quick > before + 5)
    t.equal(asked.slow, 2, 'one check waits while others go on')
    answer?.()
    await waitUntil(() => asked.slow === 3)
    answer?.()
    socket.send('hello')
    t.equal(String((await once(accepted[0] as ServerSocket, 'message'))[0]), 'hello')
    t.equal(guard.openConnections, 2)
  })

  t.test('a thousand are checked by one timer', async t => {
    const bench = await serve(t, { recheckEveryMs: often })
    const token = bench.issuer.token(person)
    const closed: Promise<[number, string]>[] = []
    for (let batch = 0; batch < 10; batch++) {
      const opened = await Promise.all(Array.from({ length: 100 }, () => openSocket(bench.url, [], bearer(token))))
      closed.push(...opened.map(closeOf))
    }
    t.equal(bench.guard.openConnections, 1_000)
    bench.clock.nowMs += 16 * minute
    t.ok((await Promise.all(closed)).every(([code]) => code === 4401))
    await waitUntil(() => bench.guard.openConnections === 0 && bench.sockets.size === 0)
  })
})

t.test('renew', async t => {
  async function openOne(t: Test): Promise<Bench & { client: WebSocket; accepted: [ServerSocket] }> {
    const bench = await serve(t, { need: { permissions: ['chat:read'] }, recheckEveryMs: often })
    const client = await openSocket(bench.url, [], bearer(fresh(bench)))
    return Object.assign(bench, { client, accepted: bench.accepted as [ServerSocket] })
  }
  const fresh = ({ issuer }: { issuer: TestIssuer }, claims: object = {}) =>
    issuer.token({ ...person, permissions: ['chat:read'], ...claims })

  t.test('lets the connection outlive its first token', async t => {
    const bench = await openOne(t)
    const { accepted, client, clock, guard } = bench
    clock.nowMs += 14 * minute
    const renewed = await guard.renew(accepted[0], fresh(bench, { jti: 'second' }))
    t.equal(renewed.claims.jti, 'second')
    t.equal(guard.principal(accepted[0]).claims.jti, 'second')
    clock.nowMs += 14 * minute
    client.send('still here')
    await waitUntil(() => bench.messages.includes('still here'))
    await guard.renew(accepted[0], fresh(bench))
    clock.nowMs += 16 * minute
    t.strictSame(await closeOf(client), [4401, 'expired'], 'and no longer than its last')
    await t.rejects(guard.renew(accepted[0], fresh(bench)), { message: 'This connection has closed.' })
  })

  t.test('refuses the token of anybody else, and leaves everything as it was', async t => {
    const bench = await openOne(t)
    const { accepted, client, clock, guard } = bench
    for (const [name, claims] of [
      ['another subject', { sub: 'berta' }],
      ['another tenant', { tid: 'tenant-b' }],
      ['somebody who acts for the subject', { act: { sub: 'advisor' } }],
    ] as const) {
      t.equal(await reasonOf(() => guard.renew(accepted[0], fresh(bench, claims))), 'forbidden', name)
    }
    t.equal(await reasonOf(() => guard.renew(accepted[0], fresh(bench, { permissions: [] }))), 'insufficient_scope')
    t.equal(await reasonOf(() => guard.renew(accepted[0], 'nonsense')), 'malformed')
    t.equal(await reasonOf(() => guard.renew(accepted[0], undefined as unknown as string)), 'malformed')
    const past = Math.floor(clock.nowMs / 1000) - 5
    t.equal(await reasonOf(() => guard.renew(accepted[0], fresh(bench, { exp: past }))), 'expired', 'within tolerance')
    t.match(guard.principal(accepted[0]), { subject: 'anna', tenant: 'tenant-a' })
    client.send('unharmed')
    await waitUntil(() => bench.messages.includes('unharmed'))
    clock.nowMs += 16 * minute
    t.strictSame(await closeOf(client), [4401, 'expired'])
  })

  t.test('the same subject of another issuer is somebody else', async t => {
    const [a, b] = [createTestIssuer({ issuer: 'https://a.test' }), createTestIssuer({ issuer: 'https://b.test' })]
    const both: typeof fetch = async (input, init) => {
      const answer = await a.fetch(input, init)
      return answer.ok ? answer : b.fetch(input, init)
    }
    const verifier = createVerifier({ issuer: [a.issuer, b.issuer], audience: 'signet', keys: { fetch: both } })
    const { accepted, guard, url } = await serve(t, { verifier })
    await openSocket(url, [], bearer(a.token(person)))
    const [socket] = accepted
    t.equal(await reasonOf(() => guard.renew(socket as ServerSocket, b.token(person))), 'forbidden')
    t.equal(await reasonOf(() => guard.renew(socket as ServerSocket, a.token(person))), undefined)
  })

  t.test('counts against a check of the old token that is still under way', async t => {
    const issuer = createTestIssuer()
    const real = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
    const waiting: ((error: Error) => void)[] = []
    let asked = 0
    const verifier: Pick<Verifier, 'authenticate' | 'verify'> = {
      verify: (token, need) => real.verify(token, need),
      authenticate: (headers, need) =>
        asked++ === 0 ? real.authenticate(headers, need) : new Promise((_, reject) => waiting.push(reject)),
    }
    const bench = await serve(t, { verifier, recheckEveryMs: often })
    const client = await openSocket(bench.url, [], bearer(issuer.token(person)))
    await waitUntil(() => waiting.length === 1)
    await bench.guard.renew(bench.accepted[0] as ServerSocket, issuer.token(person))
    waiting[0]?.(new AuthError('expired'))
    client.send('unharmed')
    await waitUntil(() => bench.messages.includes('unharmed'))
    t.equal(bench.guard.openConnections, 1)
  })
})

t.test('Nothing is held for whoever misbehaves', async t => {
  t.test('a handshake that cannot be verified in time is answered 503', async t => {
    const asked: unknown[] = []
    const endless: typeof fetch = (_, init) => {
      asked.push(init)
      return new Promise(() => {})
    }
    const bench = await serve(t, { handshakeTimeoutMs: 50 }, { keys: { fetch: endless, timeoutMs: 30_000 } })
    const { problem, status } = await refusalOf(bench.url, [], bearer(bench.issuer.token(person)))
    t.strictSame([status, problem.code, asked.length], [503, 'keys-unavailable', 1])
    await waitUntil(() => bench.sockets.size === 0)
    t.equal(bench.guard.openConnections, 0)
  })

  t.test(
    'a client that neither reads its refusal nor hangs up is cut off, and so is one that goes on sending',
    async t => {
      const bench = await serve(t)
      const silent = handshake(bench.port, []).pause()
      const chatty = handshake(bench.port, [])
      const chat = setInterval(() => chatty.write('x'.repeat(1_000)), 5)
      t.teardown(() => clearInterval(chat))
      for (const socket of [silent, chatty]) {
        socket.on('error', () => {})
        t.teardown(() => socket.destroy())
      }
      await waitUntil(() => bench.sockets.size === 2)
      await waitUntil(() => bench.sockets.size === 0)
    },
  )

  t.test('a client that resets the connection while its token is verified harms nobody', async t => {
    let answer: (() => void) | undefined
    const bench = await serve(
      t,
      {},
      {
        keys: {
          fetch: () =>
            new Promise((_, reject) => {
              answer = () => reject(new Error('unreachable'))
            }),
        },
      },
    )
    const token = bench.issuer.token(person)
    for (const leave of [(socket: Socket) => socket.resetAndDestroy(), (socket: Socket) => socket.destroy()]) {
      const socket = handshake(bench.port, [`Authorization: Bearer ${token}`])
      socket.on('error', () => {})
      await waitUntil(() => bench.sockets.size === 1)
      await waitUntil(() => answer !== undefined)
      leave(socket)
      answer?.()
      await waitUntil(() => bench.sockets.size === 0)
    }
    t.equal(bench.accepted.length, 0)
  })

  t.test('a client that ignores its close is not heard any more and cut off', async t => {
    const bench = await serve(t, { recheckEveryMs: often })
    const socket = handshake(bench.port, [`Authorization: Bearer ${bench.issuer.token(person)}`])
    const frames: Buffer[] = []
    socket.on('data', chunk => frames.push(chunk)).on('error', () => {})
    await waitUntil(() => bench.accepted.length === 1)
    socket.write(textFrame('early'))
    await waitUntil(() => bench.messages.length === 1)
    bench.refusal = new AuthError('forbidden')
    // 0x88 is a close frame, 4403 its code (RFC 6455 section 5.5.1).
    await waitUntil(() => Buffer.concat(frames).includes(Buffer.from([0x88, 11, 0x11, 0x33])))
    const late = setInterval(() => socket.write(textFrame('late')), 2)
    t.teardown(() => clearInterval(late))
    await waitUntil(() => bench.sockets.size === 0)
    t.strictSame(bench.messages, ['early'])
    t.equal(bench.guard.openConnections, 0)
  })

  t.test('timers are unref’d, and cleared when the last connection has gone', async t => {
    const now = Date.now
    const bench = await serve(t, { recheckEveryMs: 60_000, now })
    const warmUp = await openSocket(bench.url, [], bearer(bench.issuer.token(person)))
    warmUp.close()
    await waitUntil(() => bench.sockets.size === 0)
    const referenced = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = referenced()
    const living = countTimers(t)
    const exp = Math.floor(now() / 1000) + 60
    const clients = await Promise.all(
      Array.from({ length: 3 }, () => openSocket(bench.url, [], bearer(bench.issuer.token({ ...person, exp })))),
    )
    await waitUntil(() => bench.guard.openConnections === 3)
    t.ok(living() >= 4, 'one for all, and one for each that ends soon')
    t.equal(referenced(), before, 'none of them keeps the process alive')
    for (const client of clients) client.close()
    await waitUntil(() => bench.sockets.size === 0)
    t.equal(bench.guard.openConnections, 0)
    await waitUntil(() => living() === 0)
  })
})

t.test('Other servers of WebSockets', async t => {
  t.test('a function is handed the upgrade, and its raw socket is destroyed when the token is over', async t => {
    const issuer = createTestIssuer()
    const clock = { nowMs: Date.now() }
    const now = () => clock.nowMs
    const verifier = createVerifier({
      issuer: issuer.issuer,
      audience: issuer.audience,
      keys: { jwks: issuer.jwks },
      now,
    })
    const guard = guardWebSockets({ verifier, need: {}, recheckEveryMs: often, now })
    const server = createServer()
    t.teardown(() => server.close())
    const subjects: string[] = []
    server.on(
      'upgrade',
      guard.upgrade((_, socket, head) => {
        subjects.push(guard.principal(socket).subject)
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${head.toString()}`,
        )
      }),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    t.match(await exchange(port, []), /^HTTP\/1.1 401 /)
    const socket = handshake(port, [`Authorization: Bearer ${issuer.token(person)}`])
    await once(socket, 'data')
    t.strictSame(subjects, ['anna'])
    clock.nowMs += 16 * minute
    await once(
      socket.on('error', () => {}),
      'close',
    )
    t.equal(guard.openConnections, 0)
  })

  t.test('two listeners that take the same upgrade get nothing, and a warning says so', async t => {
    const issuer = createTestIssuer()
    const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
    const server = createServer()
    t.teardown(() => server.close())
    let handed = 0
    for (let index = 0; index < 2; index++) {
      server.on(
        'upgrade',
        guardWebSockets({ verifier, need: {} }).upgrade(() => handed++),
      )
    }
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const warned = once(process, 'warning')
    const { port } = server.address() as AddressInfo
    t.equal(await exchange(port, [`Authorization: Bearer ${issuer.token(person)}`]), '')
    t.match((await warned)[0].message, 'upgrade')
    t.equal(handed, 0)
  })

  t.test('what a server refuses after the guard leaves nothing behind', async t => {
    const bench = await serve(t)
    const token = bench.issuer.token(person)
    const answer = await exchange(bench.port, [`Authorization: Bearer ${token}`, 'Sec-WebSocket-Key: short'])
    t.match(answer, /^HTTP\/1.1 400 /)
    await waitUntil(() => bench.guard.openConnections === 0 && bench.sockets.size === 0)
  })
})

t.test('Wrong options are a TypeError', async t => {
  const { guard } = await serve(t)
  const verifier = createVerifier({ issuer: 'https://issuer.test', audience: 'signet' })
  const wrong: Record<string, unknown>[] = [
    {},
    { need: undefined },
    { need: { permission: ['chat:read'] } },
    { need: {}, origins: [origin] },
    { need: {}, recheckEveryMs: 0 },
    { need: {}, recheckEveryMs: Number.POSITIVE_INFINITY },
    { need: {}, handshakeTimeoutMs: 0 },
    { need: {}, now: 1 },
    ...['*', 'null', `${origin}/`, `${origin}/chat`, 'app.example.com', 'https://*.example.com', `${origin}:443`].map(
      item => ({ need: {}, allowedOrigins: [item] }),
    ),
    { need: {}, allowedOrigins: [] },
    { need: {}, allowedOrigins: origin },
  ]
  for (const options of wrong) {
    t.throws(
      () => guardWebSockets({ verifier, ...options } as unknown as WebSocketGuardOptions),
      TypeError,
      JSON.stringify(options),
    )
  }
  // @ts-expect-error -- the need cannot be forgotten
  t.throws(() => guardWebSockets({ verifier }), TypeError)
  guardWebSockets({ verifier, need: {}, allowedOrigins: [origin, 'http://localhost:3000', 'capacitor://localhost'] })
  const listening = new WebSocketServer({ port: 0 })
  t.teardown(() => listening.close())
  t.throws(
    () => guard.upgrade(listening),
    { name: 'TypeError', message: /noServer/ },
    'a server that listens by itself',
  )
  const server = createServer()
  t.throws(() => guard.upgrade(new WebSocketServer({ server })), TypeError, 'or beside the guard')
  t.throws(() => guard.upgrade(undefined as unknown as WebSocketServer), TypeError)
})

/** Sends an upgrade and leaves the rest to the caller. Later lines replace earlier ones of the same name. */
function handshake(port: number, lines: readonly string[]): Socket {
  const socket = connect(port, '127.0.0.1')
  const standard = [
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const given = lines.map(line => line.split(':')[0]?.toLowerCase())
  const kept = standard.filter(line => !given.includes(line.split(':')[0]?.toLowerCase()))
  socket.write(`GET / HTTP/1.1\r\n${[...kept, ...lines].join('\r\n')}\r\n\r\n`)
  return socket
}

/** All that is answered to an upgrade, until it matches or the server hangs up. */
async function exchange(port: number, lines: readonly string[], until?: RegExp): Promise<string> {
  const socket = handshake(port, lines)
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (until?.test(text) === true) break
  }
  socket.destroy()
  return text
}

/** A text frame as clients send it, masked with zeros (RFC 6455 section 5.2). */
function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}
