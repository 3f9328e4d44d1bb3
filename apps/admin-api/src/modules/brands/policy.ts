import { holds, type Policy } from '@signet/kernel'
import { type Holder, holdsAsMuch } from '../memberships/index.ts'
import type { Brand } from './repo.ts'

export type BrandAction = 'brands:read' | 'brands:list' | 'brands:create' | 'brands:modify' | 'brands:delete'

export const brandPolicy: Policy<BrandAction, Brand | null> = {
  see: 'brands:read',
  hidden: 'brand-not-found',
  rules: {
    'brands:read': holds('brands:read'),
    'brands:list': holds('brands:list'),
    'brands:create': holds('brands:create'),
    'brands:modify': holds('brands:modify'),
    'brands:delete': holds('brands:delete'),
  },
}

/** Who carries a brand is a matter of that person: nobody acts on one who holds more than they do (THREATS X-02). */
export const carrierPolicy: Policy<'brands:read' | 'brands:modify', Holder> = {
  see: 'brands:read',
  hidden: 'advisor-not-found',
  // Whoever may say who carries a brand hears of each advisor whether there is one.
  rules: { 'brands:read': holds('brands:modify'), 'brands:modify': holdsAsMuch('brands:modify') },
}
