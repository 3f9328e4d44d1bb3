import type { Policy, Rule } from '@signet/kernel'
import { userPolicy, type UserResource } from '../users/index.ts'

/** A picture is the person's own affair, and that of whoever may change the person. */
export const avatarPolicy: Policy<'users:read' | 'users:modify', UserResource> = {
  see: 'users:read',
  hidden: 'user-not-found',
  rules: {
    'users:read': orTheirOwn(userPolicy.rules['users:read']),
    'users:modify': orTheirOwn(userPolicy.rules['users:modify']),
  },
}

function orTheirOwn(rule: Rule<UserResource>): Rule<UserResource> {
  return (actor, person) => actor.userId === person.id || rule(actor, person)
}
