import { holds, type Rule } from '@signet/kernel'

/** Everybody asks about themself; about others, whoever may know what others may do. */
export function mayAskAbout(subjectIds: readonly string[]): Rule<null> {
  return (actor, nothing) => subjectIds.every(id => id === actor.userId) || holds('decisions:read')(actor, nothing)
}
