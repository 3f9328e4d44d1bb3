/** The only reader of the environment. */
import { logFormats, logLevels } from '@signet/http'
import {
  flag,
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

const environments = ['local', 'test', 'staging', 'production'] as const

const keySettings = {
  SIGNET_KEYS: text('keys'),
  // An access token cannot be taken back before it expires: a day is the longest that can be borne.
  ACCESS_TOKEN_TTL: integer(900, [1, 86_400]),
} satisfies Record<string, Setting<unknown>>

const settings = {
  ...keySettings,
  SIGNET_ENV: oneOf(environments, 'local', 'ENV', 'FLASK_ENV'),
  HOST: text('127.0.0.1'),
  IAM_PORT: integer(4000, [1, 65_535], 'PORT'),
  ISSUER: origin(undefined),
  AUDIENCE: text('signet'),
  DEFAULT_TENANT: text(undefined),
  TRUST_PROXY: list([]),
  REFRESH_TOKEN_TTL: integer(432_000, [1, 2_592_000]),
  TOKEN_PERMISSIONS_MAX_BYTES: integer(2_048, [0, 16_384]),
  PASSWORD_MIN_LENGTH: integer(8, [8, 64]),
  DATABASE_URL: postgresUrl('POSTGRES_URI', 'SQLALCHEMY_DATABASE_URI', 'POSTGRES_CONNECTION_STRING'),
  DATABASE_ADMIN_URL: postgresUrl(),
  RUN_MIGRATIONS: flag(false),
  WAIT_FOR_DB: integer(30, [0, 3_600]),
  WORKER_COUNT: integer(1, [1, 1_024]),
  LOG_LEVEL: oneOf(logLevels, 'info'),
  LOG_FORMAT: oneOf(logFormats, 'auto'),
} satisfies Record<string, Setting<unknown>>

type Environment = Readonly<Record<string, string | undefined>>

export type IamConfig = Omit<SettingsOf<typeof settings>, 'DATABASE_URL' | 'ISSUER'> & {
  readonly DATABASE_URL: string
  readonly ISSUER: string
}

/** @throws SettingsError with every fault */
export function readConfig(environment: Environment): IamConfig {
  const { DATABASE_URL, ISSUER, ...rest } = readSettings(settings, environment)
  if (DATABASE_URL === undefined) {
    throw new SettingsError(['DATABASE_URL is missing: where people are kept, e.g. postgres://login@host:5432/signet.'])
  }
  return { ...rest, DATABASE_URL, ISSUER: ISSUER ?? `http://localhost:${rest.IAM_PORT}` }
}

/** What `pnpm keys` needs to know. @throws SettingsError with every fault */
export function readKeyConfig(environment: Environment): SettingsOf<typeof keySettings> {
  return readSettings(keySettings, environment)
}
