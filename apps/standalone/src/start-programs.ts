/** The three programs, each by its door. */
import { startAdminApi } from '@signet/admin-api'
import { readStorage } from '@signet/admin-api/config'
import { type Database, openDatabase } from '@signet/db'
import { loggerOptions, type MetricsListener, type Program, type Tracing } from '@signet/http'
import { startIam } from '@signet/iam'
import { toIamOptions } from '@signet/iam/config'
import { startPlaces } from '@signet/places'
import type { Addresses } from './addresses.ts'
import type { StandaloneConfig } from './config.ts'
import type { Step } from './steps.ts'

export interface ProgramsOptions {
  readonly config: StandaloneConfig
  readonly database: Database
  readonly metrics: MetricsListener
  readonly tracing: Tracing
  readonly addresses: Addresses
  readonly resources: AsyncDisposableStack
  readonly step: Step
}

/** Resolves when all listen; `resources` stops them. */
export async function startPrograms({
  config,
  database,
  metrics,
  tracing,
  addresses,
  resources,
  step,
}: ProgramsOptions): Promise<void> {
  const { AUDIENCE: audience, ISSUER: issuer, DATABASE_REPLICA_URL: replicaUrl } = config
  const replica = replicaUrl === undefined ? undefined : openDatabase({ url: replicaUrl })
  resources.defer(() => replica?.close())
  // The issuer may be a public address that this machine itself cannot reach.
  const keysUri = `${addresses.iam}/.well-known/jwks.json`
  // Each says in its step that it listens: its log begins after that.
  const shared = (name: string) => ({
    database,
    metrics: metrics.of(name),
    tracer: tracing.of(name),
    host: config.HOST,
    trustProxy: config.TRUST_PROXY,
    compat: new Set(config.COMPAT),
    logger: loggerOptions('warn', config.LOG_FORMAT, name),
  })
  const rules = {
    environment: config.SIGNET_ENV,
    keysFolder: config.SIGNET_KEYS,
    passwordMinLength: config.PASSWORD_MIN_LENGTH,
    workerCount: config.WORKER_COUNT,
  }
  const programs: readonly (readonly [name: string, address: string, start: () => Promise<Program>])[] = [
    ['iam', addresses.iam, () => startIam({ ...toIamOptions(config), ...shared('iam') })],
    [
      'admin-api',
      addresses.admin,
      () =>
        startAdminApi({
          ...shared('admin-api'),
          ...rules,
          replica,
          port: config.ADMIN_PORT,
          allowedOrigins: config.CORS_ORIGINS,
          issuer,
          audience,
          keysUri,
          sendsEvents: config.ENG_ANALYTICS_URL !== undefined,
          // It is initialised by now: a setup token would open nothing.
          setupToken: undefined,
          addresses,
          cookies: { domain: config.COOKIE_DOMAIN, prefix: config.COOKIE_PREFIX },
          serviceKeys: config.INTERNAL_SERVICE_API_KEY,
          storage: readStorage(config).settings,
          maxImageMegabytes: config.MAX_AVATAR_SIZE_MB,
          serviceUrls: config['ENG_<NAME>_URL'],
        }),
    ],
    [
      'places',
      addresses.places,
      () => startPlaces({ ...shared('places'), port: config.PLACES_PORT, issuer, audience, keysUri }),
    ],
  ]
  for (const [name, address, start] of programs) {
    const program = await step(`${name} listens at ${address}`, start)
    resources.defer(() => program.stop())
    program.app.log.level = config.LOG_LEVEL
  }
}
