import { holds, type Policy } from '@signet/kernel'
import { type Holder, holdsAsMuch } from '../memberships/index.ts'

type PlacementAction = 'positions:read' | 'positions:modify'

/** Nobody moves a person who holds more than they do (THREATS X-02), by whichever route. */
export const placementPolicy: Policy<PlacementAction, Holder> = {
  see: 'positions:read',
  hidden: 'membership-not-found',
  rules: {
    'positions:read': holds('positions:read'),
    'positions:modify': holdsAsMuch('positions:modify'),
  },
}
