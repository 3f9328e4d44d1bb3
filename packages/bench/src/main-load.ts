/** `pnpm bench:load`: what the issuer does under load and how it stands it, beside the raw limits, in one table. */

import { inspectMachine } from './machine.ts'
import { loadHelp, type LoadPartName } from './options.ts'
import { measureKeySet } from './parts/jwks.ts'
import { measureMemory } from './parts/memory.ts'
import { measureOverload } from './parts/overload.ts'
import { measureRefresh } from './parts/refresh.ts'
import { measureSignIn } from './parts/sign-in.ts'
import { measureSoak } from './parts/soak.ts'
import { measureStart } from './parts/start.ts'
import { measureWorkers } from './parts/workers.ts'
import { type Row, renderTable } from './report.ts'
import { type Parts, runParts } from './run-parts.ts'

const parts: Parts<LoadPartName, Row> = {
  'sign-in': measureSignIn,
  refresh: measureRefresh,
  jwks: measureKeySet,
  workers: measureWorkers,
  start: measureStart,
  memory: measureMemory,
  overload: measureOverload,
  soak: measureSoak,
}

const run = await runParts('Signet under load', loadHelp, parts, inspectMachine)
if (run !== undefined) console.log(`\n${run.heading.join('\n')}\n\n${renderTable(run.rows)}`)
