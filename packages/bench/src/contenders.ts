/** The processes that server parts take turns with. */

import type { Bench } from './bench.ts'
import type { Core } from './machine.ts'
import type { Measure } from './rounds.ts'
import { startWorker } from './worker.ts'
import type { LoadPreparation, LoadRun } from './workers/load.ts'
import type { OidcAnswer } from './workers/oidc-provider.ts'
import type { RawLimitQuestion } from './workers/raw-limits.ts'

export interface Contender extends AsyncDisposable {
  readonly measure: Measure
}

const workerFile = (name: string) => new URL(`workers/${name}.ts`, import.meta.url)

/** Long enough that a server's hot code is compiled, where it answers thousands of requests a second. */
const warmUpMs = 10_000

export interface LoadLength {
  /** Of each measurement. */
  readonly durationMs: number
  /** Answers before the first one, where ten seconds do not bring as many as V8 wants calls before it compiles for good. */
  readonly warmUpRequests?: number
}

/** Clients that are signed in or registered already where the scenario needs it, and a server that is warm. */
export async function startLoad(
  bench: Bench,
  preparation: LoadPreparation,
  { durationMs, warmUpRequests = 0 }: LoadLength,
): Promise<Contender> {
  const worker = startWorker<LoadPreparation | LoadRun, number>(bench, workerFile('load'), bench.machine.loadCore)
  try {
    await worker.ask(preparation)
    await worker.ask({ durationMs: warmUpMs, requests: warmUpRequests })
  } catch (error) {
    await worker[Symbol.asyncDispose]()
    throw error
  }
  return { measure: () => worker.ask({ durationMs }), [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() }
}

export function startRawLimit(bench: Bench, core: Core, question: RawLimitQuestion): Contender {
  const worker = startWorker<RawLimitQuestion, number>(bench, workerFile('raw-limits'), core)
  return { measure: () => worker.ask(question), [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() }
}

export async function startOidcProvider(bench: Bench): Promise<OidcAnswer & AsyncDisposable> {
  const worker = startWorker<object, OidcAnswer>(bench, workerFile('oidc-provider'), bench.machine.programCore)
  return { ...(await worker.ask({})), [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() }
}
