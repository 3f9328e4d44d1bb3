/** C-01: nodes are restarted one after the other behind their balancer, and nobody who asks it notices. */

import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { expectNone, type FaultRow, tell } from '../fault-report.ts'
import type { RestartableIssuer } from '../issuer.ts'
import { isBalancerInstalled } from './balancer.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { createBalancedClient } from './issuer-client.ts'
import { checkWhatIsLeft, type MixedLoad, startMixedLoad } from './mixed-load.ts'

const part = 'restarts'
const rounds = 3
const requestsAtLeast = 10_000
export const balancedPeople = { refreshing: 8, signingIn: 2, registering: 1, readingKeys: 1 }
/** haproxy asks each second, and one good answer is enough for it: who restarts the next node waits for that. */
const balancerHearsMs = 2_500

export async function breakRestarts(bench: Bench): Promise<FaultRow[]> {
  if (!(await isBalancerInstalled())) {
    bench.note(`${part} could not be run: there is no haproxy on this machine.`)
    return []
  }
  await using database = await openBenchDatabase(bench)
  await using cluster = await startCluster(bench, database)
  const order = Array.from({ length: rounds }, () => cluster.nodes).flat()
  return await restartNodes(bench, cluster, order, requestsAtLeast)
}

/** @param order the nodes to restart, one after the other */
export async function restartNodes(
  bench: Bench,
  cluster: Cluster,
  order: readonly RestartableIssuer[],
  atLeast: number,
): Promise<FaultRow[]> {
  const load = await startMixedLoad({ ...balancedPeople, createClient: () => createBalancedClient(cluster.url) })
  try {
    for (const [number, node] of order.entries()) {
      await node.stop()
      await node.start()
      await pause(balancerHearsMs, undefined, { signal: bench.signal })
      bench.say(`${number + 1} of ${order.length} restarts, ${load.requests} requests, ${load.failures.length} failed`)
    }
    while (load.requests < atLeast) await pause(50, undefined, { signal: bench.signal })
    await load.stop()
    return [
      tell(part, 'restarts of two nodes, by turns', `${order.length}`),
      ...describeLoad(part, load),
      expectNone(part, 'none of them fails', describeFailures(load), `${load.requests} requests`),
      ...(await checkWhatIsLeft(part, cluster.db, load)),
    ]
  } finally {
    await load.stop()
  }
}

export function describeLoad(name: string, load: MixedLoad): FaultRow[] {
  return [...load.tally].map(([what, times]) => tell(name, `answers: ${what}`, `${times}`))
}

function describeFailures({ failures }: MixedLoad): string[] {
  return failures.map(({ what }) => what)
}
