/**
 * Settings of the replaced systems that mean nothing any more. They stand in the files of whoever moves here, so they do not
 * stop a start; they are said, so that nobody believes that they still do something.
 */

const retired: readonly { readonly name: string; readonly instead: string }[] = [
  { name: 'JWT_SECRET', instead: 'tokens are signed by the keys in SIGNET_KEYS and checked with the public ones' },
  { name: 'ALGORITHM', instead: 'tokens are RS256, always' },
  { name: 'MONGO_DB_URI', instead: 'people are kept in the PostgreSQL of DATABASE_URL' },
  { name: 'REFRESH_KEY_SECRET', instead: 'refresh keys are kept as hashes under the secret in SIGNET_KEYS' },
  { name: 'GUARDIAN_*', instead: 'roles and policies decide here, and no other service is asked' },
  { name: 'STORAGE_SERVICE_URL', instead: 'STORAGE and S3_ENDPOINT say where images are kept' },
  { name: 'STORAGE_REQUEST_TIMEOUT', instead: 'STORAGE and S3_ENDPOINT say where images are kept' },
  { name: 'RATELIMIT_STRATEGY', instead: 'requests are counted in one way, in REDIS_URL where it is set' },
]

/** Each whole, or with a star for what may follow. */
export const retiredSettingNames: readonly string[] = retired.map(({ name }) => name)

const fits = (pattern: string, name: string) =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern

export function isRetiredName(name: string): boolean {
  return retiredSettingNames.some(pattern => fits(pattern, name))
}

/** One line for each kind of retired setting that is given. Its value never stands in it: some were secrets. */
export function describeRetiredSettings(environment: Readonly<Record<string, string | undefined>>): string[] {
  const given = Object.keys(environment).filter(name => (environment[name] ?? '') !== '')
  return retired.flatMap(({ name: pattern, instead }) => {
    const names = given.filter(name => fits(pattern, name)).toSorted()
    return names.length === 0 ? [] : [`${names.join(', ')} is no setting of Signet any more: ${instead}. Remove it.`]
  })
}
