/** What isolation costs: a read within a tenant against the same read without, over the same pool. */

import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { compareRates, type Row } from '../report.ts'
import type { Round } from '../rounds.ts'
import { seedInstallation } from '../seed-installation.ts'
import { startWorker } from '../worker.ts'
import type { TenantReadQuestion } from '../workers/tenant-read.ts'

const concurrencies = [
  [1, 'one at a time'],
  [16, 'sixteen at once'],
] as const

export async function measureTenant(bench: Bench): Promise<Row[]> {
  await using database = await openBenchDatabase(bench)
  const seeded = await seedInstallation(database)
  const rows: Row[] = []
  for (const [concurrency, wording] of concurrencies) {
    bench.say(`reads within a tenant and without, ${wording}`)
    await using worker = startWorker<TenantReadQuestion, Round[]>(bench, workerFile, bench.machine.programCore)
    rows.push(
      compareRates({
        part: 'tenant',
        subject: `read within a tenant, ${wording}`,
        against: 'the same read untenanted',
        rounds: await worker.ask({ superUrl: database.superUrl, ...seeded, concurrency }),
        atLeast: 0.4,
      }),
    )
  }
  return rows
}

const workerFile = new URL('../workers/tenant-read.ts', import.meta.url)
