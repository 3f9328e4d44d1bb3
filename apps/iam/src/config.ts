/** The only reader of the environment. */
import { logFormats, logLevels } from '@signet/http/logging'
import {
  accessTokenTtl,
  databaseUrl,
  databaseWait,
  domain,
  emailTransport,
  environmentName,
  findWeakSecret,
  flag,
  integer,
  list,
  mailAddress,
  oneOf,
  origin,
  pageOrigins,
  postgresUrl,
  readSettings,
  redisUrl,
  refreshTokenTtl,
  replacedSystems,
  type Setting,
  SettingsError,
  type SettingsOf,
  someOf,
  text,
} from '@signet/kernel'
import { claimAliases } from './claim-aliases.ts'
import { longestTokenTtl } from './deps.ts'
import { type DeliveryConfig, readDelivery } from './delivery-settings.ts'

const keySettings = {
  SIGNET_KEYS: text('keys'),
  ACCESS_TOKEN_TTL: accessTokenTtl(),
  // Of the tokens of chat-auth alone, which nobody can refresh.
  ACCESS_TOKEN_EXPIRE_MINUTES: integer(30, [1, 1_440]),
  COMPAT: someOf(replacedSystems),
} satisfies Record<string, Setting<unknown>>

/** Everything that the issuer reads. Whoever starts it beside other programs reads it together with theirs. */
export const iamSettings = {
  ...keySettings,
  SIGNET_HOME: text('.signet'),
  SIGNET_ENV: environmentName(),
  HOST: text('127.0.0.1'),
  IAM_PORT: integer(4000, [1, 65_535], 'PORT'),
  METRICS_PORT: integer(undefined, [1, 65_535]),
  ISSUER: origin(undefined),
  AUDIENCE: text('signet'),
  DEFAULT_TENANT: text(undefined),
  CORS_ORIGINS: pageOrigins(),
  TRUST_PROXY: list([]),
  REFRESH_TOKEN_TTL: refreshTokenTtl(),
  TOKEN_PERMISSIONS_MAX_BYTES: integer(256, [0, 16_384]),
  ACCESS_TOKEN_CLAIM_ALIASES: claimAliases(),
  PASSWORD_MIN_LENGTH: integer(8, [8, 64]),
  OTP_TTL_MIN: integer(10, [1, 60]),
  PASSWORD_RESET_OTP_TTL_MINUTES: integer(15, [1, 60]),
  PASSWORD_RESET_OTP_MAX_ATTEMPTS: integer(3, [1, 10]),
  COOKIE_SECURE: flag(false),
  COOKIE_DOMAIN: domain(),
  COOKIE_PREFIX: oneOf(['', '__Host-'], ''),
  INTERNAL_SERVICE_API_KEY: list([], 'INTERNAL_AUTH_TOKEN'),
  ADMIN_EMAIL: mailAddress(),
  SENDER_EMAIL: text(undefined, 'MAIL_DEFAULT_SENDER'),
  EMAIL_TRANSPORT: emailTransport(),
  MAIL_SERVER: text(undefined),
  MAIL_PORT: integer(undefined, [1, 65_535]),
  MAIL_USE_TLS: flag(false),
  MAIL_USE_SSL: flag(false),
  MAIL_USERNAME: text(undefined),
  MAIL_PASSWORD: text(undefined),
  MAIL_MAX_EMAILS: integer(100, [1, 10_000]),
  AWS_REGION: text(undefined),
  SES_SMTP_USERNAME: text(undefined),
  SES_SMTP_PASSWORD: text(undefined),
  SMS_TRANSPORT: oneOf(['file', 'fast2sms', 'twilio', 'webhook'], 'file'),
  FAST2SMS_API_KEY: text(undefined),
  FAST2SMS_SENDER_ID: text(undefined),
  FAST2SMS_TEMPLATE_ID: text(undefined),
  TWILIO_ACCOUNT_SID: text(undefined),
  TWILIO_AUTH_TOKEN: text(undefined),
  TWILIO_FROM: text(undefined),
  SMS_WEBHOOK_URL: origin(undefined),
  SMS_WEBHOOK_SECRET: text(undefined),
  ENG_ANALYTICS_URL: origin(undefined),
  // The least is what the database allows.
  AUDIT_RETENTION_DAYS: integer(400, [30, 36_500]),
  REDIS_URL: redisUrl('RATELIMIT_STORAGE_URI'),
  DATABASE_URL: databaseUrl(),
  DATABASE_ADMIN_URL: postgresUrl(),
  RUN_MIGRATIONS: flag(false),
  WAIT_FOR_DB: databaseWait(),
  WORKER_COUNT: integer(1, [1, 1_024]),
  LOG_LEVEL: oneOf(logLevels, 'info'),
  LOG_FORMAT: oneOf(logFormats, 'auto'),
  OTEL_EXPORTER_OTLP_ENDPOINT: origin(undefined),
} satisfies Record<string, Setting<unknown>>

type Environment = Readonly<Record<string, string | undefined>>

export type IamConfig = Omit<SettingsOf<typeof iamSettings>, 'DATABASE_URL' | 'ISSUER'> & {
  readonly DATABASE_URL: string
  readonly ISSUER: string
}

/** @throws SettingsError with every fault */
export function readConfig(environment: Environment): IamConfig {
  const { DATABASE_URL, ISSUER, ...rest } = readSettings(iamSettings, environment)
  const faults = findFaults(rest)
  if (DATABASE_URL === undefined) {
    faults.push('DATABASE_URL is missing: where people are kept, e.g. postgres://login@host:5432/signet.')
  }
  if (DATABASE_URL === undefined || faults.length > 0) throw new SettingsError(faults)
  return { ...rest, DATABASE_URL, ISSUER: ISSUER ?? `http://localhost:${rest.IAM_PORT}` }
}

type Looked = DeliveryConfig &
  Pick<SettingsOf<typeof iamSettings>, 'SIGNET_ENV' | 'COOKIE_SECURE' | 'COOKIE_DOMAIN' | 'COOKIE_PREFIX'>

/** What is wrong with settings that can be read, one by one or together. */
export function findFaults(config: Looked): string[] {
  const { SIGNET_ENV, INTERNAL_SERVICE_API_KEY, SMS_WEBHOOK_SECRET } = config
  const ofKeys = INTERNAL_SERVICE_API_KEY.flatMap(key => findWeakSecret('INTERNAL_SERVICE_API_KEY', key, SIGNET_ENV))
  return [
    ...new Set(ofKeys),
    ...findWeakSecret('SMS_WEBHOOK_SECRET', SMS_WEBHOOK_SECRET, SIGNET_ENV),
    ...findCookieFaults(config),
    ...readDelivery(config).faults,
  ]
}

function findCookieFaults({ SIGNET_ENV, COOKIE_SECURE, COOKIE_DOMAIN, COOKIE_PREFIX }: Looked): string[] {
  const faults: string[] = []
  if (!COOKIE_SECURE && (SIGNET_ENV === 'staging' || SIGNET_ENV === 'production'))
    faults.push(`COOKIE_SECURE has to be true in ${SIGNET_ENV}: tokens would go over plain HTTP.`)
  // RFC 6265bis section 4.1.3.2: browsers drop a cookie of this name that is not so.
  if (COOKIE_PREFIX === '__Host-' && !COOKIE_SECURE) faults.push('COOKIE_PREFIX __Host- needs COOKIE_SECURE=true.')
  if (COOKIE_PREFIX === '__Host-' && COOKIE_DOMAIN !== undefined)
    faults.push('COOKIE_PREFIX __Host- and COOKIE_DOMAIN exclude each other: keep one.')
  return faults
}

type Read = Omit<SettingsOf<typeof iamSettings>, 'DATABASE_URL' | 'ISSUER' | 'RUN_MIGRATIONS'> & {
  readonly ISSUER: string
}

/** What the settings mean to the program; what they are read beside is left to whoever starts it. */
export function toIamOptions(config: Read) {
  return {
    environment: config.SIGNET_ENV,
    host: config.HOST,
    port: config.IAM_PORT,
    keysFolder: config.SIGNET_KEYS,
    tokens: {
      issuer: config.ISSUER,
      audience: config.AUDIENCE,
      accessTokenTtlSeconds: config.ACCESS_TOKEN_TTL,
      formTokenTtlSeconds: config.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
      refreshTokenTtlSeconds: config.REFRESH_TOKEN_TTL,
      permissionsMaxBytes: config.TOKEN_PERMISSIONS_MAX_BYTES,
      claimAliases: config.ACCESS_TOKEN_CLAIM_ALIASES,
    },
    codes: {
      signInTtlSeconds: config.OTP_TTL_MIN * 60,
      resetTtlSeconds: config.PASSWORD_RESET_OTP_TTL_MINUTES * 60,
      resetMaxAttempts: config.PASSWORD_RESET_OTP_MAX_ATTEMPTS,
    },
    cookies: { secure: config.COOKIE_SECURE, domain: config.COOKIE_DOMAIN, prefix: config.COOKIE_PREFIX },
    limits: { redisUrl: config.REDIS_URL },
    serviceKeys: config.INTERNAL_SERVICE_API_KEY,
    adminEmail: config.ADMIN_EMAIL,
    sendsEvents: config.ENG_ANALYTICS_URL !== undefined,
    delivery: readDelivery(config).settings,
    auditRetentionDays: config.AUDIT_RETENTION_DAYS,
    passwordMinLength: config.PASSWORD_MIN_LENGTH,
    defaultTenant: config.DEFAULT_TENANT,
    workerCount: config.WORKER_COUNT,
    allowedOrigins: config.CORS_ORIGINS,
    trustProxy: config.TRUST_PROXY,
    compat: new Set(config.COMPAT),
  }
}

/** What `pnpm keys` needs to know. @throws SettingsError with every fault */
export function readKeyConfig(environment: Environment): { readonly folder: string; readonly tokenLifeMs: number } {
  const config = readSettings(keySettings, environment)
  const tokens = {
    accessTokenTtlSeconds: config.ACCESS_TOKEN_TTL,
    formTokenTtlSeconds: config.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
  }
  const tokenLifeMs = longestTokenTtl({ tokens, compat: new Set(config.COMPAT) }) * 1_000
  return { folder: config.SIGNET_KEYS, tokenLifeMs }
}

/** What `pnpm outbox` needs to know. @throws SettingsError with every fault */
export function readOutboxConfig(
  environment: Environment,
): Pick<SettingsOf<typeof iamSettings>, 'DATABASE_URL' | 'SIGNET_HOME'> {
  const { DATABASE_URL, SIGNET_HOME } = iamSettings
  return readSettings({ DATABASE_URL, SIGNET_HOME }, environment)
}
