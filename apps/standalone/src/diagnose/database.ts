/** The database: reachable, new enough, on our time, migrated, and keeping tenants apart. And what its outbox holds. */
import { join } from 'node:path'
import {
  assertSafeSchema,
  type Database,
  type DatabaseFacts,
  findEmbedded,
  inspectDatabase,
  openDatabase,
  UnsafeSchemaError,
} from '@signet/db'
import { measureOutbox } from '@signet/delivery'
import type { StandaloneConfig } from '../config.ts'
import { createCheck, type Finding, reasonOf } from './finding.ts'

const oldest = 150_000
/** Verifiers allow 30 s; codes and sessions end by the database's clock; a repeated refresh is presented by ours, spent by its. */
const [noticedSkewMs, worstSkewMs] = [2_000, 30_000]
const longWaitSeconds = 300

const reach = createCheck('database')

export async function diagnoseDatabase(config: StandaloneConfig): Promise<Finding[]> {
  const folder = join(config.SIGNET_HOME, 'pg')
  let url: string | undefined
  try {
    url = config.DATABASE_URL ?? (await findEmbedded(folder, 'program'))
  } catch (error) {
    return [reach.fail(`${folder} cannot be read: ${reasonOf(error)}`, 'Run this as the account that runs Signet')]
  }
  if (url === undefined) {
    const remedy = 'Run: pnpm start, or set DATABASE_URL'
    return [reach.warning(`none is named, and no installation runs one in ${folder}`, remedy)]
  }
  const database = openDatabase({ url, max: 1, applicationName: 'signet-diagnose' })
  try {
    const facts = await inspectDatabase(database)
    const findings = [reach.ok(`answers at ${placeOf(url)}`), ...judgeDatabase(facts)]
    // Of tables that are not there nothing can be said.
    if (facts.applied === undefined || facts.applied < facts.needed) return findings
    return [...findings, ...(await diagnoseSchema(database, config)), ...(await diagnoseOutbox(database))]
  } catch (error) {
    const remedy = 'Start it, or correct DATABASE_URL'
    return [reach.fail(`does not answer at ${placeOf(url)}: ${reasonOf(error)}`, remedy)]
  } finally {
    await database.close()
  }
}

/** Never its login and password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

export function judgeDatabase({ version, clockAheadMs, applied, needed }: DatabaseFacts): Finding[] {
  const [server, clock, migrations] = [createCheck('postgresql'), createCheck('clock'), createCheck('migrations')]
  const number = `${Math.floor(version / 10_000)}.${version % 10_000}`
  const skewMs = Math.abs(clockAheadMs)
  const skew = `the database's is ${(skewMs / 1_000).toFixed(1)} s ${clockAheadMs < 0 ? 'behind' : 'ahead of'} ours`
  const migrate = 'Run: pnpm migrate, or start with RUN_MIGRATIONS=true'
  return [
    version >= oldest ? server.ok(number) : server.fail(`${number} is too old`, 'Move to PostgreSQL 15 or later'),
    skewMs < noticedSkewMs
      ? clock.ok('agrees with that of the database')
      : clock[skewMs < worstSkewMs ? 'warning' : 'fail'](skew, 'Let both follow the same time server (NTP)'),
    applied === undefined
      ? migrations.fail(
          'this login may not see them',
          'GRANT signet_app to the login of DATABASE_URL, or run: pnpm migrate',
        )
      : applied < needed
        ? migrations.fail(`${needed - applied} of ${needed} are not applied`, migrate)
        : migrations.ok(`all ${needed} are applied`),
  ]
}

async function diagnoseSchema(database: Database, { SIGNET_ENV }: StandaloneConfig): Promise<Finding[]> {
  const tenants = createCheck('tenants')
  try {
    await assertSafeSchema(database, { environment: SIGNET_ENV })
    return [tenants.ok('are kept apart by the database, and its login cannot pass over that')]
  } catch (error) {
    if (!(error instanceof UnsafeSchemaError)) throw error
    return error.faults.map(fault => tenants.fail(fault, 'No program starts on this: see packages/db/README.md'))
  }
}

async function diagnoseOutbox(database: Database): Promise<Finding[]> {
  const outbox = createCheck('outbox')
  const loads = await measureOutbox(database)
  const waiting = loads.reduce((sum, load) => sum + load.waiting, 0)
  const dead = loads.reduce((sum, load) => sum + load.dead, 0)
  const seconds = Math.round(Math.max(...loads.map(({ oldestSeconds }) => oldestSeconds)))
  const late =
    seconds > longWaitSeconds
      ? [outbox.warning(`${waiting} wait, the oldest for ${seconds} s`, 'See why: pnpm outbox list --queued')]
      : [outbox.ok(waiting === 0 ? 'nothing waits' : `${waiting} wait, the oldest for ${seconds} s`)]
  return dead === 0 ? late : [...late, outbox.warning(`${dead} were given up`, 'See why: pnpm outbox list --dead')]
}
