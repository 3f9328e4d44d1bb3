import { fileURLToPath } from 'node:url'
import { type Database, grantLogin, migrate, openDatabase, UnsafeSchemaError, waitForDatabase } from '@signet/db'
import {
  InstallationSecretError,
  loadEnvironment,
  loggerOptions,
  type MetricsListener,
  openMetrics,
  openTracing,
  type Program,
  stopOnSignal,
  type Tracing,
  watchPool,
} from '@signet/http'
import { SettingsError } from '@signet/kernel'
import { type IamConfig, readConfig, toIamOptions } from './config.ts'
import { KeyFolderError, startIam } from './index.ts'

const migrations = fileURLToPath(new URL('../../../drizzle', import.meta.url))

let database: Database | undefined
let iam: Program | undefined
let metrics: MetricsListener | undefined
let tracing: Tracing | undefined
stopOnSignal(
  async () => {
    await iam?.stop()
    await database?.close()
    await Promise.all([metrics?.close(), tracing?.close()])
  },
  reason => iam?.app.log.info({ reason }, 'stopping'),
)

try {
  const config = readConfig(loadEnvironment(process.argv.slice(2)))
  if (config.RUN_MIGRATIONS) await bringForward(config)
  else await waitForDatabase(config.DATABASE_URL, config.WAIT_FOR_DB * 1_000)
  const { DATABASE_URL: url, DATABASE_ADMIN_URL: directUrl } = config
  database = openDatabase({ url, directUrl, applicationName: 'signet-iam' })
  metrics = await openMetrics(config.HOST, config.METRICS_PORT)
  tracing = await openTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT)
  watchPool(metrics.of('iam'), database.pool.load)
  iam = await startIam({
    database,
    metrics: metrics.of('iam'),
    tracer: tracing.of('iam'),
    ...toIamOptions(config),
    logger: loggerOptions(config.LOG_LEVEL, config.LOG_FORMAT, 'iam'),
  })
} catch (error) {
  await database?.close()
  console.error(describe(error))
  // close-with-grace ends a program that has nothing left to do with 0, whatever the exit code was set to.
  process.exit(1)
}

async function bringForward(config: IamConfig): Promise<void> {
  const url = config.DATABASE_ADMIN_URL ?? config.DATABASE_URL
  await migrate({ url, folder: migrations, waitMs: config.WAIT_FOR_DB * 1_000 })
  await grantLogin(url, decodeURIComponent(new URL(config.DATABASE_URL).username), ['signet_app'])
}

/** What an operator can mend is said without a stack. */
function describe(error: unknown): unknown {
  const mendable = [SettingsError, KeyFolderError, InstallationSecretError, UnsafeSchemaError]
  return error instanceof Error && mendable.some(each => error instanceof each) ? error.message : error
}
