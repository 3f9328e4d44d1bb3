/** The short forms of the fault runs that need two nodes, a balancer and a server of their own. */
import type { Bench } from '../src/bench.ts'
import t from 'tap'
import { openServerOfItsOwn } from '../src/bench-database.ts'
import type { FaultRow } from '../src/fault-report.ts'
import { isBalancerInstalled } from '../src/faults/balancer.ts'
import { startCluster } from '../src/faults/cluster.ts'
import { killNodes } from '../src/faults/kills.ts'
import { interruptServer } from '../src/faults/outage.ts'
import { restartNodes } from '../src/faults/restarts.ts'
import { wholeMachine } from '../src/machine.ts'

const canRun = process.platform === 'linux' && (await isBalancerInstalled())

/** A dozen programs are started, one after the other. */
t.setTimeout(240_000)

t.test(
  'two nodes behind haproxy',
  { skip: canRun ? false : 'it needs Linux with haproxy', timeout: 120_000 },
  async t => {
    const stopping = new AbortController()
    t.teardown(() => stopping.abort())
    const bench: Bench = {
      machine: wholeMachine(),
      signal: stopping.signal,
      say: line => t.comment(line),
      note: line => t.comment(line),
    }
    const database = await openServerOfItsOwn(bench)
    t.teardown(() => database[Symbol.asyncDispose]())
    const cluster = await startCluster(bench, database)
    const [first, second] = cluster.nodes
    t.teardown(async () => {
      // Nobody watches any more: they need not say for seconds that they stop.
      await Promise.all(cluster.nodes.map(node => node.kill()))
      await cluster[Symbol.asyncDispose]()
    })
    const broken = (rows: readonly FaultRow[]) => rows.filter(({ held }) => held === 'NO')

    await t.test('C-01 are restarted and nobody notices', async t => {
      t.same(broken(await restartNodes(bench, cluster, [first], 500)), [])
    })
    await t.test('C-02 are killed and only what was in flight fails', async t => {
      t.same(broken(await killNodes(bench, cluster, { kills: 1, everyMs: 0 })), [])
    })
    await t.test('D-02 D-03 lose their database for a while, which then hangs, and lose nothing', async t => {
      const brief = { goneMs: 1_500, hungMs: 2_000, withinMs: 10_000 }
      t.same(broken(await interruptServer(bench, second, cluster.db, brief)), [])
    })
  },
)
