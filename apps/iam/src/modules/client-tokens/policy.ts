import type { Actor, Policy, Rule } from '@signet/kernel'
import type { ClientToken, Advised } from './repo.ts'

type Advisor = Pick<Actor, 'userId' | 'roles'>

const isAdvisor: Rule<unknown, Advisor> = actor => actor.roles.has('advisor') || 'This needs the role advisor.'

/** Advisors open doors for people who are assigned to them; everybody else does not exist for them. */
export const advisedPolicy: Policy<'clients:read' | 'client-tokens:create', Advised | null, Advisor> = {
  see: 'clients:read',
  hidden: 'user-not-found',
  rules: { 'clients:read': isAssigned, 'client-tokens:create': isAssigned },
}

function isAssigned(actor: Advisor, client: Advised | null): true | string {
  const verdict = isAdvisor(actor, client)
  if (verdict !== true || client === null) return verdict
  return client.isAssigned || 'This person is not assigned to you.'
}

export type ClientTokenAction =
  | 'client-tokens:read'
  | 'client-tokens:list'
  | 'client-tokens:delete'
  | 'invitations:create'

/** Advisors see and withdraw what they have made themselves. */
export const clientTokenPolicy: Policy<ClientTokenAction, Pick<ClientToken, 'id' | 'advisorId'> | null, Advisor> = {
  see: 'client-tokens:read',
  hidden: 'client-token-not-found',
  rules: {
    'client-tokens:read': isOwn,
    'client-tokens:list': isAdvisor,
    'client-tokens:delete': isOwn,
    'invitations:create': isAdvisor,
  },
}

function isOwn(actor: Advisor, token: Pick<ClientToken, 'advisorId'> | null): true | string {
  const verdict = isAdvisor(actor, token)
  if (verdict !== true || token === null) return verdict
  return token.advisorId === actor.userId || 'This token is somebody else’s.'
}
