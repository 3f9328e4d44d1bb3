import { holds, type Policy } from '@signet/kernel'
import type { OrgUnit } from './repo.ts'

export type OrgUnitAction =
  | 'org-units:read'
  | 'org-units:list'
  | 'org-units:create'
  | 'org-units:modify'
  | 'org-units:delete'

export const orgUnitPolicy: Policy<OrgUnitAction, OrgUnit | null> = {
  see: 'org-units:read',
  hidden: 'org-unit-not-found',
  rules: {
    'org-units:read': holds('org-units:read'),
    'org-units:list': holds('org-units:list'),
    'org-units:create': holds('org-units:create'),
    'org-units:modify': holds('org-units:modify'),
    'org-units:delete': holds('org-units:delete'),
  },
}
