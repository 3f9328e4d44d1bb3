/**
 * Refreshing against the signature it contains, which it cannot avoid, and against another server that issues tokens. Each
 * server has one core; the database and the clients share the other.
 */

import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { startLoad, startOidcProvider, startRawLimit } from '../contenders.ts'
import { startIssuer } from '../issuer.ts'
import { compareRates, type Row } from '../report.ts'
import { pairRates, takeTurns } from '../rounds.ts'
import { seedInstallation } from '../seed-installation.ts'

/** Enough that neither core waits for the other. */
const clients = 64
/** Of each slice. Other tenants of a machine slow it down for seconds at a time: so all sides take turns often. */
const loadMs = 2_000
const rawMs = 1_000
const slices = 3
/** The main thread takes less and less of a refresh until then: ten seconds bring as many on a fast machine, and a third on a slow one. */
const warmUpRequests = 40_000

export async function measureRefresh(bench: Bench): Promise<Row[]> {
  await using database = await openBenchDatabase(bench)
  await seedInstallation(database)
  await using issuer = await startIssuer(bench, database.url)
  await using oidcProvider = await startOidcProvider(bench)
  bench.say(`${clients} clients sign in, and both servers warm up: ${warmUpRequests} answers`)
  await using refreshes = await startLoad(
    bench,
    { scenario: 'refresh', url: issuer.url, clients },
    { durationMs: loadMs, warmUpRequests },
  )
  await using issues = await startLoad(
    bench,
    { scenario: 'client-credentials', url: oidcProvider.url, clients },
    { durationMs: loadMs, warmUpRequests },
  )
  await using signatures = startRawLimit(bench, bench.machine.programCore, {
    limit: 'rsa-2048-signature',
    durationMs: rawMs,
  })
  const rates = await takeTurns(
    { raw: signatures.measure, signet: refreshes.measure, oidcProvider: issues.measure },
    round => bench.say(`round ${round}: raw signing, refreshing, oidc-provider, ${slices} times in turns`),
    slices,
  )
  const subject = `refresh, ${clients} clients`
  return [
    compareRates({
      part: 'refresh',
      subject,
      against: 'raw RSA-2048 signing',
      rounds: pairRates(rates.signet, rates.raw),
      atLeast: 0.55,
    }),
    compareRates({
      part: 'refresh',
      subject,
      against: 'oidc-provider, client credentials',
      rounds: pairRates(rates.signet, rates.oidcProvider),
    }),
  ]
}
