import { openDatabase, waitForDatabase } from '@signet/db'
import { loadEnvironment, loggerOptions, openMetrics, openTracing, stopOnSignal, watchPool } from '@signet/http'
import { SettingsError } from '@signet/kernel'
import { readConfig } from './config.ts'
import { startPlaces } from './index.ts'

try {
  const config = readConfig(loadEnvironment(process.argv.slice(2)))
  await waitForDatabase(config.DATABASE_URL, config.WAIT_FOR_DB * 1000)
  const database = openDatabase({ url: config.DATABASE_URL, applicationName: 'signet-places' })
  const metrics = await openMetrics(config.HOST, config.METRICS_PORT)
  const tracing = await openTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT)
  watchPool(metrics.of('places'), database.pool.load)
  const places = await startPlaces({
    database,
    metrics: metrics.of('places'),
    tracer: tracing.of('places'),
    host: config.HOST,
    port: config.PLACES_PORT,
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    trustProxy: config.TRUST_PROXY,
    compat: new Set(config.COMPAT),
    logger: loggerOptions(config.LOG_LEVEL, config.LOG_FORMAT, 'places'),
  })
  stopOnSignal(
    async () => {
      await places.stop()
      await database.close()
      await Promise.all([metrics.close(), tracing.close()])
    },
    reason => places.app.log.info({ reason }, 'stopping'),
  )
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exitCode = 1
}
