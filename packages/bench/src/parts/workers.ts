/**
 * Several processes of one program: issuing without a database against the signature alone, and two processes against one where
 * nothing is pinned.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bench } from '../bench.ts'
import { type Contender, startLoad, startRawLimit } from '../contenders.ts'
import { findFreePort } from '../free-port.ts'
import type { Core } from '../machine.ts'
import { prepareProcess } from '../program.ts'
import { compareRates, type Row } from '../report.ts'
import { pairRates, takeTurns } from '../rounds.ts'
import { openConnection } from '../workers/http-connection.ts'

const part = 'workers'
const clients = 24
const loadMs = 3_000
const rawMs = 2_000
const main = fileURLToPath(new URL('../workers/token-server.ts', import.meta.url))

export async function measureWorkers(bench: Bench): Promise<Row[]> {
  return [await compareWithSigning(bench), await compareWithOne(bench)]
}

async function compareWithSigning(bench: Bench): Promise<Row> {
  const { programCore } = bench.machine
  await using issues = await startTokenServer(bench, 1, programCore)
  await using signatures = startRawLimit(bench, programCore, { limit: 'rsa-2048-signature', durationMs: rawMs })
  const rates = await takeTurns({ raw: signatures.measure, issues: issues.measure }, round =>
    bench.say(`round ${round}: raw signing, issuing without a database`),
  )
  const rounds = pairRates(rates.issues, rates.raw)
  return compareRates({ part, subject: 'issuing without a database', against: 'raw RSA-2048 signing', rounds })
}

async function compareWithOne(bench: Bench): Promise<Row> {
  await using one = await startTokenServer(bench, 1, bench.machine.everyCore)
  await using two = await startTokenServer(bench, 2, bench.machine.everyCore)
  const rates = await takeTurns({ one: one.measure, two: two.measure }, round =>
    bench.say(`round ${round}: one process, two processes, unpinned`),
  )
  const rounds = pairRates(rates.two, rates.one)
  return compareRates({ part, subject: 'WORKER_COUNT=2, unpinned', against: 'one process', rounds, atLeast: 1.5 })
}

async function startTokenServer(bench: Bench, count: number, core: Core): Promise<Contender> {
  await using kept = new AsyncDisposableStack()
  const home = await mkdtemp(join(tmpdir(), 'signet-bench-'))
  kept.defer(() => rm(home, { recursive: true, force: true }))
  const port = await findFreePort()
  const server = kept.use(
    prepareProcess({
      name: 'the token server',
      core,
      args: ['--max-semi-space-size=8', main],
      port,
      environment: { PORT: String(port), WORKER_COUNT: String(count) },
      home,
      signal: bench.signal,
    }),
  )
  await server.start()
  await untilAllServe(server.url, count, bench.signal)
  const { measure } = kept.use(
    await startLoad(bench, { scenario: 'token', url: server.url, clients }, { durationMs: loadMs }),
  )
  const held = kept.move()
  return { measure, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

/** The first process serves before the others do, and keeps the connections that came to it. */
async function untilAllServe(url: string, count: number, signal: AbortSignal): Promise<void> {
  const seen = new Set<number>()
  while (seen.size < count) {
    const connection = await openConnection(url)
    const { body } = await connection.get('/process')
    connection.close()
    seen.add((JSON.parse(body) as { id: number }).id)
    await pause(20, undefined, { signal })
  }
}
