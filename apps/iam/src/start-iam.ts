import { createSecretKey } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { createHasher } from '@signet/accounts'
import { assertKnownSecret, assertSafeSchema, type Database } from '@signet/db'
import { createOutbox, type DeliverySettings, openTransports, startWorker } from '@signet/delivery'
import {
  type LimitSettings,
  loadInstallationSecret,
  type Program,
  type ServerOptions,
  silentMetrics,
  startProgram,
  watchHashing,
} from '@signet/http'
import { type Clock, deriveKey, type ReplacedSystem, systemClock } from '@signet/kernel'
import { buildApp } from './app.ts'
import { type CodeSettings, type CookieSettings, type Deps, longestTokenTtl, type TokenSettings } from './deps.ts'
import { createCounts, watchKeys, watchOutbox } from './metrics.ts'
import { openSigningKeys } from './modules/keys/index.ts'
import { startRetention } from './modules/retention/index.ts'
import { createRefreshTokens } from './refresh-token.ts'
import { createUnansweredRefreshes } from './unanswered-refreshes.ts'

export interface IamOptions extends ServerOptions {
  /** Its login may become `signet_app`. Closing it stays with the caller. */
  readonly database: Database
  /** `production` and `staging` refuse a database login that passes over row-level security. */
  readonly environment: string
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Holds the signing keys and the secret; both are made where there are none. */
  readonly keysFolder: string
  readonly tokens: TokenSettings
  readonly codes: CodeSettings
  readonly cookies: CookieSettings
  readonly limits: LimitSettings
  readonly serviceKeys: readonly string[]
  readonly adminEmail: string | undefined
  readonly sendsEvents: boolean
  readonly delivery: DeliverySettings
  /** How many days an audit event is kept at least. */
  readonly auditRetentionDays: number
  readonly passwordMinLength: number
  readonly defaultTenant: string | undefined
  /** The older systems whose callers are served. */
  readonly compat: ReadonlySet<ReplacedSystem>
  /** Processes that share the cores of this machine. */
  readonly workerCount: number
}

/** Jobs of about 20 ms that one lane does in a second: whoever would wait longer is told to come back. */
const queuedJobsPerLane = 50

/**
 * Checks the database, opens the keys, builds the app and listens.
 * @throws UnsafeSchemaError, UnknownSecretError, KeyFolderError
 */
export async function startIam(options: IamOptions, clock: Clock = systemClock): Promise<Program> {
  const { database, keysFolder, tokens, host, port, metrics = silentMetrics } = options
  await assertSafeSchema(database, { environment: options.environment })
  const secret = await loadInstallationSecret(keysFolder)
  // Before a key is made in a folder that is the wrong one.
  await assertKnownSecret(database, deriveKey(secret, 'mark'), keysFolder)
  const signingKeys = await openSigningKeys({
    folder: keysFolder,
    tokenLifeMs: longestTokenTtl(options) * 1_000,
    clock,
  })
  const lanes = Math.max(1, Math.floor(availableParallelism() / options.workerCount))
  const deps: Deps = {
    database,
    signingKeys,
    refreshTokens: createRefreshTokens(secret),
    unanswered: createUnansweredRefreshes(clock),
    hasher: createHasher({ maxConcurrent: lanes, queueLimit: lanes * queuedJobsPerLane }),
    clock,
    counts: createCounts(metrics),
    tokens,
    passwordMinLength: options.passwordMinLength,
    defaultTenant: options.defaultTenant,
    keys: {
      cursor: deriveKey(secret, 'cursor'),
      code: createSecretKey(deriveKey(secret, 'code')),
      subject: createSecretKey(deriveKey(secret, 'subject')),
      device: createSecretKey(deriveKey(secret, 'device')),
      serviceKey: deriveKey(secret, 'service-key'),
    },
    outbox: createOutbox(deriveKey(secret, 'outbox')),
    codes: options.codes,
    cookies: options.cookies,
    limits: options.limits,
    serviceKeys: options.serviceKeys,
    adminEmail: options.adminEmail,
    sendsEvents: options.sendsEvents,
    compat: options.compat,
  }
  watchHashing(metrics, deps.hasher.load)
  watchKeys(metrics, signingKeys, clock)
  watchOutbox(metrics, database)
  const { logger, trustProxy, allowedOrigins = [], tracer } = options
  const app = await buildApp({ ...deps, logger, trustProxy, allowedOrigins, metrics, tracer })
  signingKeys.onFault(error =>
    app.log.error({ err: error }, 'the signing keys cannot be read again: those read before serve on'),
  )
  app.addHook('onClose', async () => signingKeys.close())
  try {
    const transports = await openTransports(options.delivery, clock)
    const program = await startProgram(app, { host, port })
    const { outbox, counts } = deps
    const worker = startWorker({ database, outbox, transports, log: app.log, onAttempt: counts.delivered })
    const retention = startRetention({ database, auditDays: options.auditRetentionDays, log: app.log })
    // At once: none waits out its grace before the others begin.
    return {
      ...program,
      stop: async () => void (await Promise.all([program.stop(), worker.stop(), retention.stop()])),
    }
  } catch (error) {
    await app.close()
    throw error
  }
}
