/** What the issuer holds when nothing happens. */

import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { startIssuer } from '../issuer.ts'
import { compareMemory, type Row } from '../report.ts'
import { readResidentBytes } from '../process-use.ts'
import { seedInstallation } from '../seed-installation.ts'

const idleMs = 60_000
const belowBytes = 150_000_000

export async function measureMemory(bench: Bench): Promise<Row[]> {
  if (process.platform !== 'linux') {
    bench.note('memory was not measured: it is read from /proc.')
    return []
  }
  await using database = await openBenchDatabase(bench)
  await seedInstallation(database)
  await using issuer = await startIssuer(bench, database.url)
  bench.say(`the issuer is ready; its memory is read in ${idleMs / 1000} s`)
  await pause(idleMs, undefined, { signal: bench.signal })
  const resident = await readResidentBytes(issuer.pid)
  return [compareMemory('memory', `iam, resident after ${idleMs / 1000} s idle`, resident, belowBytes)]
}
