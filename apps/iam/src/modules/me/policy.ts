import type { User } from '@signet/accounts'
import type { Policy } from '@signet/kernel'

/** People change what they are called, and nobody else's name here. */
export const selfPolicy: Policy<'users:read' | 'users:modify', User> = {
  see: 'users:read',
  hidden: 'user-not-found',
  rules: {
    'users:read': (actor, user) => actor.userId === user.id || 'This is somebody else.',
    'users:modify': (actor, user) => actor.userId === user.id || 'This is somebody else.',
  },
}
