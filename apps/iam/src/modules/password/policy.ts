import type { CodeHolder, User } from '@signet/accounts'
import type { Policy } from '@signet/kernel'

/** Whoever has shown a code that was mailed to a person gives that person a password, and nobody else. */
export const recoveryPolicy: Policy<'users:recover', User, CodeHolder> = {
  see: 'users:recover',
  hidden: 'invalid-code',
  rules: {
    'users:recover': (holder, user) =>
      (holder.userId === user.id && user.status === 'active') || 'The code is for somebody else.',
  },
}
