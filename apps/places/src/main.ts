import { prepareDatabase } from '@signet/db/prepare-database'
import { runProgram } from '@signet/http/run-program'
import { readConfig } from './config.ts'

await runProgram({
  name: 'places',
  readConfig,
  prepare: config => prepareDatabase(config),
  serve: async (config, logger, resources) => {
    const [{ openDatabase }, { startPlaces }] = await Promise.all([import('@signet/db'), import('./index.ts')])
    const database = openDatabase({ url: config.DATABASE_URL, applicationName: 'signet-places' })
    resources.defer(() => database.close())
    const places = await startPlaces({
      database,
      host: config.HOST,
      port: config.PLACES_PORT,
      issuer: config.ISSUER,
      audience: config.AUDIENCE,
      trustProxy: config.TRUST_PROXY,
      compat: new Set(config.COMPAT),
      logger,
    })
    resources.defer(() => places.stop())
  },
})
