import { type MessageId, newId } from '@signet/kernel'
import type { SMTPServerOptions } from 'smtp-server'
import t, { type Test } from 'tap'
import { verifySmtp } from '../src/index.ts'
import { type Outgoing, PermanentFailure } from '../src/transport.ts'
import { createSmtpTransport, type SmtpSettings } from '../src/transports/smtp.ts'
import { makeCertificate } from './certificate.ts'
import { openSmtpSink, type Refuse, refusal, type SmtpSink } from './smtp-sink.ts'

const certificate = makeCertificate()
const createdAt = new Date('2026-11-20T10:00:00Z')

function mail(change: Partial<Outgoing> = {}): Outgoing {
  return {
    id: newId<MessageId>(),
    channel: 'email',
    userId: null,
    to: 'ada@example.com',
    template: 'sign-in-code',
    subject: 'Your code to sign in',
    text: 'Hello Ada,\n\n    407193\n',
    html: '<p>Hello Ada,</p><p>407193</p>',
    replyTo: null,
    variables: [],
    payload: null,
    createdAt,
    ...change,
  }
}

const never = new AbortController().signal

async function sinkFor(t: Test, options: SMTPServerOptions & { refuse?: Refuse } = {}): Promise<SmtpSink> {
  const sink = await openSmtpSink({ ...certificate, ...options })
  t.teardown(() => sink.close())
  return sink
}

function settingsFor({ port }: SmtpSink, change: Partial<SmtpSettings> = {}): SmtpSettings {
  return {
    host: '127.0.0.1',
    port,
    security: 'starttls',
    credentials: undefined,
    sender: 'signet@signet.example',
    maxMessages: 100,
    authorities: certificate.cert,
    ...change,
  }
}

function transportTo(t: Test, sink: SmtpSink, change: Partial<SmtpSettings> = {}) {
  const transport = createSmtpTransport(settingsFor(sink, change))
  t.teardown(() => transport.close())
  return transport
}

/** The parts of a mail with two bodies, decoded from quoted-printable or as they are. */
function bodies(raw: string): string {
  return raw.replace(/=\r\n/g, '')
}

t.test('a mail over STARTTLS', async t => {
  const sink = await sinkFor(t)
  const transport = transportTo(t, sink)
  const sent = mail()
  await transport.send(sent, never)
  const [got] = sink.received
  await t.test('reaches the recipient, from the sender, over TLS', async t => {
    t.match(got, { to: ['ada@example.com'], from: 'signet@signet.example', isSecure: true })
    t.same(got?.headers.get('to'), ['ada@example.com'])
    t.same(got?.headers.get('from'), ['signet@signet.example'])
    t.same(got?.headers.get('subject'), ['Your code to sign in'])
  })
  await t.test('says the same as text and as HTML', async t => {
    t.match(got?.headers.get('content-type')?.[0], /^multipart\/alternative/)
    const raw = bodies(got?.raw ?? '')
    t.match(raw, /Content-Type: text\/plain[\s\S]+Hello Ada,\r\n\r\n {4}407193/)
    t.match(raw, /Content-Type: text\/html[\s\S]+<p>Hello Ada,<\/p><p>407193<\/p>/)
  })
  await t.test('has the same Message-ID and date whenever it is sent, and says that a machine wrote it', async t => {
    await transport.send(sent, never)
    for (const each of sink.received) {
      t.same(each.headers.get('message-id'), [`<${sent.id}@signet.example>`])
      t.same(each.headers.get('date'), ['Fri, 20 Nov 2026 10:00:00 +0000'])
      t.same(each.headers.get('auto-submitted'), ['auto-generated'])
    }
    t.equal(sink.received.length, 2)
  })
  await t.test('names where to reply to, where somebody asked for that', async t => {
    await transport.send(mail({ replyTo: 'desk@example.com' }), never)
    t.same(sink.received.at(-1)?.headers.get('reply-to'), ['desk@example.com'])
    t.equal(got?.headers.has('reply-to'), false)
  })
})

t.test('a mail over TLS from the first byte, with a password', async t => {
  const sink = await sinkFor(t, {
    secure: true,
    authOptional: false,
    onAuth: ({ username, password }, _session, callback) =>
      password === 'right' ? callback(null, { user: username }) : callback(new Error('no')),
  })
  await transportTo(t, sink, { security: 'tls', credentials: { username: 'signet', password: 'right' } }).send(
    mail(),
    never,
  )
  t.match(sink.received, [{ user: 'signet', isSecure: true }])
  const wrong = transportTo(t, sink, { security: 'tls', credentials: { username: 'signet', password: 'wr0ng' } })
  await t.test('can be asked for without sending one', async t => {
    const verify = (password: string) =>
      verifySmtp(settingsFor(sink, { security: 'tls', credentials: { username: 'signet', password } }))
    await t.resolves(verify('right'))
    await t.rejects(verify('wr0ng'), { message: /^SMTP 535/ })
    t.equal(sink.received.length, 1)
  })
  await t.test('is tried again where the password is wrong, which says nothing about the mail', async t => {
    const error = await wrong.send(mail(), never).then(
      () => undefined,
      (refused: unknown) => refused,
    )
    t.notOk(error instanceof PermanentFailure)
    t.match(error, { message: /^SMTP 535/ })
    t.notMatch(String(error), 'wr0ng')
  })
})

t.test('a mail that must be protected does not leave', async t => {
  await t.test('where the server offers no STARTTLS', async t => {
    const sink = await sinkFor(t, { disabledCommands: ['STARTTLS'] })
    await t.rejects(transportTo(t, sink).send(mail(), never), /^SMTP/)
    t.same(sink.received, [])
  })
  await t.test('where nobody vouches for the server', async t => {
    const sink = await sinkFor(t)
    await t.rejects(transportTo(t, sink, { authorities: makeCertificate().cert }).send(mail(), never), /^SMTP/)
    t.same(sink.received, [])
  })
})

t.test('a server that refuses', async t => {
  const attempt = async (t: Test, code: number, words: string) => {
    const sink = await sinkFor(t, { refuse: () => refusal(code, words) })
    return transportTo(t, sink)
      .send(mail(), never)
      .then(
        () => undefined,
        (error: unknown) => error,
      )
  }
  await t.test('for good is not asked again', async t => {
    const error = await attempt(t, 554, '5.7.1 Refused')
    t.ok(error instanceof PermanentFailure)
    t.match(error, { message: 'SMTP 554 5.7.1 (EMESSAGE)' })
  })
  await t.test('for now is asked again', async t => {
    const error = await attempt(t, 451, '4.3.0 Later')
    t.notOk(error instanceof PermanentFailure)
    t.match(error, { message: 'SMTP 451 4.3.0 (EMESSAGE)' })
  })
  await t.test('is quoted by number alone: it may repeat what it was sent', async t => {
    const error = await attempt(t, 554, '5.6.0 What is "407193" for ada@example.com?')
    t.notMatch(String(error), /407193|ada@/)
  })
  await t.test('the recipient is told apart from the connection, which is kept', async t => {
    let connections = 0
    const sink = await sinkFor(t, {
      onConnect: (_session, callback) => {
        connections += 1
        callback()
      },
      onRcptTo: ({ address }, _session, callback) =>
        callback(address.startsWith('gone') ? refusal(550, '5.1.1 No such mailbox') : null),
    })
    const transport = transportTo(t, sink)
    await t.rejects(
      transport.send(mail({ to: 'gone@example.com' }), never),
      new PermanentFailure('SMTP 550 5.1.1 (EENVELOPE)'),
    )
    await transport.send(mail(), never)
    t.equal(connections, 1)
    t.equal(sink.received.length, 1)
  })
})

t.test('a connection carries as many mails as it may', async t => {
  let connections = 0
  const sink = await sinkFor(t, {
    onConnect: (_session, callback) => {
      connections += 1
      callback()
    },
  })
  const transport = transportTo(t, sink, { maxMessages: 2 })
  for (let count = 0; count < 5; count += 1) await transport.send(mail(), never)
  t.equal(sink.received.length, 5)
  t.equal(connections, 3)
})

t.test('an attempt that takes too long is ended, and the next one is served', async t => {
  let isSlow = true
  const held = Promise.withResolvers<void>()
  const sink = await sinkFor(t, {
    onRcptTo: (_address, _session, callback) => {
      if (isSlow) held.resolve()
      else callback()
    },
  })
  const transport = transportTo(t, sink)
  const limit = new AbortController()
  const attempt = transport.send(mail(), limit.signal)
  await held.promise
  limit.abort()
  await t.rejects(attempt, /^SMTP EABORT/)
  isSlow = false
  await transport.send(mail(), never)
  t.equal(sink.received.length, 1)
})

t.test('I-06 neither subject, names, recipient nor reply-to add a recipient or a header', async t => {
  const sink = await sinkFor(t)
  const transport = transportTo(t, sink)
  const hostile = '\r\nBcc: thief@example.com\r\nX-Evil: 1\r\n\r\nbody'
  const onlyRecipient = (t: Test) => {
    const got = sink.received.at(-1)
    t.same(got?.to, ['ada@example.com'])
    t.same(got?.headers.get('to'), ['ada@example.com'])
    for (const name of ['bcc', 'cc', 'x-evil']) t.equal(got?.headers.has(name), false, name)
  }
  await t.test('by a line break in the subject', async t => {
    await transport.send(mail({ subject: `Hello${hostile}` }), never)
    onlyRecipient(t)
    t.equal(sink.received.at(-1)?.headers.get('subject')?.length, 1)
  })
  await t.test('by a name of any kind in the bodies', async t => {
    await transport.send(
      mail({ text: `Hello Ada${hostile}\r\n.\r\nRCPT TO:<thief@example.com>\r\n`, html: hostile }),
      never,
    )
    onlyRecipient(t)
  })
  const before = sink.received.length
  const others = [
    `ada@example.com${hostile}`,
    'ada@example.com, thief@example.com',
    'ada@example.com; thief@example.com',
    'ada@example.com thief@example.com',
    'Ada <ada@example.com>',
    'ada@example.com>\r\nRCPT TO:<thief@example.com',
    '"a,b"@example.com',
    'group: ada@example.com;',
    'a@b@example.com',
    '',
  ]
  for (const other of others) {
    await t.test(`by ${JSON.stringify(other)} as an address`, async t => {
      await t.rejects(transport.send(mail({ to: other }), never), PermanentFailure)
      await t.rejects(transport.send(mail({ replyTo: other }), never), PermanentFailure)
      t.equal(sink.received.length, before)
    })
  }
})
