import { fileURLToPath } from 'node:url'
import { type Database, grantLogin, migrate, openDatabase, UnsafeSchemaError, waitForDatabase } from '@signet/db'
import { loadEnvironment, loggerOptions, openMetrics, openTracing, stopOnSignal, watchPool } from '@signet/http'
import { SettingsError } from '@signet/kernel'
import { type AdminConfig, readConfig, readStorage } from './config.ts'
import { startAdminApi } from './index.ts'

const migrations = fileURLToPath(new URL('../../../drizzle', import.meta.url))

let database: Database | undefined
try {
  const config = readConfig(loadEnvironment(process.argv.slice(2)))
  if (config.RUN_MIGRATIONS) await bringForward(config)
  else await waitForDatabase(config.DATABASE_URL, config.WAIT_FOR_DB * 1_000)
  const opened = openDatabase({ url: config.DATABASE_URL, applicationName: 'signet-admin-api' })
  database = opened
  const metrics = await openMetrics(config.HOST, config.METRICS_PORT)
  const tracing = await openTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT)
  watchPool(metrics.of('admin-api'), opened.pool.load)
  const adminApi = await startAdminApi({
    database: opened,
    metrics: metrics.of('admin-api'),
    tracer: tracing.of('admin-api'),
    environment: config.SIGNET_ENV,
    host: config.HOST,
    port: config.ADMIN_PORT,
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    keysFolder: config.SIGNET_KEYS,
    passwordMinLength: config.PASSWORD_MIN_LENGTH,
    sendsEvents: config.ENG_ANALYTICS_URL !== undefined,
    setupToken: config.SETUP_TOKEN,
    serviceKeys: config.INTERNAL_SERVICE_API_KEY,
    addresses: {
      iam: config.IAM_URL ?? `http://localhost:${config.IAM_PORT}`,
      admin: config.ADMIN_URL ?? `http://localhost:${config.ADMIN_PORT}`,
      places: config.PLACES_URL ?? `http://localhost:${config.PLACES_PORT}`,
    },
    workerCount: config.WORKER_COUNT,
    storage: readStorage(config).settings,
    maxImageMegabytes: config.MAX_AVATAR_SIZE_MB,
    serviceUrls: config['ENG_<NAME>_URL'],
    allowedOrigins: config.CORS_ORIGINS,
    trustProxy: config.TRUST_PROXY,
    compat: new Set(config.COMPAT),
    cookies: { domain: config.COOKIE_DOMAIN, prefix: config.COOKIE_PREFIX },
    logger: loggerOptions(config.LOG_LEVEL, config.LOG_FORMAT, 'admin-api'),
  })
  stopOnSignal(
    async () => {
      await adminApi.stop()
      await opened.close()
      await Promise.all([metrics.close(), tracing.close()])
    },
    reason => adminApi.app.log.info({ reason }, 'stopping'),
  )
} catch (error) {
  await database?.close()
  console.error(error instanceof SettingsError || error instanceof UnsafeSchemaError ? error.message : error)
  process.exitCode = 1
}

async function bringForward(config: AdminConfig): Promise<void> {
  const url = config.DATABASE_ADMIN_URL ?? config.DATABASE_URL
  await migrate({ url, folder: migrations, waitMs: config.WAIT_FOR_DB * 1_000 })
  await grantLogin(url, decodeURIComponent(new URL(config.DATABASE_URL).username), ['signet_app'])
}
