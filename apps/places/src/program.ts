import { prepareDatabase } from '@signet/db/prepare-database'
import { runProgram } from '@signet/http/run-program'
import { readConfig } from './config.ts'

const load = () => Promise.all([import('@signet/db'), import('@signet/http'), import('./index.ts')])

await runProgram({
  name: 'places',
  readConfig,
  prepare: prepareDatabase,
  load,
  serve: async (config, sight, resources) => {
    const [{ openDatabase }, { watchPool }, { startPlaces }] = await load()
    const database = openDatabase({ url: config.DATABASE_URL, applicationName: 'signet-places' })
    resources.defer(() => database.close())
    watchPool(sight.metrics, database.pool.load)
    const places = await startPlaces({
      database,
      host: config.HOST,
      port: config.PLACES_PORT,
      issuer: config.ISSUER,
      audience: config.AUDIENCE,
      trustProxy: config.TRUST_PROXY,
      compat: new Set(config.COMPAT),
      ...sight,
    })
    resources.defer(() => places.stop())
  },
})
