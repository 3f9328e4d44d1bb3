/** C-02: kill -9 of one node after the other behind their balancer: of what was in flight at that node what writes fails, and nothing else. */

import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { expectNone, type FaultRow, tell } from '../fault-report.ts'
import { isBalancerInstalled } from './balancer.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { createBalancedClient } from './issuer-client.ts'
import { checkWhatIsLeft, type Failure, startMixedLoad } from './mixed-load.ts'
import { balancedPeople, describeLoad } from './restarts.ts'

const part = 'kills'
const kills = 24
const everyMs = 5_000

export async function breakKills(bench: Bench): Promise<FaultRow[]> {
  if (!(await isBalancerInstalled())) {
    bench.note(`${part} could not be run: there is no haproxy on this machine.`)
    return []
  }
  await using database = await openBenchDatabase(bench)
  await using cluster = await startCluster(bench, database)
  return await killNodes(bench, cluster, { kills, everyMs })
}

/** By turns: the other serves meanwhile. */
export async function killNodes(
  bench: Bench,
  { nodes, url, db }: Cluster,
  { kills: wanted, everyMs: interval }: { kills: number; everyMs: number },
): Promise<FaultRow[]> {
  const load = await startMixedLoad({ ...balancedPeople, createClient: () => createBalancedClient(url) })
  const goneAt: number[] = []
  try {
    while (goneAt.length < wanted) {
      const nextAt = performance.now() + interval
      const node = nodes[goneAt.length % 2 === 0 ? 0 : 1]
      await node.kill()
      goneAt.push(performance.now())
      await node.start()
      await pause(Math.max(0, nextAt - performance.now()), undefined, { signal: bench.signal })
      bench.say(`${goneAt.length} of ${wanted} kills, ${load.requests} requests, ${load.failures.length} failed`)
    }
    await load.stop()
    const others = load.failures.filter(failure => !wasInFlight(failure, goneAt))
    return [
      tell(part, 'kill -9 of two nodes, by turns', `${goneAt.length}`),
      ...describeLoad(part, load),
      tell(part, 'requests that failed with the node that had them', `${load.failures.length - others.length}`),
      expectNone(
        part,
        'only what is in flight at the killed node fails',
        others.map(failure => describeFailure(failure, goneAt)),
        `${load.requests} requests`,
      ),
      expectNone(
        part,
        'what only reads is asked of the other node',
        load.failures.filter(({ kind }) => kind === 'key set').map(failure => describeFailure(failure, goneAt)),
        `${load.successes['key set']} key sets`,
      ),
      ...(await checkWhatIsLeft(part, db, load)),
    ]
  } finally {
    await load.stop()
  }
}

/** Sent before the node was gone, and failed by it: nobody's time runs out here. */
function wasInFlight({ sentAt, endedAt }: Failure, goneAt: readonly number[]): boolean {
  return goneAt.some(at => sentAt <= at && at - inFlightMs <= endedAt && endedAt <= at + inFlightMs)
}

/** With its times after the kill that was nearest. */
function describeFailure({ what, sentAt, endedAt }: Failure, goneAt: readonly number[]): string {
  const nearest = goneAt.reduce((best, at) => (Math.abs(at - endedAt) < Math.abs(best - endedAt) ? at : best), 0)
  return `${what}, sent ${(sentAt - nearest).toFixed(1)} and ended ${(endedAt - nearest).toFixed(1)} ms after the node was gone`
}

/** A proxy says so at once when a node's connection breaks. */
const inFlightMs = 1_000
