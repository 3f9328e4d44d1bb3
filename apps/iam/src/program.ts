import { prepareDatabase } from '@signet/db/prepare-database'
import { runProgram } from '@signet/http/run-program'
import { readConfig, toIamOptions } from './config.ts'
import { letHashesFinish } from './scheduling.ts'

const load = () => Promise.all([import('@signet/db'), import('@signet/http'), import('./index.ts')])

await runProgram({
  name: 'iam',
  readConfig,
  prepare: prepareDatabase,
  load,
  serve: async (config, sight, resources) => {
    letHashesFinish()
    const [{ openDatabase }, { watchPool }, { startIam }] = await load()
    const { DATABASE_URL: url, DATABASE_ADMIN_URL: directUrl } = config
    const database = openDatabase({ url, directUrl, applicationName: 'signet-iam' })
    resources.defer(() => database.close())
    watchPool(sight.metrics, database.pool.load)
    const iam = await startIam({ database, ...toIamOptions(config), ...sight })
    resources.defer(() => iam.stop())
  },
})
