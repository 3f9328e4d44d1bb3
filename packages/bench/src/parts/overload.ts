/**
 * C3: five times as many sign-ins as one core can serve, for a minute. What it serves of them stays, what everybody stands on is
 * answered in time, and a moment later all is as before.
 */

import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { startLoad } from '../contenders.ts'
import { startIssuer } from '../issuer.ts'
import { readResidentBytes } from '../process-use.ts'
import {
  boundMoment,
  boundWaiting,
  compareMemory,
  compareRates,
  countEvents,
  expectAnswers,
  type Row,
} from '../report.ts'
import { seedInstallation, seedPeople } from '../seed-installation.ts'
import { signIn } from '../sign-in.ts'
import { startWorker } from '../worker.ts'
import type { BystandersAnswer, BystandersQuestion } from '../workers/bystanders.ts'
import type { OpenLoopAnswer, OpenLoopQuestion } from '../workers/open-loop.ts'

const part = 'overload'
const times = 5
const durationMs = 60_000
/** As in the part sign-in: nobody is sent away. */
const clients = 8
const capacityMs = 20_000
/** Few enough to take next to nothing from the sign-ins. */
const everyMs = 50
const atMostMs = 250
/** So many that nobody signs in often. */
const people = 20_000
const grownBelowBytes = 100_000_000
const recoveredWithinMs = 5_000
const sampleEveryMs = 500

export async function measureOverload(bench: Bench): Promise<Row[]> {
  if (process.platform !== 'linux') {
    bench.note(`${part} was not measured: memory is read from /proc.`)
    return []
  }
  await using database = await openBenchDatabase(bench)
  const { tenantId } = await seedInstallation(database)
  const password = randomBytes(15).toString('base64url')
  const [bystander, ...others] = await seedPeople(database, { tenantId, count: people, password })
  await using issuer = await startIssuer(bench, database.url)
  const refreshToken = await signIn(issuer, { email: bystander, password })
  bench.say(`${clients} clients sign in as fast as they are served`)
  await using load = await startLoad(
    bench,
    { scenario: 'sign-in', url: issuer.url, clients },
    { durationMs: capacityMs },
  )
  const capacity = await load.measure()
  const residentBefore = await readResidentBytes(issuer.pid)

  const { loadCore } = bench.machine
  await using crowd = startWorker<OpenLoopQuestion, OpenLoopAnswer>(bench, workerFile('open-loop'), loadCore)
  await using bystanders = startWorker<BystandersQuestion, BystandersAnswer>(bench, workerFile('bystanders'), loadCore)
  bench.say(`${Math.round(capacity * times)} want to sign in each second`)
  const bodies = others.map(email => JSON.stringify({ email, password }))
  const watching = new AbortController()
  const highest = watchResident(issuer.pid, watching.signal)
  const [crowded, { keySet, refresh }] = await Promise.all([
    crowd.ask({ url: issuer.url, bodies, perSecond: capacity * times, durationMs }),
    bystanders.ask({ url: issuer.url, refreshToken, samples: Math.floor((durationMs / everyMs) * 0.9), everyMs }),
  ])
  watching.abort()
  const recoveredMs = crowded.drainedMs + (await timeSignIn(issuer.url, { email: bystander, password }))
  bench.say(`${clients} clients sign in once more`)
  // The machine itself is faster at one time than at another.
  const served = (capacity + (await load.measure())) / 2
  return [
    countEvents(part, `sign-ins wanted in ${durationMs / 1_000} s`, crowded.sent),
    countEvents(part, 'sign-ins sent away with Retry-After', crowded.shed),
    expectAnswers(part, 'answers of another kind', crowded.wrong.length === 0 ? ['none'] : crowded.wrong, 'none'),
    compareRates({
      part,
      subject: `sign-ins, wanted ${times} times as many`,
      against: 'wanted as many as are served, before and after',
      rounds: [{ ours: crowded.served / (durationMs / 1_000), theirs: served }],
      atLeast: 0.8,
    }),
    boundWaiting({ part, subject: 'key set', times: keySet, atMostMs }),
    boundWaiting({ part, subject: 'refresh', times: refresh, atMostMs }),
    boundMoment({
      part,
      subject: 'the last is answered, and a sign-in served',
      ms: recoveredMs,
      untilMs: recoveredWithinMs,
    }),
    compareMemory(part, 'memory, above what it was before', (await highest) - residentBefore, grownBelowBytes),
  ]
}

const workerFile = (name: string) => new URL(`../workers/${name}.ts`, import.meta.url)

/** The most that it held until the signal. */
async function watchResident(pid: number, until: AbortSignal): Promise<number> {
  let highest = 0
  while (!until.aborted) {
    highest = Math.max(highest, await readResidentBytes(pid))
    await pause(sampleEveryMs, undefined, { signal: until }).catch(() => undefined)
  }
  return highest
}

async function timeSignIn(url: string, person: object): Promise<number> {
  const startedAt = performance.now()
  await signIn({ url }, person)
  return performance.now() - startedAt
}
