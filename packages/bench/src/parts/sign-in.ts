/** Signing in by password against the hash it contains, which it must not avoid. */

import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { startLoad, startRawLimit } from '../contenders.ts'
import { startIssuer } from '../issuer.ts'
import { compareRates, type Row } from '../report.ts'
import { pairRates, takeTurns } from '../rounds.ts'
import { seedInstallation } from '../seed-installation.ts'

/** Few enough that nobody is sent away from the queue before the hashing. */
const clients = 8
/** Of each slice. A hash takes now more, now less, for seconds at a time: so both sides take turns often. */
const loadMs = 3_000
const rawMs = 2_000
const slices = 4
/** The main thread takes less and less of a sign-in until then (decision 18 of apps/iam). */
const warmUpRequests = 15_000

export async function measureSignIn(bench: Bench): Promise<Row[]> {
  await using database = await openBenchDatabase(bench)
  await seedInstallation(database)
  await using issuer = await startIssuer(bench, database.url)
  bench.say(`${clients} people register, and the server warms up: ${warmUpRequests} sign-ins`)
  await using signIns = await startLoad(
    bench,
    { scenario: 'sign-in', url: issuer.url, clients },
    { durationMs: loadMs, warmUpRequests },
  )
  await using hashes = startRawLimit(bench, bench.machine.programCore, { limit: 'argon2id', durationMs: rawMs })
  const rates = await takeTurns(
    { raw: hashes.measure, signet: signIns.measure },
    round => bench.say(`round ${round}: raw argon2id, signing in, ${slices} times in turns`),
    slices,
  )
  return [
    compareRates({
      part: 'sign-in',
      subject: `sign-in, ${clients} clients`,
      against: 'raw argon2id, 19 MiB, 2, 1',
      rounds: pairRates(rates.signet, rates.raw),
      atLeast: 0.85,
    }),
  ]
}
