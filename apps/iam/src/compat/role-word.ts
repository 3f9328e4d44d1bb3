/** Older systems know a person by one role. */
const words = ['admin', 'advisor'] as const

export type RoleWord = (typeof words)[number] | 'client'

/** The first of `admin`, `advisor` and `client`: who is neither of the first two is a client. Platform staff may all that admins may. */
export function roleWordOf(roles: Iterable<string>): RoleWord {
  const held = new Set(roles)
  if (held.has('super_admin')) return 'admin'
  return words.find(word => held.has(word)) ?? 'client'
}
