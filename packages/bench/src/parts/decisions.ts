/** What a decision costs beside the reading of who asks: by a role alone, and by policies that Cedar has prepared. */

import type { Bench } from '../bench.ts'
import { boundMedian, type Row } from '../report.ts'
import { startWorker } from '../worker.ts'
import type { DecideQuestion } from '../workers/decide.ts'

const kinds = [
  { policies: 0, subject: 'a decision by role', atMostUs: 50 },
  { policies: 1, subject: 'a decision by 1 policy', atMostUs: 300 },
  { policies: 51, subject: 'a decision by 51 policies', atMostUs: 300 },
] as const

export async function measureDecisions(bench: Bench): Promise<Row[]> {
  const rows: Row[] = []
  for (const { policies, subject, atMostUs } of kinds) {
    bench.say(subject)
    await using worker = startWorker<DecideQuestion, number[]>(bench, workerFile, bench.machine.programCore)
    rows.push(boundMedian({ part: 'decisions', subject, times: await worker.ask({ policies }), atMostUs }))
  }
  return rows
}

const workerFile = new URL('../workers/decide.ts', import.meta.url)
