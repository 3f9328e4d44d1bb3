import type { Profile } from './repo.ts'

/** How a person is called in a mail to somebody else. */
export function nameOf(profile: Profile | undefined): string {
  const { name, firstName, lastName, email, username } = profile ?? {}
  const parts = [firstName, lastName].filter(part => typeof part === 'string')
  return name ?? (parts.length > 0 ? parts.join(' ') : (email ?? username ?? ''))
}
