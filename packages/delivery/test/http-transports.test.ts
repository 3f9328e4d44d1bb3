import { readFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type MessageId, newId, type UserId } from '@signet/kernel'
import t, { type Test } from 'tap'
import { type Outgoing, PermanentFailure, type Transport } from '../src/transport.ts'
import { createEventSender } from '../src/transports/event.ts'
import { createFast2Sms } from '../src/transports/fast2sms.ts'
import { createTwilio } from '../src/transports/twilio.ts'
import { createWebhook } from '../src/transports/webhook.ts'

interface Received {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver on a free port that answers as it is told. */
async function receiver(t: Test, answer: (response: ServerResponse) => void) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      received.push({ method: request.method, path: request.url, headers: request.headers, body })
      answer(response)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const json = (status: number, body: unknown) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const code = '407193'
const createdAt = new Date('2026-11-20T10:00:00Z')

function message(change: Partial<Outgoing> = {}): Outgoing {
  return {
    id: newId<MessageId>(),
    channel: 'sms',
    userId: null,
    to: '+919876543210',
    template: 'sign-in-code',
    subject: '',
    text: `Your code is ${code}. It works for 10 minutes.`,
    html: null,
    replyTo: null,
    variables: [code, '10'],
    payload: null,
    createdAt,
    ...change,
  }
}

const event = () =>
  message({
    channel: 'event',
    to: 'analytics',
    template: 'user.login',
    text: '',
    variables: [],
    userId: 'f0' as UserId,
    payload: { tenant_id: 'e0' },
  })

const never = new AbortController().signal
const clock = () => 1_795_000_000_999
const secret = 'webhook-secret-0123456789'
const timeoutMs = 10_000

const make = {
  fast2sms: (baseUrl: string, limit = timeoutMs) =>
    createFast2Sms({ apiKey: 'f2s-key', senderId: 'SIGNET', templateId: '168912', baseUrl, timeoutMs: limit }),
  twilio: (baseUrl: string, limit = timeoutMs) =>
    createTwilio({ accountSid: 'AC1/2', authToken: 'tw-token', from: '+15005550006', baseUrl, timeoutMs: limit }),
  webhook: (baseUrl: string, limit = timeoutMs) =>
    createWebhook({ url: `${baseUrl}/sms?from=signet`, secret, clock, timeoutMs: limit }),
  event: (baseUrl: string, limit = timeoutMs) =>
    createEventSender({ baseUrl, serviceKey: 'service-key', timeoutMs: limit }),
}
const keys = /f2s-key|tw-token|webhook-secret|service-key/
const accepted = {
  fast2sms: { return: true, request_id: 'lwdtp7cjyqxvfe9', message: ['SMS sent successfully.'] },
  twilio: { sid: 'SM0123456789abcdef', status: 'queued', error_code: null, error_message: null },
  webhook: {},
  event: { ok: true },
}
const kinds = ['fast2sms', 'twilio', 'webhook', 'event'] as const

/** What sending fails with. */
async function failureOf(transport: Transport, sent = message(), signal: AbortSignal = never): Promise<Error> {
  try {
    await transport.send(sent, signal)
  } catch (error) {
    return error as Error
  } finally {
    await transport.close()
  }
  throw new Error('It was taken.')
}

t.test('Fast2SMS gets the registered message, its sender and what fills the gaps, in their order', async t => {
  const { received, url } = await receiver(t, json(200, accepted.fast2sms))
  const transport = make.fast2sms(url)
  t.teardown(() => transport.close())
  await transport.send(message({ variables: ['Ada | Grace', code, '10'] }), never)
  t.match(received, [
    {
      method: 'POST',
      path: '/dev/bulkV2',
      headers: { authorization: 'f2s-key', 'content-type': 'application/json' },
    },
  ])
  t.strictSame(JSON.parse(received[0]?.body ?? ''), {
    route: 'dlt',
    sender_id: 'SIGNET',
    message: '168912',
    variables_values: `Ada   Grace|${code}|10`,
    numbers: '9876543210',
  })
})

t.test('Fast2SMS is not asked for numbers that it cannot reach', async t => {
  const { received, url } = await receiver(t, json(200, accepted.fast2sms))
  for (const to of ['+15005550006', '+9198765432', '+9198765432101', '9876543210', '+919876543210,9876543211']) {
    t.type(await failureOf(make.fast2sms(url), message({ to })), PermanentFailure, to)
  }
  t.equal(received.length, 0)
})

t.test('Fast2SMS says no inside of an answer: the message is refused for good, or once more later', async t => {
  for (const [status, body, isPermanent, words] of [
    [
      400,
      { return: false, status_code: 411, message: 'Invalid Numbers' },
      true,
      'Fast2SMS answered 400 with its code 411',
    ],
    [400, { return: false, status_code: 416, message: 'wallet' }, false, 'Fast2SMS answered 400 with its code 416'],
    [401, { return: false, status_code: 412, message: 'key' }, false, 'Fast2SMS answered 401 with its code 412'],
    [200, { return: false, status_code: 411, message: code }, true, 'Fast2SMS answered 200 with its code 411'],
    [200, { return: false, message: code }, false, 'Fast2SMS answered 200'],
    [200, { return: 'true' }, false, 'Fast2SMS answered 200'],
    [200, [], false, 'Fast2SMS answered 200'],
    [500, { return: true }, false, 'Fast2SMS answered 500'],
  ] as const) {
    const { url } = await receiver(t, json(status, body))
    const failure = await failureOf(make.fast2sms(url))
    t.equal(failure instanceof PermanentFailure, isPermanent, words)
    t.equal(failure.message, words)
  }
})

t.test('Twilio gets a form with the account’s name and password', async t => {
  const { received, url } = await receiver(t, json(201, accepted.twilio))
  const transport = make.twilio(url)
  t.teardown(() => transport.close())
  await transport.send(message({ to: '+15005550009', text: 'A & B = ü +1' }), never)
  t.match(received, [
    {
      method: 'POST',
      path: '/2010-04-01/Accounts/AC1%2F2/Messages.json',
      headers: {
        authorization: `Basic ${Buffer.from('AC1/2:tw-token').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'To=%2B15005550009&From=%2B15005550006&Body=A+%26+B+%3D+%C3%BC+%2B1',
    },
  ])
})

t.test('Twilio says no by status and code', async t => {
  for (const [status, body, isPermanent, words] of [
    [400, { code: 21_211, message: `To ${code}`, status: 400 }, true, 'Twilio answered 400 with its code 21211'],
    [429, { code: 20_429, status: 429 }, false, 'Twilio answered 429 with its code 20429'],
    [401, { code: 20_003, status: 401 }, false, 'Twilio answered 401 with its code 20003'],
    [503, 'busy', false, 'Twilio answered 503'],
    [201, { sid: 'SM1', status: 'failed', error_code: 30_007 }, false, 'Twilio answered 201 with its code 30007'],
    [200, { hello: 'captive portal' }, false, 'Twilio answered 200'],
  ] as const) {
    const { url } = await receiver(t, json(status, body))
    const failure = await failureOf(make.twilio(url))
    t.equal(failure instanceof PermanentFailure, isPermanent, words)
    t.equal(failure.message, words)
  }
})

t.test('the webhook gets the message, signed with the time', async t => {
  const { received, url } = await receiver(t, response => void response.writeHead(204).end())
  const transport = make.webhook(url)
  t.teardown(() => transport.close())
  const sent = message({ text: 'Ünïcode' })
  await transport.send(sent, never)
  const [request] = received
  t.match(request, { method: 'POST', path: '/sms?from=signet', headers: { 'content-type': 'application/json' } })
  const body = request?.body ?? ''
  t.strictSame(JSON.parse(body), {
    id: sent.id,
    channel: 'sms',
    to: '+919876543210',
    text: 'Ünïcode',
    template: 'sign-in-code',
    variables: [code, '10'],
    created_at: '2026-11-20T10:00:00.000Z',
  })
  const header = String(request?.headers['x-signet-signature'])
  t.match(header, /^t=1795000000,v1=[0-9a-f]{64}$/)
})

t.test('the webhook’s signature is checked by the code of the README', async t => {
  const { received, url } = await receiver(t, json(200, {}))
  const isFromSignet = await readmeCode()
  const sendAt = async (now: () => number) => {
    const transport = createWebhook({ url, secret, clock: now })
    await transport.send(message(), never)
    await transport.close()
    const { body = '', headers = {} } = received.at(-1) ?? {}
    return { body, header: String(headers['x-signet-signature']) }
  }
  const { header, body } = await sendAt(Date.now)
  t.ok(isFromSignet(header, body, secret))
  t.notOk(isFromSignet(header, `${body} `, secret), 'another body')
  t.notOk(isFromSignet(header, body, `${secret}x`), 'another secret')
  t.notOk(
    isFromSignet(
      header.replace(/^t=\d+/, time => `t=${Number(time.slice(2)) + 1}`),
      body,
      secret,
    ),
    'another time',
  )
  t.notOk(isFromSignet('', body, secret), 'no signature')
  const old = await sendAt(() => Date.now() - 310_000)
  t.notOk(isFromSignet(old.header, old.body, secret), 'five minutes later')
})

/** The function that the README gives to receivers. */
async function readmeCode(): Promise<(header: string, body: string, secret: string) => boolean> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, block = ''] = /```ts\n([\s\S]+?)```/.exec(readme) ?? []
  const source = `${stripTypeScriptTypes(block)}\nexport { isFromSignet }`
  const { isFromSignet } = await import(`data:text/javascript,${encodeURIComponent(source)}`)
  return isFromSignet
}

t.test('the receiver of events gets them in the form that it knows', async t => {
  const { received, url } = await receiver(t, json(202, accepted.event))
  const [withKey, without] = [make.event(url), createEventSender({ baseUrl: url, serviceKey: undefined })]
  t.teardown(() => Promise.all([withKey.close(), without.close()]))
  await withKey.send(event(), never)
  await without.send(event(), never)
  t.match(received[0], { method: 'POST', path: '/events/ingest', headers: { 'x-api-key': 'service-key' } })
  t.strictSame(JSON.parse(received[0]?.body ?? ''), {
    event_type: 'user.login',
    payload: { tenant_id: 'e0' },
    service: 'eng-identity',
    user_id: 'f0',
  })
  t.notOk(received[1]?.headers['x-api-key'])
})

t.test('each of them, over HTTP', async t => {
  for (const kind of kinds) {
    const sent = () => (kind === 'event' ? event() : message())
    const failsWith = async (
      t: Test,
      answer: (response: ServerResponse) => void,
      pattern: RegExp,
      limit?: number,
    ): Promise<Error> => {
      const { url } = await receiver(t, answer)
      const failure = await failureOf(make[kind](url, limit), sent())
      t.match(failure.message, pattern)
      t.notMatch(describe(failure), new RegExp(code), 'nothing of the message')
      t.notMatch(describe(failure), keys, 'no key')
      return failure
    }

    t.test(`${kind}: fails for now where the receiver is down, busy, or does not know our key`, async t => {
      const { url } = await receiver(t, json(200, accepted[kind]))
      const gone = new URL(url)
      gone.port = '1'
      const refused = await failureOf(make[kind](gone.origin), sent())
      t.match(refused.message, /gave no answer: ECONNREFUSED$/)
      for (const status of [401, 403, 404, 408, 425, 429, 500, 502, 503]) {
        const failure = await failsWith(t, json(status, { echo: code }), new RegExp(`answered ${status}$`))
        t.notOk(failure instanceof PermanentFailure, String(status))
      }
    })

    t.test(`${kind}: ends an attempt that takes too long, wherever it hangs`, async t => {
      await failsWith(t, () => undefined, /gave no answer/, 100)
      await failsWith(t, response => void response.writeHead(200).write('{"ret'), /gave no answer/, 100)
      await failsWith(t, drip, /gave no answer/, 300)
    })

    t.test(`${kind}: ends when the worker says so`, async t => {
      const stop = new AbortController()
      const { url } = await receiver(t, () => stop.abort())
      t.match((await failureOf(make[kind](url), sent(), stop.signal)).message, /gave no answer: AbortError$/)
    })

    t.test(`${kind}: reads no endless answer`, async t => {
      const endless = (response: ServerResponse) => {
        const chunk = Buffer.alloc(16_384, code)
        const more = () => {
          while (!response.destroyed && response.write(chunk));
        }
        response.writeHead(200)
        response.on('drain', more)
        more()
      }
      await failsWith(t, endless, /gave no answer: UND_ERR_RES_EXCEEDED_MAX_SIZE$/)
    })

    t.test(`${kind}: shows nothing of an answer that is no HTTP`, async t => {
      await failsWith(t, response => void response.socket?.end(`${code} is no HTTP\r\n\r\n`), /gave no answer/)
    })

    t.test(`${kind}: follows no redirect, so that its key stays where it belongs`, async t => {
      const elsewhere = await receiver(t, json(200, accepted[kind]))
      for (const status of [301, 302, 303, 307, 308]) {
        await failsWith(
          t,
          response => void response.writeHead(status, { location: elsewhere.url }).end(),
          new RegExp(`answered ${status}$`),
        )
      }
      t.equal(elsewhere.received.length, 0)
    })
  }
})

t.test('the webhook and the receiver of events refuse a message for good with other codes of 4xx', async t => {
  for (const kind of ['webhook', 'event'] as const) {
    for (const status of [400, 410, 413, 422]) {
      const { url } = await receiver(t, json(status, {}))
      t.type(await failureOf(make[kind](url)), PermanentFailure, `${kind} ${status}`)
    }
  }
})

/** A byte now and then: no pause is long, the whole is without end. */
function drip(response: ServerResponse): void {
  response.writeHead(200)
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}

/** All that a log could show of an error. */
function describe(error: Error): string {
  return JSON.stringify([error.message, error.stack, error.cause, Object.entries(error)])
}
