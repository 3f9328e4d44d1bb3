import {
  databaseUrl,
  databaseWait,
  integer,
  list,
  oneOf,
  origin,
  readSettings,
  replacedSystems,
  type Setting,
  SettingsError,
  type SettingsOf,
  someOf,
  text,
} from '@signet/kernel'
import { logFormats, logLevels } from '@signet/http/logging'

const spec = {
  HOST: text('127.0.0.1'),
  PLACES_PORT: integer(4002, [0, 65_535], 'PORT'),
  IAM_PORT: integer(4000, [1, 65_535]),
  METRICS_PORT: integer(undefined, [1, 65_535]),
  ISSUER: origin(undefined),
  AUDIENCE: text('signet'),
  DATABASE_URL: databaseUrl(),
  WAIT_FOR_DB: databaseWait(),
  TRUST_PROXY: list([]),
  COMPAT: someOf(replacedSystems),
  WORKER_COUNT: integer(1, [1, 1_024]),
  LOG_LEVEL: oneOf(logLevels, 'info'),
  LOG_FORMAT: oneOf(logFormats, 'auto'),
  OTEL_EXPORTER_OTLP_ENDPOINT: origin(undefined),
} satisfies Record<string, Setting<unknown>>

export type PlacesConfig = Omit<SettingsOf<typeof spec>, 'DATABASE_URL' | 'ISSUER'> & {
  readonly DATABASE_URL: string
  readonly ISSUER: string
}

/** @throws SettingsError with every fault */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): PlacesConfig {
  const settings = readSettings(spec, environment)
  const { DATABASE_URL, ISSUER = `http://localhost:${settings.IAM_PORT}` } = settings
  if (DATABASE_URL === undefined) {
    throw new SettingsError([
      'DATABASE_URL is missing: where the map directory is kept, e.g. postgres://login@host:5432/signet.',
    ])
  }
  return { ...settings, DATABASE_URL, ISSUER }
}
