import { holds, type Policy } from '@signet/kernel'
import type { Entry, EntryTable } from './repo.ts'

export type EntryAction = 'read' | 'list' | 'create' | 'modify' | 'delete'

/** One permission an action: `customers:read`, and so on. */
export function entryPolicy(
  resource: EntryTable,
  hidden: 'customer-not-found' | 'subcontractor-not-found',
): Policy<EntryAction, Entry | null> {
  return {
    see: 'read',
    hidden,
    rules: {
      read: holds(`${resource}:read`),
      list: holds(`${resource}:list`),
      create: holds(`${resource}:create`),
      modify: holds(`${resource}:modify`),
      delete: holds(`${resource}:delete`),
    },
  }
}
