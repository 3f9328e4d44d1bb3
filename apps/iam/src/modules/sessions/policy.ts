import type { Actor, Policy, Rule } from '@signet/kernel'
import type { OwnSession } from './repo.ts'

type SessionRef = Pick<OwnSession, 'id' | 'userId'>
type Owner = Pick<Actor, 'userId'>

const isOwn: Rule<SessionRef, Owner> = (actor, session) =>
  actor.userId === session.userId || 'This is the session of somebody else.'

/** A person sees and ends their own sessions, and nobody else's here. */
export const sessionPolicy: Policy<'sessions:read' | 'sessions:delete', SessionRef, Owner> = {
  see: 'sessions:read',
  hidden: 'session-not-found',
  rules: { 'sessions:read': isOwn, 'sessions:delete': isOwn },
}
