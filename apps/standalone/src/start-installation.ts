/**
 * One process, one machine: database, first administrator, the three programs. What was started goes to `resources`, which
 * stops it in the opposite order.
 */
import { join } from 'node:path'
import { openMetrics, openTracing, watchPool } from '@signet/http'
import { type Addresses, addressOf } from './addresses.ts'
import type { StandaloneConfig } from './config.ts'
import { provideDatabase } from './database.ts'
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
  const { HOST: host, IAM_PORT, ADMIN_PORT, PLACES_PORT, METRICS_PORT } = config
  await assertPortsFree([
    { setting: 'IAM_PORT', host, port: IAM_PORT },
    { setting: 'ADMIN_PORT', host, port: ADMIN_PORT },
    { setting: 'PLACES_PORT', host, port: PLACES_PORT },
    ...(METRICS_PORT === undefined ? [] : [{ setting: 'METRICS_PORT', host, port: METRICS_PORT }]),
  ])
  const addresses: Addresses = {
    iam: addressOf(host, IAM_PORT),
    admin: addressOf(host, ADMIN_PORT),
    places: addressOf(host, PLACES_PORT),
  }
  // Reading the programs' code takes as long as making a database: both at once.
  const loading = Promise.all([import('./modules/first-admin/index.ts'), import('./start-programs.ts')])
  // What goes wrong in it is told where it is awaited.
  loading.catch(() => undefined)
  const database = await provideDatabase(config, resources, step)
  const [{ ensureFirstAdmin }, { startPrograms }] = await loading
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
  const metrics = await openMetrics(host, METRICS_PORT)
  resources.defer(() => metrics.close())
  const tracing = await openTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT)
  resources.defer(() => tracing.close())
  watchPool(metrics.of('standalone'), database.pool.load)
  await startPrograms({ config, database, metrics, tracing, addresses, resources, step })
  return { addresses, adminFile: admin === undefined ? undefined : path }
}
