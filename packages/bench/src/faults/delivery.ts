/**
 * D-06: kill -9 of the issuer a hundred times while its outbox is delivered. Nothing that was acknowledged is lost, a kill
 * repeats one message at most, and a repeated message is known by its Message-ID.
 */

import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Database, openDatabase } from '@signet/db'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { countFaults, expectNone, type FaultRow, tell } from '../fault-report.ts'
import { prepareIssuer } from '../issuer.ts'
import { seedInstallation, seedPeople } from '../seed-installation.ts'
import { createIssuerClient } from './issuer-client.ts'
import { type MailSink, openMailSink } from './mail-sink.ts'
import { hasIssuerConnections, listMessages, type MessageState } from './outbox-repo.ts'

const part = 'delivery'
const kills = 100
/** Everybody asks for one code: more than is delivered between all the kills. */
const people = 3_000
const slowestAnswerMs = 30
/** Counted from the first message after a start. */
const latestKillMs = 300
const firstMessageMs = 30_000
const disconnectMs = 10_000
/** A message that was under way belongs to the killed process until its lease is over. */
const settleMs = 10 * 60_000
const longestMinutes = 20
const sender = 'signet@bench.invalid'

export async function breakDelivery(bench: Bench): Promise<FaultRow[]> {
  await using database = await openBenchDatabase(bench)
  const { tenantId } = await seedInstallation(database)
  const password = randomBytes(15).toString('base64url')
  const emails = await seedPeople(database, { tenantId, count: people, password })
  await using sink = await openMailSink(slowestAnswerMs)
  await using issuer = await prepareIssuer(bench, database.url, {
    EMAIL_TRANSPORT: 'smtp',
    MAIL_SERVER: '127.0.0.1',
    MAIL_PORT: String(sink.port),
    SENDER_EMAIL: sender,
    // No code expires before it is delivered, however slow the machine.
    OTP_TTL_MIN: '60',
  })
  const db = openDatabase({ url: database.superUrl, max: 1 })
  const asking = startAsking(issuer.url, emails)
  try {
    const hits = { one: 0, more: [] as string[] }
    const deadline = performance.now() + longestMinutes * 60_000
    let made = 0
    while (made < kills && performance.now() < deadline) {
      const before = new Set((await listMessages(db)).filter(isUnderWay).map(({ id }) => id))
      const takenBefore = sink.taken.length
      await issuer.start()
      await untilTrue(() => sink.taken.length > takenBefore, firstMessageMs, 'deliver', bench.signal)
      await pause(Math.random() * latestKillMs, undefined, { signal: bench.signal })
      await issuer.kill()
      await untilTrue(async () => !(await hasIssuerConnections(db)), disconnectMs, 'let go', bench.signal)
      const hit = (await listMessages(db)).filter(message => isUnderWay(message) && !before.has(message.id)).length
      if (hit === 1) hits.one += 1
      else if (hit > 1) hits.more.push(`${hit} at once`)
      made += 1
      if (made % 10 === 0) bench.say(`${made} of ${kills} kills, ${sink.taken.length} messages`)
    }
    bench.say('the rest is delivered, and what the kills have left when its lease is over')
    await issuer.start()
    await asking.untilAllAcknowledged(bench.signal)
    await untilDelivered(db, bench.signal)
    return [
      countFaults(part, 'the issuer is killed', made, kills, longestMinutes),
      tell(part, 'kills with a message under way', `${hits.one}`),
      expectNone(part, 'one message at most is under way', hits.more, `${made} kills`),
      ...checkDeliveries(sink, await listMessages(db), emails, made),
    ]
  } finally {
    asking.stop()
    await db.close()
  }
}

const isUnderWay = ({ status }: MessageState): boolean => status === 'sending'

function checkDeliveries(
  sink: MailSink,
  messages: readonly MessageState[],
  emails: readonly string[],
  made: number,
): FaultRow[] {
  const idsOf = new Map<string, Set<string>>()
  for (const { recipient, messageId } of sink.taken) {
    idsOf.set(recipient, (idsOf.get(recipient) ?? new Set()).add(messageId))
  }
  const rowsOf = Map.groupBy(messages, ({ recipient }) => recipient)
  const lost = emails.filter(email => !idsOf.has(email))
  const unsent = messages.filter(({ status }) => status !== 'sent').map(({ id, status }) => `${id} is ${status}`)
  const repeats = sink.taken.length - new Set(sink.taken.map(({ messageId }) => messageId)).size
  const unknown = [...idsOf].flatMap(([recipient, ids]) => {
    const [row, ...others] = rowsOf.get(recipient) ?? []
    const isOne = ids.size === 1 && others.length === 0 && row !== undefined && ids.has(`<${row.id}@bench.invalid>`)
    return isOne ? [] : [`${[...ids].join(' ')} to one recipient`]
  })
  return [
    tell(part, 'messages taken by the mail server', `${sink.taken.length}`),
    expectNone(part, 'no acknowledged message is lost', lost, `${emails.length} messages`),
    expectNone(part, 'none is left over', unsent, `${messages.length} messages`),
    {
      part,
      promise: 'a kill repeats one message at most',
      seen: `${repeats} repeats of ${made} kills`,
      held: repeats <= made ? 'yes' : 'NO',
    },
    expectNone(part, 'a repeated message has the Message-ID of the first', unknown, `${idsOf.size} recipients`),
  ]
}

interface Asking {
  untilAllAcknowledged(signal: AbortSignal): Promise<void>
  stop(): void
}

/** Everybody asks for a code, one after the other, and again until the answer is there. */
function startAsking(url: string, emails: readonly string[]): Asking {
  const client = createIssuerClient(url)
  const stopping = new AbortController()
  let failure: Error | undefined
  let acknowledged = 0
  const ask = async () => {
    for (const email of emails) {
      for (;;) {
        if (stopping.signal.aborted) return
        const answer = await client.post('/api/v1/otp/requests', { email })
        if (answer?.status === 202) break
        if (answer !== undefined && answer.status !== 503) throw new Error(`It was answered: ${answer.body}`)
        // There is nobody to ask at the moment.
        await pause(20)
      }
      acknowledged += 1
    }
  }
  ask().catch((error: unknown) => {
    failure = error as Error
  })
  return {
    untilAllAcknowledged: signal =>
      untilTrue(
        () => {
          if (failure !== undefined) throw failure
          return acknowledged === emails.length
        },
        settleMs,
        'take every request',
        signal,
      ),
    stop: () => {
      stopping.abort()
      client.close()
    },
  }
}

async function untilDelivered(db: Database, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + settleMs
  while ((await listMessages(db)).some(({ status }) => status === 'queued' || status === 'sending')) {
    if (performance.now() > deadline) return
    await pause(500, undefined, { signal })
  }
}

async function untilTrue(
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`The issuer did not ${what} within ${timeoutMs / 1_000} s.`)
    await pause(5, undefined, { signal })
  }
}
