/** Settings that the replaced systems wrote otherwise, with how each was written there. */
import { flag, integer, oneOf, postgresUrl } from './setting-kinds.ts'
import type { Environment, Setting, Translation } from './settings.ts'

const secondsPerMinute = 60
const secondsPerDay = 86_400

/** The same setting under an older name, in a unit of so many. */
function inUnit(name: string, unit: number, bounds: readonly [number, number]): Translation<number> {
  const { parse } = integer(1, bounds)
  return { names: [name], read: environment => parse(valueOf(environment, name)) * unit }
}

/** In seconds. An access token cannot be taken back before it expires: a day is the longest that can be borne. */
export function accessTokenTtl(): Setting<number> {
  const translations = [inUnit('ACCESS_TOKEN_TTL_MIN', secondsPerMinute, [1, 1_440])]
  return { ...integer(900, [1, secondsPerDay]), translations }
}

/** In seconds. */
export function refreshTokenTtl(): Setting<number> {
  const translations = [inUnit('REFRESH_TOKEN_TTL_DAYS', secondsPerDay, [1, 30])]
  return { ...integer(432_000, [1, 30 * secondsPerDay]), translations }
}

const environments = ['local', 'test', 'staging', 'production'] as const
type EnvironmentName = (typeof environments)[number]

/** What the replaced systems called theirs. */
const formerWords: Readonly<Record<string, EnvironmentName>> = {
  default: 'local',
  development: 'local',
  dev: 'local',
  testing: 'test',
  prod: 'production',
}

export function environmentName(): Setting<EnvironmentName> {
  const own = oneOf(environments, 'local')
  const read = (name: string) => (environment: Environment) => {
    const word = valueOf(environment, name)
    return formerWords[word.toLowerCase()] ?? own.parse(word)
  }
  return { ...own, translations: ['ENV', 'FLASK_ENV'].map(name => ({ names: [name], read: read(name) })) }
}

/** Seconds to wait for a database that is starting; pm-identity-api said whether to wait. */
export function databaseWait(): Setting<number> {
  const seconds = integer(30, [0, 3_600])
  const parse = (given: string) => {
    if (/^(true|yes|on)$/i.test(given)) return seconds.fallback
    if (/^(false|no|off)$/i.test(given)) return 0
    return seconds.parse(given)
  }
  return { ...seconds, parse }
}

const partNames = ['DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASSWORD', 'DB_NAME'] as const

/** Where people are kept: one address, or the parts of it that chat-auth had, with its defaults. */
export function databaseUrl(): Setting<string | undefined> {
  const url = postgresUrl('POSTGRES_URI', 'SQLALCHEMY_DATABASE_URI', 'POSTGRES_CONNECTION_STRING')
  const read = (environment: Environment) => {
    const [host, port, user, password, database] = partNames.map(name => valueOf(environment, name))
    const secret = password === '' ? '' : `:${encodeURIComponent(password ?? '')}`
    const login = `${encodeURIComponent(user || 'postgres')}${secret}`
    return url.parse(`postgres://${login}@${host || 'localhost'}:${port || '5432'}/${database || 'postgres'}`)
  }
  return { ...url, translations: [{ names: partNames, read }] }
}

const transports = ['file', 'smtp', 'ses'] as const

/** `USE_EMAIL_SERVICE` false is `file`; true is whatever sends, and SMTP where nothing else is said, as it was there. */
export function emailTransport(): Setting<(typeof transports)[number]> {
  const read = (environment: Environment) => {
    if (!flag(false).parse(valueOf(environment, 'USE_EMAIL_SERVICE'))) return 'file'
    return valueOf(environment, 'EMAIL_TRANSPORT').toLowerCase() === 'ses' ? 'ses' : 'smtp'
  }
  return { ...oneOf(transports, 'file'), translations: [{ names: ['USE_EMAIL_SERVICE'], read }] }
}

const storages = ['file', 's3', 'off'] as const

/** Where images are kept. `USE_STORAGE_SERVICE` false is `off`; true is what is said beside it, and a folder where nothing is. */
export function imageStorage(): Setting<(typeof storages)[number]> {
  const read = (environment: Environment) => {
    if (!flag(true).parse(valueOf(environment, 'USE_STORAGE_SERVICE'))) return 'off'
    return valueOf(environment, 'STORAGE').toLowerCase() === 's3' ? 's3' : 'file'
  }
  return { ...oneOf(storages, 'file'), translations: [{ names: ['USE_STORAGE_SERVICE'], read }] }
}

function valueOf(environment: Environment, name: string): string {
  return (environment[name] ?? '').trim()
}
