import { holds, type Policy } from '@signet/kernel'
import type { Position } from './repo.ts'

export type PositionAction =
  | 'positions:read'
  | 'positions:list'
  | 'positions:create'
  | 'positions:modify'
  | 'positions:delete'

export const positionPolicy: Policy<PositionAction, Position | null> = {
  see: 'positions:read',
  hidden: 'position-not-found',
  rules: {
    'positions:read': holds('positions:read'),
    'positions:list': holds('positions:list'),
    'positions:create': holds('positions:create'),
    'positions:modify': holds('positions:modify'),
    'positions:delete': holds('positions:delete'),
  },
}
