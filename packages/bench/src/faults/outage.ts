/**
 * D-02 and D-03: the database server is gone for a while, and then it hangs. Whoever asks meanwhile is told soon to come again, and
 * is served as soon as the server is back.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { type Database, openDatabase } from '@signet/db'
import type { Bench } from '../bench.ts'
import { openServerOfItsOwn } from '../bench-database.ts'
import { expectNone, type FaultRow, tell } from '../fault-report.ts'
import { prepareIssuer, type RestartableIssuer } from '../issuer.ts'
import { seedInstallation } from '../seed-installation.ts'
import { createIssuerClient } from './issuer-client.ts'
import { checkWhatIsLeft, type Kind, type MixedLoad, startMixedLoad } from './mixed-load.ts'
import { findServerProcess } from './server-process.ts'

const part = 'outage'
const people = { refreshing: 8, signingIn: 2, registering: 2, readingKeys: 1 }
const kinds: readonly Kind[] = ['refresh', 'sign-in', 'registration', 'key set']
const patienceMs = 60_000

export interface Outage {
  /** How long there is no server. */
  readonly goneMs: number
  /** How long it hangs. */
  readonly hungMs: number
  /** What an answer may take while there is no server, and the first one afterwards. */
  readonly withinMs: number
}

/** What a transaction may take before the issuer gives it up, and the wait for a connection before it. */
const givenUpWithinMs = 14_000

export async function breakOutage(bench: Bench): Promise<FaultRow[]> {
  if (process.platform !== 'linux') {
    bench.note(`${part} could not be run: it needs /proc.`)
    return []
  }
  await using database = await openServerOfItsOwn(bench)
  await seedInstallation(database)
  await using issuer = await prepareIssuer(bench, database.url)
  await issuer.start()
  const db = openDatabase({ url: database.superUrl, max: 1 })
  try {
    return await interruptServer(bench, issuer, db, { goneMs: 10_000, hungMs: 20_000, withinMs: 1_000 })
  } finally {
    await db.close()
  }
}

export async function interruptServer(
  bench: Bench,
  issuer: RestartableIssuer,
  db: Database,
  { goneMs, hungMs, withinMs }: Outage,
): Promise<FaultRow[]> {
  const server = await findServerProcess(db)
  const load = await startMixedLoad({ ...people, createClient: () => createIssuerClient(issuer.url) })
  try {
    await untilAllSucceed(load, bench.signal)
    bench.say(`the server is gone for ${goneMs} ms`)
    await server.pullPlug()
    const gone = await watch(load, bench.signal, goneMs, () => server.start())
    bench.say(`the server hangs for ${hungMs} ms`)
    await server.freeze()
    const hung = await watch(load, bench.signal, hungMs, () => server.thaw())
    await load.stop()
    const left = await checkWhatIsLeft(part, db, load)
    const wrong = load.failures.filter(({ isDeferred }) => !isDeferred).map(({ what }) => what)
    return [
      ...[...load.tally].map(([what, times]) => tell(part, `answers: ${what}`, `${times}`)),
      expectNone(part, 'every answer is right, or 503 with Retry-After', wrong, `${load.requests} requests`),
      boundTime('D-02 longest answer while there is no server', gone.longestMs, withinMs),
      boundTime('D-02 all is served again after it accepts connections', gone.recoveredMs, withinMs),
      boundTime('D-03 longest answer while the server hangs', hung.longestMs, givenUpWithinMs),
      boundTime('D-03 all is served again after it goes on', hung.recoveredMs, withinMs),
      ...left,
      expectNone(part, 'the issuer lives on', issuer.hasEnded() ? ['it has ended'] : [], '1 process'),
    ]
  } finally {
    await server.thaw()
    await load.stop()
  }
}

interface Interruption {
  /** Of the answers to what was asked meanwhile. */
  readonly longestMs: number
  readonly recoveredMs: number
}

/** From the moment at which the server serves no more. */
async function watch(
  load: MixedLoad,
  signal: AbortSignal,
  interruptedMs: number,
  mend: () => Promise<void>,
): Promise<Interruption> {
  const known = load.failures.length
  await pause(interruptedMs, undefined, { signal })
  await mend()
  const mendedAt = performance.now()
  await untilAllSucceed(load, signal)
  const recoveredMs = performance.now() - mendedAt
  const times = load.failures.slice(known).map(({ sentAt, endedAt }) => endedAt - sentAt)
  return { longestMs: Math.max(0, ...times), recoveredMs }
}

/** Resolves when each kind of request has been served once from now on. */
async function untilAllSucceed(load: MixedLoad, signal: AbortSignal): Promise<void> {
  const before = { ...load.successes }
  const deadline = performance.now() + patienceMs
  while (!kinds.every(kind => load.successes[kind] > before[kind])) {
    if (performance.now() > deadline) throw new Error(`It does not work again: ${JSON.stringify([...load.tally])}`)
    await pause(2, undefined, { signal })
  }
}

function boundTime(promise: string, ms: number, atMostMs: number): FaultRow {
  return {
    part,
    promise: `${promise}, at most ${atMostMs} ms`,
    seen: `${Math.round(ms)} ms`,
    held: ms <= atMostMs ? 'yes' : 'NO',
  }
}
