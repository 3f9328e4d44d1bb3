/** The only reader of the environment: the settings of the programs that start here, and where they keep things. */
import { resolve } from 'node:path'
import { logFormats, logLevels } from '@signet/http'
import {
  integer,
  list,
  oneOf,
  origin,
  postgresUrl,
  readSettings,
  type Setting,
  SettingsError,
  type SettingsOf,
  text,
} from '@signet/kernel'

const port = (fallback: number) => integer(fallback, [1, 65_535])

const settings = {
  SIGNET_ENV: oneOf(['local', 'test', 'staging', 'production'], 'local', 'ENV', 'FLASK_ENV'),
  SIGNET_HOME: text('.signet'),
  SIGNET_KEYS: text('keys'),
  HOST: text('127.0.0.1'),
  IAM_PORT: port(4000),
  ADMIN_PORT: port(4001),
  PLACES_PORT: port(4002),
  ISSUER: origin(undefined),
  AUDIENCE: text('signet'),
  DEFAULT_TENANT: text(undefined),
  TRUST_PROXY: list([]),
  ACCESS_TOKEN_TTL: integer(900, [1, 86_400]),
  REFRESH_TOKEN_TTL: integer(432_000, [1, 2_592_000]),
  TOKEN_PERMISSIONS_MAX_BYTES: integer(2_048, [0, 16_384]),
  PASSWORD_MIN_LENGTH: integer(8, [8, 64]),
  DATABASE_URL: postgresUrl('POSTGRES_URI', 'SQLALCHEMY_DATABASE_URI', 'POSTGRES_CONNECTION_STRING'),
  DATABASE_ADMIN_URL: postgresUrl(),
  WAIT_FOR_DB: integer(30, [0, 3_600]),
  WORKER_COUNT: integer(1, [1, 1_024]),
  LOG_LEVEL: oneOf(logLevels, 'info'),
  LOG_FORMAT: oneOf(logFormats, 'auto'),
} satisfies Record<string, Setting<unknown>>

export type StandaloneConfig = Omit<SettingsOf<typeof settings>, 'ISSUER'> & { readonly ISSUER: string }

type Environment = Readonly<Record<string, string | undefined>>

/** Folders become absolute. @throws SettingsError with every fault */
export function readConfig(environment: Environment): StandaloneConfig {
  const given = readSettings(settings, environment)
  const ports = [given.IAM_PORT, given.ADMIN_PORT, given.PLACES_PORT]
  const faults: string[] = []
  if (new Set(ports).size < ports.length) faults.push('IAM_PORT, ADMIN_PORT and PLACES_PORT have to differ.')
  if (given.DATABASE_ADMIN_URL !== undefined && given.DATABASE_URL === undefined) {
    faults.push('DATABASE_ADMIN_URL stands alone: set DATABASE_URL as well, or neither of them.')
  }
  if (faults.length > 0) throw new SettingsError(faults)
  return {
    ...given,
    SIGNET_HOME: resolve(given.SIGNET_HOME),
    SIGNET_KEYS: resolve(given.SIGNET_KEYS),
    ISSUER: given.ISSUER ?? `http://localhost:${given.IAM_PORT}`,
  }
}

/** Does npm, npx or pnpm say that it runs this process as a script? */
export function isRunAsScript(environment: Environment): boolean {
  return environment['npm_lifecycle_event'] !== undefined
}
