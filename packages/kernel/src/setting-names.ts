/**
 * Every name that some program of ours reads: one program's settings are no mistakes to another, and a name that none
 * of them reads is.
 */
export const knownSettingNames: ReadonlySet<string> = new Set([
  'SIGNET_ENV',
  'ENV',
  'FLASK_ENV',
  'SIGNET_HOME',
  'SIGNET_KEYS',
  'HOST',
  'PORT',
  'IAM_PORT',
  'ADMIN_PORT',
  'PLACES_PORT',
  'ISSUER',
  'AUDIENCE',
  'DEFAULT_TENANT',
  'TRUST_PROXY',
  'ACCESS_TOKEN_TTL',
  'REFRESH_TOKEN_TTL',
  'TOKEN_PERMISSIONS_MAX_BYTES',
  'PASSWORD_MIN_LENGTH',
  'DATABASE_URL',
  'POSTGRES_URI',
  'SQLALCHEMY_DATABASE_URI',
  'POSTGRES_CONNECTION_STRING',
  'DATABASE_ADMIN_URL',
  'RUN_MIGRATIONS',
  'WAIT_FOR_DB',
  'LOG_LEVEL',
  'LOG_FORMAT',
  'SETUP_TOKEN',
])
