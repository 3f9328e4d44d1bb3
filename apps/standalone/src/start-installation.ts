/**
 * One process, one machine: database, first administrator, and the three programs by their doors. What was started goes to
 * `resources`, which stops it in the opposite order.
 */
import { join } from 'node:path'
import { startAdminApi } from '@signet/admin-api'
import { loggerOptions, type Program } from '@signet/http'
import { startIam } from '@signet/iam'
import { startPlaces } from '@signet/places'
import { type Addresses, addressOf } from './addresses.ts'
import type { StandaloneConfig } from './config.ts'
import { provideDatabase } from './database.ts'
import { ensureFirstAdmin } from './modules/first-admin/index.ts'
import { assertPortsFree } from './ports.ts'
import type { Step } from './steps.ts'

export interface Installation {
  readonly addresses: Addresses
  /** Holds the first administrator; undefined when others initialised the installation: then we know no password. */
  readonly adminFile: string | undefined
}

/** The company that an installation begins with, where no setting names one. */
const companySlug = 'acme'

/** @throws Error that says what is in the way; what has been started by then is in `resources` */
export async function startInstallation(
  config: StandaloneConfig,
  resources: AsyncDisposableStack,
  step: Step,
): Promise<Installation> {
  const { HOST: host, IAM_PORT, ADMIN_PORT, PLACES_PORT } = config
  await assertPortsFree([
    { setting: 'IAM_PORT', host, port: IAM_PORT },
    { setting: 'ADMIN_PORT', host, port: ADMIN_PORT },
    { setting: 'PLACES_PORT', host, port: PLACES_PORT },
  ])
  const addresses: Addresses = {
    iam: addressOf(host, IAM_PORT),
    admin: addressOf(host, ADMIN_PORT),
    places: addressOf(host, PLACES_PORT),
  }
  const database = await provideDatabase(config, resources, step)
  const path = join(config.SIGNET_HOME, 'first-admin.json')
  const admin = await step(
    found =>
      found === undefined ? 'administrator was made elsewhere' : `administrator ${found.email}, password in ${path}`,
    () =>
      ensureFirstAdmin({
        database,
        path,
        slug: config.DEFAULT_TENANT ?? companySlug,
        passwordMinLength: config.PASSWORD_MIN_LENGTH,
        addresses,
      }),
  )
  await startPrograms({ config, database, addresses, resources, step })
  return { addresses, adminFile: admin === undefined ? undefined : path }
}

interface Programs {
  readonly config: StandaloneConfig
  readonly database: Awaited<ReturnType<typeof provideDatabase>>
  readonly addresses: Addresses
  readonly resources: AsyncDisposableStack
  readonly step: Step
}

async function startPrograms({ config, database, addresses, resources, step }: Programs): Promise<void> {
  const { AUDIENCE: audience, HOST: host, ISSUER: issuer, SIGNET_ENV: environment, SIGNET_KEYS: keysFolder } = config
  const { PASSWORD_MIN_LENGTH: passwordMinLength, TRUST_PROXY: trustProxy, WORKER_COUNT: workerCount } = config
  const started: Program[] = []
  const start = async (name: string, address: string, open: () => Promise<Program>) => {
    const program = await step(`${name} listens at ${address}`, open)
    resources.defer(() => program.stop())
    started.push(program)
  }
  // Each says in a step that it listens: its log begins after that.
  const shared = (name: string) => {
    const logger = loggerOptions('warn', config.LOG_FORMAT, name)
    return { database, host, trustProxy, logger }
  }
  // The issuer may be a public address that this machine itself cannot reach.
  const keysUri = `${addresses.iam}/.well-known/jwks.json`
  const rules = { environment, keysFolder, passwordMinLength, workerCount }
  const tokens = {
    issuer,
    audience,
    accessTokenTtlSeconds: config.ACCESS_TOKEN_TTL,
    refreshTokenTtlSeconds: config.REFRESH_TOKEN_TTL,
    permissionsMaxBytes: config.TOKEN_PERMISSIONS_MAX_BYTES,
  }
  const { IAM_PORT, ADMIN_PORT, PLACES_PORT, DEFAULT_TENANT: defaultTenant, SETUP_TOKEN: setupToken } = config
  await start('iam', addresses.iam, () =>
    startIam({ ...shared('iam'), ...rules, port: IAM_PORT, tokens, defaultTenant }),
  )
  await start('admin-api', addresses.admin, () =>
    startAdminApi({ ...shared('admin-api'), ...rules, port: ADMIN_PORT, issuer, audience, keysUri, setupToken }),
  )
  await start('places', addresses.places, () =>
    startPlaces({ ...shared('places'), port: PLACES_PORT, issuer, audience, keysUri }),
  )
  for (const { app } of started) app.log.level = config.LOG_LEVEL
}
