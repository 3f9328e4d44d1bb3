/** Ten minutes of work without a pause: what the issuer holds of memory and descriptors does not grow with what it has done. */

import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { type Contender, startLoad } from '../contenders.ts'
import { startIssuer } from '../issuer.ts'
import { countDescriptors, readLeastResidentBytes } from '../process-use.ts'
import { boundCount, boundRate, compareMemory, type Row } from '../report.ts'
import { seedInstallation } from '../seed-installation.ts'
import { slopeOf } from '../statistics.ts'

const part = 'soak'
const minutes = 10
/** Until then caches fill and code is compiled. */
const settledAfterMinutes = 3
const sampleEveryMs = 5_000
const growsBelowBytes = 1_000_000
/** Connections to the database may come and go by one or two. */
const descriptorsAtMost = 4

interface Sample {
  readonly minute: number
  readonly residentBytes: number
  readonly descriptors: number
}

export async function measureSoak(bench: Bench): Promise<Row[]> {
  if (process.platform !== 'linux') {
    bench.note(`${part} was not measured: it is read from /proc.`)
    return []
  }
  await using database = await openBenchDatabase(bench)
  await seedInstallation(database)
  await using issuer = await startIssuer(bench, database.url)
  const durationMs = minutes * 60_000
  await using refreshes = await startLoad(bench, { scenario: 'refresh', url: issuer.url, clients: 8 }, { durationMs })
  await using signIns = await startLoad(bench, { scenario: 'sign-in', url: issuer.url, clients: 2 }, { durationMs })
  bench.say(`the issuer works for ${minutes} minutes`)
  const [samples, refreshed, signedIn] = await Promise.all([
    watch(issuer.pid, durationMs, bench),
    ...[refreshes, signIns].map((load: Contender) => load.measure()),
  ])
  const settled = samples.filter(({ minute }) => minute >= settledAfterMinutes)
  const growth = slopeOf(settled.map(({ minute, residentBytes }) => ({ x: minute, y: residentBytes })))
  const descriptors = settled.map(each => each.descriptors)
  const most = Math.max(...settled.map(({ residentBytes }) => residentBytes))
  return [
    boundRate({ part, subject: 'refreshes', perSecond: refreshed ?? 0 }),
    boundRate({ part, subject: 'sign-ins beside them', perSecond: signedIn ?? 0 }),
    compareMemory(
      part,
      `memory, growth a minute after minute ${settledAfterMinutes}, of ${Math.round(most / 1e6)} MB`,
      growth,
      growsBelowBytes,
    ),
    boundCount(
      part,
      'descriptors, most less fewest',
      Math.max(...descriptors) - Math.min(...descriptors),
      descriptorsAtMost,
    ),
  ]
}

async function watch(pid: number, durationMs: number, bench: Bench): Promise<Sample[]> {
  const samples: Sample[] = []
  const startedAt = performance.now()
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - startedAt) {
    const [residentBytes, descriptors] = await Promise.all([readLeastResidentBytes(pid), countDescriptors(pid)])
    samples.push({ minute: elapsedMs / 60_000, residentBytes, descriptors })
    if (samples.length % 12 === 0) bench.say(`${Math.round(residentBytes / 1e6)} MB, ${descriptors} descriptors`)
    await pause(sampleEveryMs, undefined, { signal: bench.signal })
  }
  return samples
}
