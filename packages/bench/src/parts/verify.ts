/** The verifier against the arithmetic alone and against other libraries. Neither network nor database. */

import type { Bench } from '../bench.ts'
import { compareRates, type Row } from '../report.ts'
import type { Round } from '../rounds.ts'
import { startWorker } from '../worker.ts'
import type { VerifyQuestion } from '../workers/verify.ts'

interface Pairing extends VerifyQuestion {
  readonly atLeast?: number
}

const pairings: readonly Pairing[] = [
  { ours: 'signet', theirs: 'raw crypto.verify', isCached: false, atLeast: 0.8 },
  { ours: 'signet', theirs: 'jose', isCached: false, atLeast: 1.5 },
  { ours: 'signet', theirs: 'fast-jwt', isCached: false },
  { ours: 'signet', theirs: 'aws-jwt-verify', isCached: false },
  { ours: 'signet', theirs: 'jsonwebtoken', isCached: false },
  { ours: 'signet, cached', theirs: 'fast-jwt, cached', isCached: true, atLeast: 3 },
]

export async function measureVerify(bench: Bench): Promise<Row[]> {
  const rows: Row[] = []
  for (const { atLeast, ...question } of pairings) {
    bench.say(`${question.ours} and ${question.theirs} by turns`)
    // A process for each pairing: none runs in what another's garbage and code have left behind.
    await using worker = startWorker<VerifyQuestion, Round[]>(bench, workerFile, bench.machine.programCore)
    rows.push(
      compareRates({
        part: 'verify',
        subject: question.isCached ? 'token seen before, fresh string' : 'token never seen before',
        against: question.theirs,
        rounds: await worker.ask(question),
        ...(atLeast !== undefined && { atLeast }),
      }),
    )
  }
  return rows
}

const workerFile = new URL('../workers/verify.ts', import.meta.url)
