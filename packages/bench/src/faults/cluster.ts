/** Two nodes of the issuer on one database and one folder of keys, behind a balancer. */

import { type Database, openDatabase } from '@signet/db'
import type { Bench } from '../bench.ts'
import type { BenchDatabase } from '../bench-database.ts'
import { prepareIssuer, type RestartableIssuer } from '../issuer.ts'
import { seedInstallation } from '../seed-installation.ts'
import { startBalancer } from './balancer.ts'

export interface Cluster extends AsyncDisposable {
  readonly nodes: readonly [RestartableIssuer, RestartableIssuer]
  /** Where the balancer listens. */
  readonly url: string
  /** As a superuser. */
  readonly db: Database
}

export async function startCluster(bench: Bench, database: BenchDatabase): Promise<Cluster> {
  const kept = new AsyncDisposableStack()
  try {
    await seedInstallation(database)
    const db = openDatabase({ url: database.superUrl, max: 1 })
    kept.defer(() => db.close())
    const first = kept.use(await prepareIssuer(bench, database.url))
    const second = kept.use(await prepareIssuer(bench, database.url, { SIGNET_KEYS: first.keysFolder }))
    // One after the other: the first makes the keys.
    await first.start()
    await second.start()
    const nodes = [first, second] as const
    const { url } = kept.use(
      await startBalancer(
        bench,
        nodes.map(node => new URL(node.url).host),
      ),
    )
    return { nodes, url, db, [Symbol.asyncDispose]: () => kept.disposeAsync() }
  } catch (error) {
    await kept.disposeAsync()
    throw error
  }
}
