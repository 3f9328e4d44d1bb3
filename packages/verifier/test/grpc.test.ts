import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import {
  Client,
  type ClientReadableStream,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { AuthError, createVerifier, type Verifier, type VerifierOptions } from '@signet/verifier'
import { type GrpcGuard, type GrpcGuardOptions, guardGrpc, type MethodNeeds, principalOf } from '@signet/verifier/grpc'
import { createTestIssuer, type TestIssuer } from '@signet/verifier/testing'
import t, { type Test } from 'tap'
import { minute, waitUntil } from './remote-issuer.ts'
import { countTimers } from './timers.ts'

const often = 5
const never = 3_600_000
const person = { sub: 'anna', tid: 'tenant-a' }

const toBytes = (text: string) => Buffer.from(text)
const toText = (bytes: Buffer) => bytes.toString()

function describe(path: string, requestStream = false, responseStream = false) {
  const coding = {
    requestSerialize: toBytes,
    requestDeserialize: toText,
    responseSerialize: toBytes,
    responseDeserialize: toText,
  }
  return { path, requestStream, responseStream, ...coding }
}

const chat = {
  say: describe('/test.Chat/Say'),
  read: describe('/test.Chat/Read'),
  open: describe('/test.Chat/Open'),
  forgotten: describe('/test.Chat/Forgotten'),
  listen: describe('/test.Chat/Listen', false, true),
  dictate: describe('/test.Chat/Dictate', true),
  talk: describe('/test.Chat/Talk', true, true),
} satisfies ServiceDefinition
const other = { any: describe('/test.Other/Any'), named: describe('/test.Other/Named') } satisfies ServiceDefinition

const methods: MethodNeeds = {
  '/test.Chat/Say': {},
  '/test.Chat/Read': { permissions: ['chat:read'] },
  '/test.Chat/Open': 'public',
  '/test.Chat/Listen': {},
  '/test.Chat/Dictate': {},
  '/test.Chat/Talk': {},
  '/test.Other/*': { roles: ['admin'] },
  '/test.Other/Named': {},
}

interface Bench {
  readonly client: Client
  readonly port: number
  readonly issuer: TestIssuer
  readonly guard: GrpcGuard
  readonly clock: { nowMs: number }
  /** What handlers were given, and their calls that were cancelled. */
  readonly heard: string[]
  readonly cancelled: string[]
  /** Handlers of streams that have begun. */
  readonly begun: string[]
  /** Thrown by the verifier instead of its answer. */
  refusal: Error | undefined
}

async function serve(
  t: Test,
  options: Partial<GrpcGuardOptions> = {},
  verifierOptions: Partial<VerifierOptions> = {},
  more: ServerInterceptor[] = [],
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
  const verifier: Pick<Verifier, 'authenticate'> = {
    authenticate: async (headers, need) => {
      if (bench.refusal !== undefined) throw bench.refusal
      return real.authenticate(headers, need)
    },
  }
  const guard = guardGrpc({ verifier, methods, recheckEveryMs: never, now, ...options })
  const server = new Server({ interceptors: [guard, ...more] })
  const answer: handleUnaryCall<string, string> = (call, callback) => {
    bench.heard.push(call.request)
    callback(null, `${principalOf(call).subject} said ${call.request}`)
  }
  const listen: handleServerStreamingCall<string, string> = call => {
    bench.begun.push(call.getPath())
    call.on('cancelled', () => bench.cancelled.push(call.getPath()))
    call.write(`hello ${principalOf(call).subject}`)
  }
  const dictate: handleClientStreamingCall<string, string> = (call, callback) => {
    bench.begun.push(call.getPath())
    call.on('cancelled', () => bench.cancelled.push(call.getPath()))
    call.on('data', text => bench.heard.push(text))
    call.on('end', () => callback(null, principalOf(call).subject))
  }
  const talk: handleBidiStreamingCall<string, string> = call => {
    bench.begun.push(call.getPath())
    call.on('cancelled', () => bench.cancelled.push(call.getPath()))
    call.on('data', text => {
      bench.heard.push(text)
      call.write(`${principalOf(call).subject} said ${text}`)
    })
    call.on('end', () => call.end())
  }
  const open: handleUnaryCall<string, string> = (call, callback) => {
    t.throws(() => principalOf(call), 'a public method has no principal')
    callback(null, 'open')
  }
  server.addService(chat, { say: answer, read: answer, forgotten: answer, open, listen, dictate, talk })
  server.addService(other, { any: answer, named: answer })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  t.teardown(() => {
    client.close()
    server.forceShutdown()
    real.close()
  })
  const bench: Bench = { client, port, issuer, guard, clock, heard: [], cancelled: [], begun: [], refusal: undefined }
  return bench
}

function bearer(token: string): Metadata {
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  return metadata
}

interface Outcome {
  readonly code: status
  readonly reason: unknown
  readonly text: string
}

async function callOnce(client: Client, { path }: { path: string }, metadata = new Metadata()): Promise<Outcome> {
  return new Promise(resolve => {
    client.makeUnaryRequest(path, toBytes, toText, 'hi', metadata, (error, text = '') => {
      if (error === null) resolve({ code: status.OK, reason: undefined, text })
      else resolve(outcomeOf(error))
    })
  })
}

function outcomeOf(error: ServiceError): Outcome {
  return { code: error.code, reason: error.metadata.get('signet-reason')[0], text: error.details }
}

async function endOf(stream: Pick<ClientReadableStream<string>, 'on'>): Promise<Outcome> {
  return new Promise(resolve => {
    stream.on('error', error => resolve(outcomeOf(error as ServiceError)))
    stream.on('end', () => resolve({ code: status.OK, reason: undefined, text: '' }))
    stream.on('data', () => {})
  })
}

const talkTo = ({ client }: Bench, metadata: Metadata) =>
  client.makeBidiStreamRequest(chat.talk.path, toBytes, toText, metadata)

t.test('A call', async t => {
  const bench = await serve(t)
  const { client, clock, heard, issuer } = bench

  await t.test('without a token is UNAUTHENTICATED, and its handler never runs', async t => {
    t.strictSame(await callOnce(client, chat.say), {
      code: status.UNAUTHENTICATED,
      reason: 'missing_token',
      text: 'The request carries no access token.',
    })
    const outcome = await endOf(talkTo(bench, new Metadata()))
    t.match(outcome, { code: status.UNAUTHENTICATED, reason: 'missing_token' }, 'nor does that of a stream')
    t.strictSame([heard, bench.begun], [[], []])
  })

  await t.test('with a bad token is UNAUTHENTICATED with the reason and nothing of the token', async t => {
    const good = issuer.token(person)
    const expired = issuer.token({ ...person, exp: Math.floor(clock.nowMs / 1000) - 60 })
    for (const [token, reason] of [
      ['nonsense', 'malformed'],
      [`${good.slice(0, -4)}AAAA`, 'invalid_signature'],
      [expired, 'expired'],
      [`${good}, Bearer ${good}`, 'malformed'],
    ] as const) {
      const outcome = await callOnce(client, chat.say, bearer(token))
      t.match(outcome, { code: status.UNAUTHENTICATED, reason }, reason)
      t.notMatch(JSON.stringify(outcome), token)
    }
    const basic = new Metadata()
    basic.set('authorization', 'Basic YTpi')
    t.match(await callOnce(client, chat.say, basic), { reason: 'missing_token' })
  })

  await t.test('with a good token reaches its handler, which reads the principal', async t => {
    t.strictSame(await callOnce(client, chat.say, bearer(issuer.token(person))), {
      code: status.OK,
      reason: undefined,
      text: 'anna said hi',
    })
    t.strictSame(heard, ['hi'])
  })

  await t.test('without the permission is PERMISSION_DENIED', async t => {
    t.match(await callOnce(client, chat.read, bearer(issuer.token({ permissions: ['chat:list'] }))), {
      code: status.PERMISSION_DENIED,
      reason: 'insufficient_scope',
      text: /chat:read/,
    })
    t.match(await callOnce(client, chat.read, bearer(issuer.token({ permissions: ['chat:read'] }))), {
      code: status.OK,
    })
  })

  await t.test('of a method that nobody has listed is refused, whatever token it has', async t => {
    for (const metadata of [new Metadata(), bearer(issuer.token({ roles: ['admin'] }))]) {
      t.match(await callOnce(client, chat.forgotten, metadata), { code: status.PERMISSION_DENIED, reason: 'forbidden' })
    }
  })

  await t.test('is judged by its own name before its service’s', async t => {
    t.match(await callOnce(client, other.any, bearer(issuer.token(person))), { reason: 'forbidden' })
    t.match(await callOnce(client, other.any, bearer(issuer.token({ roles: ['admin'] }))), { code: status.OK })
    t.match(await callOnce(client, other.named, bearer(issuer.token(person))), { code: status.OK })
  })

  await t.test('of a public method needs nothing', async t => {
    t.match(await callOnce(client, chat.open), { code: status.OK, text: 'open' })
    t.match(await callOnce(client, chat.open, bearer('nonsense')), { code: status.OK, text: 'open' })
  })

  await t.test('of a method that does not exist is UNIMPLEMENTED', async t => {
    t.match(await callOnce(client, { path: '/test.Chat/Nothing' }), { code: status.UNIMPLEMENTED })
  })

  await t.test('that cannot be decided is UNAVAILABLE', async t => {
    bench.refusal = new AuthError('keys_unavailable')
    t.match(await callOnce(client, chat.say, bearer(issuer.token())), {
      code: status.UNAVAILABLE,
      reason: 'keys_unavailable',
    })
    bench.refusal = new SyntaxError('broken')
    t.match(
      await callOnce(client, chat.say, bearer(issuer.token())),
      { code: status.UNAVAILABLE },
      'or at which it breaks',
    )
    bench.refusal = undefined
  })
})

t.test('Repeated authorization is refused', async t => {
  const repeat: ServerInterceptor = (_, next) =>
    new ServerInterceptingCall(next, {
      start: begin =>
        begin({
          onReceiveMetadata: (metadata, pass) => {
            metadata.add('authorization', 'Bearer another')
            pass(metadata)
          },
        }),
    })
  const issuer = createTestIssuer()
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
  const server = new Server({ interceptors: [repeat, guardGrpc({ verifier, methods })] })
  server.addService(other, { any: () => t.fail('reached'), named: () => t.fail('reached') })
  const port = await new Promise<number>(resolve => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound))
  })
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  t.teardown(() => {
    client.close()
    server.forceShutdown()
  })
  t.match(await callOnce(client, other.named, bearer(issuer.token())), {
    code: status.UNAUTHENTICATED,
    reason: 'malformed',
  })
})

t.test('Other interceptors', async t => {
  const seen: string[] = []
  const replace: ServerInterceptor = ({ path }, next) =>
    new ServerInterceptingCall(next, {
      start: begin =>
        begin({
          onReceiveMetadata: (_, pass) => {
            seen.push(path)
            pass(new Metadata())
          },
        }),
    })
  const { client, issuer } = await serve(t, {}, {}, [replace])
  t.match(await callOnce(client, chat.say), { reason: 'missing_token' })
  t.strictSame(seen, [], 'that stand behind the guard see no call that it refuses')
  t.match(await callOnce(client, chat.say, bearer(issuer.token(person))), { text: 'anna said hi' })
  t.strictSame(seen, ['/test.Chat/Say'], 'and may replace the metadata without hiding the principal')
})

t.test('A stream', async t => {
  t.test('of every kind ends UNAUTHENTICATED when its token has expired', async t => {
    const bench = await serve(t, { recheckEveryMs: often })
    const { client, clock, guard, heard, issuer } = bench
    const token = bearer(issuer.token(person))
    const listening = client.makeServerStreamRequest(chat.listen.path, toBytes, toText, 'x', token)
    t.equal((await once(listening, 'data'))[0], 'hello anna')
    const talking = talkTo(bench, token)
    talking.write('hi')
    t.equal((await once(talking, 'data'))[0], 'anna said hi')
    let dictated: ServiceError | null = null
    const dictating = client.makeClientStreamRequest(chat.dictate.path, toBytes, toText, token, error => {
      dictated = error
    })
    dictating.write('one')
    await waitUntil(() => heard.includes('one'))
    t.equal(guard.openStreams, 3)
    clock.nowMs += 16 * minute
    for (const stream of [listening, talking]) {
      t.match(await endOf(stream), { code: status.UNAUTHENTICATED, reason: 'expired' })
    }
    await waitUntil(() => dictated !== null)
    t.match(outcomeOf(dictated as unknown as ServiceError), { code: status.UNAUTHENTICATED, reason: 'expired' })
    t.equal(guard.openStreams, 0)
    t.strictSame(
      bench.cancelled.toSorted(),
      [chat.dictate.path, chat.listen.path, chat.talk.path],
      'and its handler hears of it',
    )
  })

  t.test('ends at exp, whenever the next check would be', async t => {
    const exp = Math.ceil(Date.now() / 1000)
    // Stands 50 ms before the end until the stream is open, however slow this machine is.
    let startedAt: number | undefined
    const now = () => exp * 1000 - 50 + (startedAt === undefined ? 0 : Date.now() - startedAt)
    const bench = await serve(t, { recheckEveryMs: never, now })
    const token = bearer(bench.issuer.token({ ...person, exp }))
    const stream = talkTo(bench, token)
    await waitUntil(() => bench.guard.openStreams === 1)
    startedAt = Date.now()
    t.match(await endOf(stream), { code: status.UNAUTHENTICATED, reason: 'expired' })
    const lateMs = now() - exp * 1000
    t.ok(lateMs >= 0 && lateMs < 5_000, `${lateMs} ms after exp, though clocks may differ by 30 s`)
    t.match(await endOf(talkTo(bench, token)), { reason: 'expired' })
    t.equal(bench.begun.length, 1, 'and none begins after it')
    t.match(await callOnce(bench.client, chat.say, token), { code: status.OK }, 'which a short call still may')
  })

  t.test('ends when its key is published no more', async t => {
    const bench = await serve(t, { recheckEveryMs: often })
    const { clock, issuer } = bench
    const exp = Math.floor(clock.nowMs / 1000) + 7_200
    const stream = talkTo(bench, bearer(issuer.token({ ...person, exp })))
    await waitUntil(() => bench.guard.openStreams === 1)
    const { kid } = issuer.key
    issuer.rotate()
    issuer.removeKey(kid)
    clock.nowMs += 11 * minute
    t.match(await endOf(stream), { code: status.UNAUTHENTICATED, reason: 'unknown_key' })
  })

  for (const mode of ['push', 'poll'] as const) {
    t.test(`ends UNAUTHENTICATED when its session has ended, and no other does (${mode})`, async t => {
      const bench = await serve(t, { recheckEveryMs: often }, { revocation: { mode } })
      const { clock, guard, issuer } = bench
      const token = issuer.token(person)
      const stream = talkTo(bench, bearer(token))
      const neighbour = talkTo(bench, bearer(issuer.token(person)))
      await waitUntil(() => guard.openStreams === 2)
      issuer.revoke(token)
      // Who is told does not wait; who asks does so when the list is as old as the issuer allows.
      if (mode === 'poll') clock.nowMs += minute + 1
      t.match(await endOf(stream), { code: status.UNAUTHENTICATED, reason: 'revoked' })
      const again = await callOnce(bench.client, chat.say, bearer(token))
      t.match(again, { code: status.UNAUTHENTICATED, reason: 'revoked' }, 'nor is it let in again')
      t.equal(guard.openStreams, 1)
      neighbour.write('still here')
      t.equal((await once(neighbour, 'data'))[0], 'anna said still here')
      neighbour.end()
      t.match(await endOf(neighbour), { code: status.OK })
    })
  }

  t.test('ends by what the verifier says', async t => {
    const bench = await serve(t, { recheckEveryMs: often })
    for (const [reason, code] of [
      ['invalid_claims', status.UNAUTHENTICATED],
      ['forbidden', status.PERMISSION_DENIED],
      ['keys_unavailable', status.UNAVAILABLE],
    ] as const) {
      const stream = talkTo(bench, bearer(bench.issuer.token(person)))
      await waitUntil(() => bench.guard.openStreams === 1)
      bench.refusal = new AuthError(reason)
      t.match(await endOf(stream), { code, reason })
      bench.refusal = undefined
    }
  })

  t.test('passes nothing on once it has been refused, even if the client never reads its status', async t => {
    const bench = await serve(t, { recheckEveryMs: often })
    const token = bench.issuer.token(person)
    const session = connectRaw(t, bench.port)
    const stream = callRaw(session, chat.talk, [token])
    stream.write(message('early'))
    // The answers are not read. They fill the window of the stream, and its status waits behind them.
    for (let index = 0; index < 5; index++) stream.write(message('x'.repeat(30_000)))
    await waitUntil(() => bench.heard.length === 6)
    bench.refusal = new AuthError('forbidden')
    await waitUntil(() => bench.cancelled.length === 1)
    stream.write(message('late'))
    bench.refusal = undefined
    // By the time that another stream of the same connection is answered, the late message has arrived.
    t.equal(await statusOf(callRaw(session, chat.say, [token])), status.OK)
    t.notOk(bench.heard.includes('late'))
    t.equal(bench.guard.openStreams, 0)
  })

  t.test('is let go when it ends, when it is cancelled, and when its connection is lost', async t => {
    const bench = await serve(t, { recheckEveryMs: 60_000 })
    const { guard, issuer } = bench
    const living = countTimers(t)
    const exp = Math.floor(bench.clock.nowMs / 1000) + 60
    const token = bearer(issuer.token({ ...person, exp }))
    const ended = talkTo(bench, token)
    await waitUntil(() => guard.openStreams === 1)
    t.equal(living(), 2, 'a timer for all streams, and one for a stream that ends soon')
    ended.end()
    t.match(await endOf(ended), { code: status.OK })
    await waitUntil(() => guard.openStreams === 0)
    const cancelled = talkTo(bench, token)
    await waitUntil(() => guard.openStreams === 1)
    cancelled.cancel()
    t.match(await endOf(cancelled), { code: status.CANCELLED })
    await waitUntil(() => guard.openStreams === 0)
    const session = connectRaw(t, bench.port)
    callRaw(session, chat.talk, [issuer.token({ ...person, exp })])
    await waitUntil(() => guard.openStreams === 1)
    session.destroy()
    await waitUntil(() => guard.openStreams === 0)
    await waitUntil(() => living() === 0)
  })

  t.test('that is cancelled while its token is verified never begins', async t => {
    let answer: (() => void) | undefined
    const issuer = createTestIssuer()
    const fetchLate: typeof fetch = async (input, init) => {
      await new Promise<void>(resolve => {
        answer = resolve
      })
      return issuer.fetch(input, init)
    }
    const real = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: fetchLate } })
    let asked = 0
    const verifier: Pick<Verifier, 'authenticate'> = {
      authenticate: (headers, need) => {
        asked++
        return real.authenticate(headers, need)
      },
    }
    const bench = await serve(t, { verifier })
    const token = bearer(issuer.token(person))
    const stream = talkTo(bench, token)
    await waitUntil(() => asked === 1)
    stream.write('early')
    stream.cancel()
    t.match(await endOf(stream), { code: status.CANCELLED })
    const waiting = callOnce(bench.client, chat.say, token)
    // The cancellation went before it on the same connection.
    await waitUntil(() => asked === 2 && answer !== undefined)
    answer?.()
    t.match(await waiting, { code: status.OK }, 'a call that waited for the same keys does')
    t.strictSame([bench.heard, bench.begun], [['hi'], []])
    t.equal(bench.guard.openStreams, 0)
  })
})

t.test('Of two authorization fields on the wire the first one counts: Node shows no other', async t => {
  const bench = await serve(t)
  const good = bench.issuer.token(person)
  for (const [tokens, code] of [
    [['nonsense', good], status.UNAUTHENTICATED],
    [[good, 'nonsense'], status.OK],
  ] as const) {
    t.equal(await statusOf(callRaw(connectRaw(t, bench.port), chat.say, tokens)), code)
  }
})

t.test('Wrong options are a TypeError', async t => {
  const verifier = createVerifier({ issuer: 'https://issuer.test', audience: 'signet' })
  // @ts-expect-error -- the methods cannot be forgotten
  t.throws(() => guardGrpc({ verifier }), TypeError)
  const wrong: Record<string, unknown>[] = [
    {},
    { methods: [] },
    { methods: { 'test.Chat/Say': {} } },
    { methods: { '/test.Chat': {} } },
    { methods: { '/test.Chat/Say*': {} } },
    { methods: { '/*': 'public' } },
    { methods: { '/*/*': 'public' } },
    { methods: { '/test.Chat/Say': 'private' } },
    { methods: { '/test.Chat/Say': undefined } },
    { methods: { '/test.Chat/Say': { permission: ['chat:read'] } } },
    { methods, recheckEveryMs: -1 },
    { methods, need: {} },
  ]
  for (const options of wrong) {
    t.throws(
      () => guardGrpc({ verifier, ...options } as unknown as GrpcGuardOptions),
      TypeError,
      JSON.stringify(options),
    )
  }
})

/** Plain HTTP/2: may send a field more than once, read nothing, and lose its connection. */
function connectRaw(t: Test, port: number): ClientHttp2Session {
  const lenient: object = { strictSingleValueFields: false }
  const session = connect(`http://127.0.0.1:${port}`, lenient).on('error', () => {})
  t.teardown(() => session.destroy())
  return session
}

function callRaw(session: ClientHttp2Session, { path }: { path: string }, tokens: readonly string[]) {
  const fields: object = {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: tokens.map(token => `Bearer ${token}`),
  }
  return session.request(fields as OutgoingHttpHeaders, { endStream: false }).on('error', () => {})
}

/** The prefix of gRPC: not compressed, and how many bytes. */
function message(text: string): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(Buffer.byteLength(text), 1)
  return Buffer.concat([prefix, Buffer.from(text)])
}

async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  let code = Number.NaN
  for (const event of ['response', 'trailers']) {
    stream.on(event, (headers: IncomingHttpHeaders) => {
      if (headers['grpc-status'] !== undefined) code = Number(headers['grpc-status'])
    })
  }
  stream.resume()
  stream.end(message('hi'))
  await once(stream, 'close')
  return code
}
