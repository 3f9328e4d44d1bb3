/** Signing in by password against the hash it contains, which it must not avoid. */

import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { startLoad, startRawLimit } from '../contenders.ts'
import { startIssuer } from '../issuer.ts'
import { readProcessorMs } from '../process-use.ts'
import { compareCosts, compareRates, type Row } from '../report.ts'
import { type Measure, pairRates, takeTurns } from '../rounds.ts'
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
  await using load = await startLoad(
    bench,
    { scenario: 'sign-in', url: issuer.url, clients },
    { durationMs: loadMs, warmUpRequests },
  )
  await using hashes = startRawLimit(bench, bench.machine.programCore, { limit: 'argon2id', durationMs: rawMs })
  const processor = process.platform === 'linux' ? watchProcessor(issuer.pid, load.measure) : undefined
  if (processor === undefined) bench.note('The processor time of a sign-in was not measured: it is read from /proc.')
  const rates = await takeTurns(
    { raw: hashes.measure, signet: processor?.measure ?? load.measure },
    round => bench.say(`round ${round}: raw argon2id, signing in, ${slices} times in turns`),
    slices,
  )
  const against = 'raw argon2id, 19 MiB, 2, 1'
  const rows = [
    compareRates({
      part: 'sign-in',
      subject: `sign-in, ${clients} clients`,
      against,
      rounds: pairRates(rates.signet, rates.raw),
      atLeast: 0.85,
    }),
  ]
  if (processor !== undefined) {
    const rounds = pairRates(processor.perProcessorSecond(), rates.raw)
    const subject = 'sign-ins a second of processor time'
    rows.push(compareCosts({ part: 'sign-in', subject, against, rounds, belowNs: 1_000_000 }))
  }
  return rows
}

/** What the process uses of the processor while `measure` runs. */
function watchProcessor(pid: number, measure: Measure) {
  const runs: { served: number; processorMs: number }[] = []
  return {
    measure: async () => {
      const [usedBefore, since] = [await readProcessorMs(pid), performance.now()]
      const perSecond = await measure()
      const elapsedMs = performance.now() - since
      runs.push({ served: (perSecond * elapsedMs) / 1_000, processorMs: (await readProcessorMs(pid)) - usedBefore })
      return perSecond
    },
    /** Of each round. */
    perProcessorSecond: () =>
      Array.from({ length: runs.length / slices }, (_, round) => {
        const ofRound = runs.slice(round * slices, (round + 1) * slices)
        const sum = (of: (run: (typeof runs)[number]) => number) => ofRound.reduce((total, run) => total + of(run), 0)
        return (sum(run => run.served) / sum(run => run.processorMs)) * 1_000
      }),
  }
}
