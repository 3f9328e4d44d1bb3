/** How soon the issuer is ready where the database runs and the keys are there. */

import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { prepareIssuer } from '../issuer.ts'
import { boundMoment, type Row } from '../report.ts'
import { median, roundCount } from '../rounds.ts'
import { seedInstallation } from '../seed-installation.ts'

const untilMs = 1_500

export async function measureStart(bench: Bench): Promise<Row[]> {
  await using database = await openBenchDatabase(bench)
  await seedInstallation(database)
  // Nobody starts a program on one core of several: its garbage is collected beside it.
  const machine = { ...bench.machine, programCore: bench.machine.everyCore }
  await using issuer = await prepareIssuer({ ...bench, machine }, database.url)
  // It makes its keys, and whoever starts after it finds its files in memory.
  await issuer.start()
  const times: number[] = []
  while (times.length < roundCount) {
    await issuer.kill()
    const startedAt = performance.now()
    await issuer.start()
    times.push(performance.now() - startedAt)
    bench.say(`start ${times.length} of ${roundCount}`)
  }
  return [
    boundMoment({
      part: 'start',
      subject: `iam, ready, unpinned, median of ${roundCount} starts`,
      ms: median(times),
      untilMs,
    }),
  ]
}
