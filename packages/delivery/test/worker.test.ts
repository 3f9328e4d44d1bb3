import { openDatabase, withAdminClient } from '@signet/db'
import type { MessageId } from '@signet/kernel'
import t, { type Test } from 'tap'
import { type Outgoing, PermanentFailure, type Transport } from '../src/transport.ts'
import { createSmtpTransport } from '../src/transports/smtp.ts'
import { openSmtpSink, refusal, type SmtpSink } from './smtp-sink.ts'
import { codeData, createScene, quick, testOutbox, until } from './test-outbox.ts'

const { test, send, find, makeDue, age, addPerson, work } = await testOutbox(t)

/** A receiver that notes what it is handed, after `take` has had its say. */
function noting(take: (message: Outgoing, signal: AbortSignal) => Promise<void> | void = () => undefined) {
  const taken: Outgoing[] = []
  const transport: Transport = {
    send: async (message, signal) => {
      await take(message, signal)
      taken.push(message)
    },
    close: async () => undefined,
  }
  return { taken, transport }
}

const statusOf = async (id: MessageId) => (await find(id)).status
const becomes = (id: MessageId, status: string) => until(async () => (await statusOf(id)) === status)

function smtpTo({ port }: Pick<SmtpSink, 'port'>) {
  const sender = 'signet@signet.example'
  return createSmtpTransport({
    host: '127.0.0.1',
    port,
    security: 'none',
    credentials: undefined,
    sender,
    maxMessages: 100,
  })
}

t.test('the worker delivers each channel in the words of its person', async t => {
  const email = noting()
  const sms = noting()
  const event = noting()
  const userId = await addPerson({ name: 'Zoé', language: 'fr' })
  const ids = [
    await send({ recipient: 'zoe@example.com', userId }),
    await send({ recipient: '+33612345678', channel: 'sms', userId }),
    await send({
      recipient: 'analytics',
      channel: 'event',
      template: 'user.login',
      data: { payload: { user_id: userId } },
    }),
  ]
  work(t, { email: email.transport, sms: sms.transport, event: event.transport })
  for (const id of ids) await becomes(id, 'sent')
  t.match(email.taken, [
    { id: ids[0], channel: 'email', to: 'zoe@example.com', subject: 'Votre code de connexion', text: /Zoé/ },
  ])
  t.match(sms.taken, [
    { to: '+33612345678', subject: '', html: null, variables: [codeData.code, '10'], text: /^407193 est/ },
  ])
  t.match(event.taken, [{ to: 'analytics', template: 'user.login', payload: { user_id: userId } }])
  for (const id of ids) t.equal((await find(id)).hasPayload, false)
})

t.test('two workers never hand over one message twice', async t => {
  // Each waits with its first until the other has one too: both have worked.
  const bothBegun = Promise.withResolvers<void>()
  const begun = new Set<string>()
  const noteBegin = (name: string) => async () => {
    begun.add(name)
    if (begun.size === 2) bothBegun.resolve()
    await bothBegun.promise
  }
  const [one, other] = [noting(noteBegin('one')), noting(noteBegin('other'))]
  const ids: MessageId[] = []
  for (let count = 0; count < 60; count += 1) ids.push(await send({ recipient: `${count}@example.com` }))
  const patient = { timing: { ...quick, sendTimeoutMs: 20_000, leaseMs: 30_000 } }
  work(t, { email: one.transport }, patient)
  work(t, { email: other.transport }, patient)
  for (const id of ids) await becomes(id, 'sent')
  const all = [...one.taken, ...other.taken].map(each => each.id)
  t.equal(all.length, 60)
  t.equal(new Set(all).size, 60)
})

t.test('one message a channel is in flight', async t => {
  let inFlight = 0
  let most = 0
  const { transport } = noting(async () => {
    inFlight += 1
    most = Math.max(most, inFlight)
    await new Promise(resolve => setImmediate(resolve))
    inFlight -= 1
  })
  const ids: MessageId[] = []
  for (let count = 0; count < 10; count += 1) ids.push(await send({ recipient: `${count}@example.com` }))
  work(t, { email: transport })
  for (const id of ids) await becomes(id, 'sent')
  t.equal(most, 1)
})

t.test('a failure', async t => {
  await t.test('that passes is tried again until it is over, and told when it begins and when it ends', async t => {
    let refusals = 3
    const { transport, taken } = noting(() => {
      refusals -= 1
      if (refusals >= 0) throw new Error('SMTP 451 4.3.0 (EMESSAGE)')
    })
    const id = await send({ recipient: 'a@example.com' })
    const { log } = work(t, { email: transport })
    await until(async () => {
      const { status, isDue, attempts } = await find(id)
      if (status === 'queued' && attempts > 0 && !isDue) await makeDue(id)
      return status === 'sent'
    })
    t.match(await find(id), { attempts: 4, hasPayload: false, lastError: null })
    t.equal(taken.length, 1)
    t.same(
      log.map(each => each.level),
      ['warn', 'info'],
    )
    t.notMatch(JSON.stringify(log), /407193|a@example\.com/)
  })
  await t.test('that is for good is not repeated, and keeps the message', async t => {
    const { transport } = noting(() => {
      throw new PermanentFailure('SMTP 550 5.1.1 (EENVELOPE)')
    })
    const id = await send({ recipient: 'gone@example.com' })
    const { log } = work(t, { email: transport })
    await becomes(id, 'dead')
    t.match(await find(id), { attempts: 1, hasPayload: true, lastError: 'SMTP 550 5.1.1 (EENVELOPE)' })
    t.match(log, [{ level: 'error', facts: { message: id, attempts: 1 } }])
  })
  await t.test('that lasts gives the message up, after a day and twelve attempts', async t => {
    const { transport } = noting(() => {
      throw new Error('SMTP ETIMEDOUT')
    })
    const id = await send({ recipient: 'a@example.com' })
    await age(id, 25)
    work(t, { email: transport })
    await until(async () => {
      const { status, isDue } = await find(id)
      if (status === 'queued' && !isDue) await makeDue(id)
      return status === 'dead'
    })
    t.match(await find(id), { attempts: 12, lastError: 'SMTP ETIMEDOUT', hasPayload: true })
  })
  await t.test('of a transport that never answers ends with the attempt', async t => {
    const { transport } = noting(() => new Promise<never>(() => undefined))
    const id = await send({ recipient: 'a@example.com' })
    const worker = work(t, { email: transport }, { timing: { ...quick, sendTimeoutMs: 50 } })
    await until(async () => (await find(id)).lastError !== null)
    t.match(await find(id), { lastError: 'No answer in time.' })
    await worker.stop()
    // Not left to the tests below.
    await makeDue(id)
    work(t, { email: noting().transport })
    await becomes(id, 'sent')
  })
  await t.test('to unseal is for good: it was written with another secret', async t => {
    const { transport, taken } = noting()
    const stranger = await createScene(test.db)
    const id = await stranger.send({ recipient: 'a@example.com' })
    work(t, { email: transport })
    await becomes(id, 'dead')
    t.match(await find(id), { lastError: /cannot be unsealed/ })
    t.same(
      taken.filter(each => each.id === id),
      [],
    )
  })
})

t.test('a worker that has to stop', async t => {
  await t.test('lets what it sends end', async t => {
    const begun = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const { transport } = noting(async () => {
      begun.resolve()
      await goOn.promise
    })
    const id = await send({ recipient: 'a@example.com' })
    const worker = work(t, { email: transport }, { timing: { ...quick, graceMs: 10_000 } })
    await begun.promise
    const stopped = worker.stop()
    goOn.resolve()
    await stopped
    t.equal(await statusOf(id), 'sent')
  })
  await t.test('hands back what does not end within the grace', async t => {
    const begun = Promise.withResolvers<void>()
    let wasTold = false
    const { transport } = noting(async (_message, signal) => {
      begun.resolve()
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      wasTold = true
      throw new Error('aborted')
    })
    const id = await send({ recipient: 'a@example.com' })
    const worker = work(t, { email: transport }, { timing: { ...quick, graceMs: 20 } })
    await begun.promise
    await worker.stop()
    t.ok(wasTold)
    t.match(await find(id), { status: 'queued', isDue: true, attempts: 1 })
    const next = noting()
    work(t, { email: next.transport })
    await becomes(id, 'sent')
    t.match(next.taken, [{ id }])
  })
  await t.test('takes nothing more, and closes its transports once', async t => {
    let closed = 0
    const { transport, taken } = noting()
    const worker = work(t, { email: { ...transport, close: async () => void (closed += 1) } })
    await Promise.all([worker.stop(), worker.stop()])
    const id = await send({ recipient: 'a@example.com' })
    t.equal(await statusOf(id), 'queued')
    t.same([taken.length, closed], [0, 1])
    work(t, { email: noting().transport })
    await becomes(id, 'sent')
  })
})

t.test('D-06 a database that goes away is waited for, and that is told once', async t => {
  const url = new URL(test.url)
  const database = openDatabase({ url: url.href, max: 2, applicationName: 'signet-worker-test' })
  t.teardown(() => database.close())
  const { transport } = noting()
  const worker = work(t, { email: transport }, { database })
  const login = decodeURIComponent(url.username)
  const first = await send({ recipient: 'a@example.com' })
  await becomes(first, 'sent')
  await withAdminClient(test.superUrl, async sql => {
    await sql.unsafe(`alter role ${login} nologin`)
    try {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'signet-worker-test'`
      await until(() => worker.log.some(each => each.level === 'error'))
    } finally {
      await sql.unsafe(`alter role ${login} login`)
    }
  })
  const second = await send({ recipient: 'b@example.com' })
  await becomes(second, 'sent')
  t.same(
    worker.log.map(each => each.level),
    ['error', 'info'],
  )
})

t.test('D-06 a mail server that', { timeout: 60_000 }, async t => {
  /** Enqueues while the server misbehaves, mends it, and sees the mail arrive. */
  async function survives(t: Test, { sink, mend }: { sink: SmtpSink; mend: () => Promise<SmtpSink> | SmtpSink }) {
    const id = await send({ recipient: 'ada@example.com', expiresAt: new Date(Date.now() + 600_000) })
    const dead = await send({ recipient: 'late@example.com', expiresAt: new Date(Date.now() + 1) })
    work(t, { email: smtpTo(sink) })
    await until(async () => (await find(id)).lastError !== null)
    t.match(await find(id), { lastError: /^SMTP|^No answer/, hasPayload: true })
    const mended = await mend()
    await until(async () => {
      const { status, isDue } = await find(id)
      if (status === 'queued' && !isDue) await makeDue(id)
      return status === 'sent'
    })
    await becomes(dead, 'expired')
    t.same(
      mended.received.map(each => each.to),
      [['ada@example.com']],
    )
    t.same(mended.received[0]?.headers.get('message-id'), [`<${id}@signet.example>`])
  }
  const open = async (t: Test, options: Parameters<typeof openSmtpSink>[0] = {}) => {
    const sink = await openSmtpSink({ disabledCommands: ['STARTTLS'], ...options })
    t.teardown(() => sink.close())
    return sink
  }

  await t.test('is down gets the mail when it is back', async t => {
    const sink = await open(t)
    await sink.close()
    await survives(t, { sink, mend: () => open(t, { port: sink.port }) })
  })
  await t.test('refuses for now gets it later', async t => {
    let isRefusing = true
    const sink = await open(t, { refuse: () => (isRefusing ? refusal(451, '4.3.2 Not now') : null) })
    await survives(t, {
      sink,
      mend: () => {
        isRefusing = false
        return sink
      },
    })
  })
  await t.test('is too slow is left, and gets it later', async t => {
    let isSlow = true
    const sink = await open(t, {
      onMailFrom: (_address, _session, callback) => {
        if (!isSlow) callback()
      },
    })
    await survives(t, {
      sink,
      mend: () => {
        isSlow = false
        return sink
      },
    })
  })
  await t.test('hangs up in the middle gets it later, once', async t => {
    let isRude = true
    const sink = await open(t, {
      onRcptTo: (_address, _session, callback) => {
        if (isRude) sink.hangUp()
        else callback()
      },
    })
    await survives(t, {
      sink,
      mend: () => {
        isRude = false
        return sink
      },
    })
  })
})
