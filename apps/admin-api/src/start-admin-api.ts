import { availableParallelism } from 'node:os'
import { createHasher } from '@signet/accounts'
import { assertKnownSecret, assertSafeSchema, type Database } from '@signet/db'
import { createOutbox } from '@signet/delivery'
import {
  loadInstallationSecret,
  type Program,
  type ServerOptions,
  silentMetrics,
  startProgram,
  watchHashing,
} from '@signet/http'
import { deriveKey, type ReplacedSystem } from '@signet/kernel'
import { createVerifier } from '@signet/verifier'
import { type AppDeps, buildApp } from './app.ts'
import { accessCookie } from './compat/cookies.ts'
import { createImageConverter } from './imaging/convert.ts'
import { startCollector } from './modules/images/index.ts'
import { createServiceClient } from './service-client.ts'
import { openStorage, type StorageSettings } from './storage/open-storage.ts'
import { version } from './version.ts'

export interface AdminApiOptions extends ServerOptions {
  /** Its login may become `signet_app`. Closing it stays with the caller. */
  readonly database: Database
  /** A copy that may lag, for lists. Closing it stays with the caller. */
  readonly replica?: Database | undefined
  /** `production` and `staging` refuse a database login that passes over row-level security. */
  readonly environment: string
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  readonly issuer: string
  readonly audience: string
  /** Where the issuer's keys are fetched, when that is not at the issuer's own address. */
  readonly keysUri?: string
  /** Holds the installation's secret, which is made where there is none. */
  readonly keysFolder: string
  readonly passwordMinLength: number
  /** Who sends it may initialise the installation from elsewhere. */
  readonly setupToken: string | undefined
  /** Any of them opens what is meant for services. */
  readonly serviceKeys: readonly string[]
  /** Is there a service that takes events? The issuer sends them. */
  readonly sendsEvents: boolean
  /** Where a gateway reaches Signet's own programs. */
  readonly addresses: AppDeps['addresses']
  /** Processes that share the cores of this machine. */
  readonly workerCount: number
  /** Where images are kept. */
  readonly storage: StorageSettings
  readonly maxImageMegabytes: number
  /** Services that advisors' dashboards ask, by their names. They are shown the first of the keys. */
  readonly serviceUrls: Readonly<Record<string, string>>
  /** The older systems whose callers are served. */
  readonly compat: ReadonlySet<ReplacedSystem>
  /** The issuer's, by which browsers that called an older system show who they are. */
  readonly cookies: AppDeps['cookies']
}

/** Jobs of about 20 ms that one lane does in a second: whoever would wait longer is told to come back. */
const queuedJobsPerLane = 50

/**
 * Checks the database, builds the app and listens.
 * @throws UnsafeSchemaError, UnknownSecretError
 */
export async function startAdminApi(options: AdminApiOptions): Promise<Program> {
  const {
    database,
    environment,
    host,
    port,
    issuer,
    audience,
    keysUri,
    trustProxy,
    setupToken,
    metrics = silentMetrics,
  } = options
  await assertSafeSchema(database, { environment })
  const secret = await loadInstallationSecret(options.keysFolder)
  await assertKnownSecret(database, deriveKey(secret, 'mark'), options.keysFolder)
  const lanes = Math.max(1, Math.floor(availableParallelism() / options.workerCount))
  // Who has signed out and who may do what is read from the database, request by request.
  const verifier = createVerifier({
    issuer,
    audience,
    revocation: { mode: 'off' },
    bundles: false,
    cookie: accessCookie(options),
    ...(keysUri === undefined ? {} : { keys: { uri: keysUri } }),
  })
  const storage = await openStorage(options.storage)
  const images = { storage, convert: createImageConverter(), maxMegabytes: options.maxImageMegabytes }
  const services = createServiceClient({ urls: options.serviceUrls, key: options.serviceKeys[0] })
  const hasher = createHasher({ maxConcurrent: lanes, queueLimit: lanes * queuedJobsPerLane })
  watchHashing(metrics, hasher.load)
  const app = await buildApp({
    db: database,
    replica: options.replica,
    images,
    services,
    serviceUrls: options.serviceUrls,
    compat: options.compat,
    cookies: options.cookies,
    hasher,
    passwordMinLength: options.passwordMinLength,
    outbox: createOutbox(deriveKey(secret, 'outbox')),
    sendsEvents: options.sendsEvents,
    setup: { token: setupToken, isLoopbackTrusted: trustProxy.length === 0 },
    keys: {
      cursor: deriveKey(secret, 'cursor'),
      idempotency: deriveKey(secret, 'idempotency'),
      serviceKey: deriveKey(secret, 'service-key'),
    },
    verifier,
    serviceKeys: options.serviceKeys,
    url: options.addresses.admin,
    addresses: options.addresses,
    settings: showSettings(options),
    trustProxy,
    allowedOrigins: options.allowedOrigins ?? [],
    metrics,
    tracer: options.tracer,
    logger: options.logger,
  })
  const stopCollecting = startCollector({ db: database, images }, err =>
    app.log.warn({ err }, 'images that nobody uses could not be removed'),
  )
  app.addHook('onClose', async () => {
    verifier.close()
    await stopCollecting()
    await services.close()
  })
  // A store that is away is no reason not to start: images alone answer 503.
  void storage?.check().catch((err: unknown) => app.log.warn({ err }, 'no image can be kept'))
  return startProgram(app, { host, port })
}

/** By name, so that a setting to come is shown only when somebody has decided that it is no secret. */
function showSettings(options: AdminApiOptions) {
  return {
    version,
    environment: options.environment,
    host: options.host,
    port: options.port,
    issuer: options.issuer,
    audience: options.audience,
    iam_url: options.addresses.iam,
    admin_url: options.addresses.admin,
    places_url: options.addresses.places,
    password_min_length: options.passwordMinLength,
    trust_proxy: options.trustProxy,
    worker_count: options.workerCount,
    storage: options.storage.by,
    services: Object.keys(options.serviceUrls).toSorted(),
    max_avatar_size_mb: options.maxImageMegabytes,
    has_setup_token: options.setupToken !== undefined,
  }
}
