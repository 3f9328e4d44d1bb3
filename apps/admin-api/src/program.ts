import { prepareDatabase } from '@signet/db/prepare-database'
import { runProgram } from '@signet/http/run-program'
import { readConfig, readStorage } from './config.ts'

const load = () => Promise.all([import('@signet/db'), import('@signet/http'), import('./index.ts')])

await runProgram({
  name: 'admin-api',
  readConfig,
  prepare: prepareDatabase,
  load,
  serve: async (config, sight, resources) => {
    const [{ openDatabase }, { watchPool }, { startAdminApi }] = await load()
    const database = openDatabase({ url: config.DATABASE_URL, applicationName: 'signet-admin-api' })
    resources.defer(() => database.close())
    watchPool(sight.metrics, database.pool.load)
    const { DATABASE_REPLICA_URL: replicaUrl } = config
    const replica = replicaUrl === undefined ? undefined : openDatabase({ url: replicaUrl })
    resources.defer(() => replica?.close())
    const adminApi = await startAdminApi({
      database,
      replica,
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
      ...sight,
    })
    resources.defer(() => adminApi.stop())
  },
})
