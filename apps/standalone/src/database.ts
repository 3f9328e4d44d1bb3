/** The database of the installation: a server of the operator's when there is an address, else one of our own. */
import { join } from 'node:path'
import { type Database, grantLogin, migrate, openDatabase, startEmbedded, waitForDatabase } from '@signet/db'
import type { StandaloneConfig } from './config.ts'
import type { Step } from './steps.ts'

/** Started, migrated and open; `resources` closes it. */
export async function provideDatabase(
  config: StandaloneConfig,
  resources: AsyncDisposableStack,
  step: Step,
): Promise<Database> {
  const { url, adminUrl } = await findServer(config, resources, step)
  await step(
    applied => (applied.length === 0 ? 'database is up to date' : `database migrated, ${applied.length} steps`),
    () => migrate({ url: adminUrl, waitMs: config.WAIT_FOR_DB * 1_000 }),
  )
  await grantLogin(adminUrl, decodeURIComponent(new URL(url).username), ['signet_app', 'signet_places'])
  const database = openDatabase({ url, directUrl: config.DATABASE_ADMIN_URL, applicationName: 'signet-standalone' })
  resources.defer(() => database.close())
  return database
}

async function findServer(config: StandaloneConfig, resources: AsyncDisposableStack, step: Step) {
  const { DATABASE_URL: url, DATABASE_ADMIN_URL: adminUrl = url, SIGNET_HOME, WAIT_FOR_DB } = config
  if (url !== undefined && adminUrl !== undefined) {
    const { host, pathname } = new URL(url)
    await step(`PostgreSQL answers at ${host}${pathname}`, () => waitForDatabase(url, WAIT_FOR_DB * 1_000))
    return { url, adminUrl }
  }
  const dataDir = join(SIGNET_HOME, 'pg')
  const server = await step(`PostgreSQL runs, its data is in ${dataDir}`, () =>
    startEmbedded({ dataDir, log: line => console.log(`          ${line}`) }),
  )
  resources.defer(() => server.stop())
  return server
}
