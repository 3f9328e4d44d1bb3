/** `pnpm bench`: runs the parts that are asked for, one after the other, and prints one table. */

import { inspectMachine } from './machine.ts'
import { help, type PartName } from './options.ts'
import { measureDecisions } from './parts/decisions.ts'
import { measureDirectory } from './parts/directory.ts'
import { measureEnumeration } from './parts/enumeration.ts'
import { measureGrowth } from './parts/growth.ts'
import { measureImport } from './parts/import.ts'
import { measureLanes } from './parts/lanes.ts'
import { measureMemory } from './parts/memory.ts'
import { measureRefresh } from './parts/refresh.ts'
import { measureRevocation } from './parts/revocation.ts'
import { measureSignIn } from './parts/sign-in.ts'
import { measureTenant } from './parts/tenant.ts'
import { measureVerify } from './parts/verify.ts'
import { type Row, renderTable } from './report.ts'
import { type Parts, runParts } from './run-parts.ts'

const parts: Parts<PartName, Row> = {
  verify: measureVerify,
  revocation: measureRevocation,
  refresh: measureRefresh,
  'sign-in': measureSignIn,
  tenant: measureTenant,
  decisions: measureDecisions,
  directory: measureDirectory,
  growth: measureGrowth,
  enumeration: measureEnumeration,
  import: measureImport,
  lanes: measureLanes,
  memory: measureMemory,
}

const run = await runParts('Signet benchmarks', help, parts, inspectMachine)
if (run !== undefined) {
  console.log(`\n${run.heading.join('\n')}`)
  console.log(`Rates and ratios are medians of five paired rounds.\n\n${renderTable(run.rows)}`)
}
