import { openDatabase, waitForDatabase } from '@signet/db'
import { loadEnvironment, loggerOptions, openMetrics, stopOnSignal, watchPool } from '@signet/http'
import { SettingsError } from '@signet/kernel'
import { readConfig } from './config.ts'
import { startPlaces } from './index.ts'

try {
  const config = readConfig(loadEnvironment(process.argv.slice(2)))
  await waitForDatabase(config.DATABASE_URL, config.WAIT_FOR_DB * 1000)
  const database = openDatabase({ url: config.DATABASE_URL, applicationName: 'signet-places' })
  const metrics = await openMetrics(config.HOST, config.METRICS_PORT)
  watchPool(metrics.of('places'), database.pool.load)
  const places = await startPlaces({
    database,
    metrics: metrics.of('places'),
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
      await metrics.close()
    },
    reason => places.app.log.info({ reason }, 'stopping'),
  )
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exitCode = 1
}
