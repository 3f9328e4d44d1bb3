import { holds, type Policy } from '@signet/kernel'
import { type Holder, holdsAsMuch } from '../memberships/index.ts'

export type AdvisorAction = 'advisors:list' | 'advisors:modify'

/**
 * Whom somebody is assigned to may act for them: nobody gives that away for a person who holds more than they do (THREATS X-02).
 * Whoever may list clients sees the people of whom there are any.
 */
export const advisorPolicy: Policy<AdvisorAction, Holder | null> = {
  see: 'advisors:list',
  hidden: 'user-not-found',
  rules: { 'advisors:list': holds('advisors:list'), 'advisors:modify': holdsAsMuch('advisors:modify') },
}
