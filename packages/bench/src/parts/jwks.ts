/** The key set, which every verifier fetches: what one core can give out. */

import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { startLoad } from '../contenders.ts'
import { startIssuer } from '../issuer.ts'
import { boundRate, type Row } from '../report.ts'
import { median, roundCount } from '../rounds.ts'
import { seedInstallation } from '../seed-installation.ts'

const clients = 24
const loadMs = 3_000
const atLeast = 10_000

export async function measureKeySet(bench: Bench): Promise<Row[]> {
  await using database = await openBenchDatabase(bench)
  await seedInstallation(database)
  await using issuer = await startIssuer(bench, database.url)
  bench.say(`${clients} clients read the key set`)
  await using reads = await startLoad(bench, { scenario: 'key-set', url: issuer.url, clients }, { durationMs: loadMs })
  const rates: number[] = []
  while (rates.length < roundCount) rates.push(await reads.measure())
  return [boundRate({ part: 'jwks', subject: `key set, ${clients} clients`, perSecond: median(rates), atLeast })]
}
