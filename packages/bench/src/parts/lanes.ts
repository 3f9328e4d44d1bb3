/**
 * P-09: more sign-ins than one core can hash. Those beyond the queue are sent away at once, and whoever wants something else
 * hardly notices.
 */

import { randomBytes } from 'node:crypto'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { startIssuer } from '../issuer.ts'
import { boundWaiting, countEvents, type Row } from '../report.ts'
import { seedInstallation, seedPeople } from '../seed-installation.ts'
import { signIn } from '../sign-in.ts'
import { startWorker } from '../worker.ts'
import type { BystandersAnswer, BystandersQuestion } from '../workers/bystanders.ts'
import type { OverloadAnswer, OverloadQuestion } from '../workers/overload.ts'

const inFlight = 64
const samples = 1_000
const atMostMs = 250
/** So many that nobody signs in twice. */
const people = 20_000

export async function measureLanes(bench: Bench): Promise<Row[]> {
  await using database = await openBenchDatabase(bench)
  const { tenantId } = await seedInstallation(database)
  const password = randomBytes(15).toString('base64url')
  const emails = await seedPeople(database, { tenantId, count: people, password })
  const [bystander = '', ...others] = emails
  await using issuer = await startIssuer(bench, database.url)
  const refreshToken = await signIn(issuer, { email: bystander, password })
  bench.say(`${inFlight} sign-ins are kept in flight; the others ask ${samples} times each`)
  await using overload = startWorker<OverloadQuestion, OverloadAnswer>(
    bench,
    workerFile('overload'),
    bench.machine.loadCore,
  )
  await using bystanders = startWorker<BystandersQuestion, BystandersAnswer>(
    bench,
    workerFile('bystanders'),
    bench.machine.loadCore,
  )
  await overload.ask({
    url: issuer.url,
    inFlight,
    bodies: others.map(email => JSON.stringify({ email, password })),
  })
  const { keySet, health, refresh } = await bystanders.ask({ url: issuer.url, refreshToken, samples })
  const { served, shed, seconds } = await overload.ask('stop')
  const part = 'lanes'
  return [
    boundWaiting({ part, subject: 'key set', times: keySet, atMostMs }),
    boundWaiting({ part, subject: 'GET /livez', times: health, atMostMs }),
    boundWaiting({ part, subject: 'refresh', times: refresh, atMostMs }),
    countEvents(part, 'sign-ins sent away with Retry-After', shed, 1),
    countEvents(part, `sign-ins served in ${seconds.toFixed(1)} s`, served, 1),
  ]
}

const workerFile = (name: string) => new URL(`../workers/${name}.ts`, import.meta.url)
