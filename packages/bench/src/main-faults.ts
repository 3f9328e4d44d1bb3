/** `pnpm bench:faults`: breaks things, one part after the other, and ends with one table of what held. */

import { renderFaults, type FaultRow } from './fault-report.ts'
import { breakDatabase } from './faults/database.ts'
import { breakDelivery } from './faults/delivery.ts'
import { breakKeys } from './faults/keys.ts'
import { breakKills } from './faults/kills.ts'
import { breakOutage } from './faults/outage.ts'
import { breakRefresh } from './faults/refresh.ts'
import { breakRestarts } from './faults/restarts.ts'
import { mixTenants } from './faults/tenants.ts'
import { wholeMachine } from './machine.ts'
import { faultHelp, type FaultPartName } from './options.ts'
import { type Parts, runParts } from './run-parts.ts'

const parts: Parts<FaultPartName, FaultRow> = {
  database: breakDatabase,
  refresh: breakRefresh,
  delivery: breakDelivery,
  keys: breakKeys,
  tenants: mixTenants,
  restarts: breakRestarts,
  kills: breakKills,
  outage: breakOutage,
}

const run = await runParts('Signet under faults', faultHelp, parts, wholeMachine)
if (run !== undefined) {
  console.log(`\n${run.heading.join('\n')}\n\n${renderFaults(run.rows)}`)
  if (run.rows.some(row => row.held === 'NO')) process.exitCode = 1
}
