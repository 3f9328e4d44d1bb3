/** The only reader of the environment: the settings of the programs that start here, and where they keep things. */
import { resolve } from 'node:path'
import { imageSettings, readStorage, replicaSettings, serviceSettings } from '@signet/admin-api/config'
import { findFaults, iamSettings } from '@signet/iam/config'
import { integer, list, origin, readSettings, SettingsError, type SettingsOf } from '@signet/kernel'

const port = (fallback: number) => integer(fallback, [1, 65_535])

// The issuer's are ours too, but for what belongs to a program that runs alone: its alias of the port, and whether to migrate.
const { RUN_MIGRATIONS: _migrations, ...ofIssuer } = iamSettings
const settings = {
  ...ofIssuer,
  ...imageSettings,
  ...serviceSettings,
  ...replicaSettings,
  IAM_PORT: port(4000),
  ADMIN_PORT: port(4001),
  PLACES_PORT: port(4002),
}

export type StandaloneConfig = Omit<SettingsOf<typeof settings>, 'ISSUER'> & { readonly ISSUER: string }

type Environment = Readonly<Record<string, string | undefined>>

/** Folders become absolute. @throws SettingsError with every fault */
export function readConfig(environment: Environment): StandaloneConfig {
  const given = readSettings(settings, environment)
  const ports = [given.IAM_PORT, given.ADMIN_PORT, given.PLACES_PORT, given.METRICS_PORT].filter(Boolean)
  const faults = [...findFaults(given), ...readStorage(given).faults]
  if (new Set(ports).size < ports.length)
    faults.push('IAM_PORT, ADMIN_PORT, PLACES_PORT and METRICS_PORT have to differ.')
  if (given.DATABASE_ADMIN_URL !== undefined && given.DATABASE_URL === undefined) {
    faults.push('DATABASE_ADMIN_URL stands alone: set DATABASE_URL as well, or neither of them.')
  }
  if (given.WORKER_COUNT > 1) {
    faults.push('WORKER_COUNT is for programs that are started each by itself: here all of them share one process.')
  }
  if (faults.length > 0) throw new SettingsError(faults)
  return {
    ...given,
    SIGNET_HOME: resolve(given.SIGNET_HOME),
    SIGNET_KEYS: resolve(given.SIGNET_KEYS),
    ISSUER: given.ISSUER ?? `http://localhost:${given.IAM_PORT}`,
  }
}

const gatewaySettings = {
  ADMIN_URL: origin(undefined),
  ADMIN_PORT: port(4001),
  INTERNAL_SERVICE_API_KEY: list([], 'INTERNAL_AUTH_TOKEN'),
}

/** Of `pnpm gateway`: whom it asks, and by which key. @throws SettingsError with every fault */
export function readGatewayConfig(environment: Environment): { readonly url: string; readonly key: string } {
  const { ADMIN_URL, ADMIN_PORT, INTERNAL_SERVICE_API_KEY } = readSettings(gatewaySettings, environment)
  const [key] = INTERNAL_SERVICE_API_KEY
  if (key === undefined) throw new SettingsError(['INTERNAL_SERVICE_API_KEY is missing: the map is read with it.'])
  return { url: ADMIN_URL ?? `http://localhost:${ADMIN_PORT}`, key }
}

/** Does npm, npx or pnpm say that it runs this process as a script? */
export function isRunAsScript(environment: Environment): boolean {
  return environment['npm_lifecycle_event'] !== undefined
}
