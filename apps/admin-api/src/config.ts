/** The only reader of the environment. */
import { logFormats, logLevels } from '@signet/http/logging'
import {
  databaseUrl,
  databaseWait,
  domain,
  environmentName,
  findWeakSecret,
  flag,
  integer,
  list,
  oneOf,
  origin,
  pageOrigins,
  postgresUrl,
  readSettings,
  replacedSystems,
  serviceUrls,
  type Setting,
  type SettingFamily,
  SettingsError,
  type SettingsOf,
  someOf,
  text,
} from '@signet/kernel'
import { imageSettings, readStorage } from './image-settings.ts'

export { imageSettings, readStorage } from './image-settings.ts'

/** Services whose answers stand on an advisor's dashboard. */
export const serviceSettings = { 'ENG_<NAME>_URL': serviceUrls() }

/** A copy of the database that may lag. */
export const replicaSettings = { DATABASE_REPLICA_URL: postgresUrl() }

const settings = {
  ...imageSettings,
  ...serviceSettings,
  SIGNET_ENV: environmentName(),
  SIGNET_KEYS: text('keys'),
  HOST: text('127.0.0.1'),
  ADMIN_PORT: integer(4001, [1, 65_535], 'PORT'),
  IAM_PORT: integer(4000, [1, 65_535]),
  PLACES_PORT: integer(4002, [1, 65_535]),
  METRICS_PORT: integer(undefined, [1, 65_535]),
  IAM_URL: origin(undefined),
  ADMIN_URL: origin(undefined),
  PLACES_URL: origin(undefined),
  ISSUER: origin(undefined),
  AUDIENCE: text('signet'),
  CORS_ORIGINS: pageOrigins(),
  TRUST_PROXY: list([]),
  COMPAT: someOf(replacedSystems),
  COOKIE_DOMAIN: domain(),
  COOKIE_PREFIX: oneOf(['', '__Host-'], ''),
  PASSWORD_MIN_LENGTH: integer(8, [8, 64]),
  SETUP_TOKEN: text(undefined),
  INTERNAL_SERVICE_API_KEY: list([], 'INTERNAL_AUTH_TOKEN'),
  ENG_ANALYTICS_URL: origin(undefined),
  DATABASE_URL: databaseUrl(),
  DATABASE_ADMIN_URL: postgresUrl(),
  ...replicaSettings,
  RUN_MIGRATIONS: flag(false),
  WAIT_FOR_DB: databaseWait(),
  WORKER_COUNT: integer(1, [1, 1_024]),
  LOG_LEVEL: oneOf(logLevels, 'info'),
  LOG_FORMAT: oneOf(logFormats, 'auto'),
  OTEL_EXPORTER_OTLP_ENDPOINT: origin(undefined),
} satisfies Record<string, Setting<unknown> | SettingFamily<unknown>>

export type AdminConfig = Omit<SettingsOf<typeof settings>, 'DATABASE_URL' | 'ISSUER'> & {
  readonly DATABASE_URL: string
  readonly ISSUER: string
}

/** @throws SettingsError with every fault */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): AdminConfig {
  const { DATABASE_URL, ISSUER, ...rest } = readSettings(settings, environment)
  // Whoever guesses the setup token of an installation that is not initialised owns it.
  const faults = findWeakSecret('SETUP_TOKEN', rest.SETUP_TOKEN, rest.SIGNET_ENV)
  const ofKeys = rest.INTERNAL_SERVICE_API_KEY.flatMap(key =>
    findWeakSecret('INTERNAL_SERVICE_API_KEY', key, rest.SIGNET_ENV),
  )
  faults.push(...new Set(ofKeys), ...readStorage(rest).faults)
  if (DATABASE_URL === undefined) {
    faults.push('DATABASE_URL is missing: where people are kept, e.g. postgres://login@host:5432/signet.')
  }
  if (DATABASE_URL === undefined || faults.length > 0) throw new SettingsError(faults)
  return { ...rest, DATABASE_URL, ISSUER: ISSUER ?? `http://localhost:${rest.IAM_PORT}` }
}

const commandSettings = {
  SIGNET_HOME: text('.signet'),
  SIGNET_TOKEN: text(undefined),
} satisfies Record<string, Setting<unknown>>

/** Of `pnpm admin`. @throws SettingsError with every fault */
export function readCommandConfig(
  environment: Readonly<Record<string, string | undefined>>,
): SettingsOf<typeof commandSettings> {
  return readSettings(commandSettings, environment)
}
