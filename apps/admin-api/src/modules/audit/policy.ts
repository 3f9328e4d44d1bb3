import { holds, type Policy } from '@signet/kernel'
import type { AuditEvent } from './repo.ts'

export type AuditAction = 'audit-events:read' | 'audit-events:list'

/** Nobody writes through the API: events come from the transactions that they report. */
export const auditPolicy: Policy<AuditAction, AuditEvent | null> = {
  see: 'audit-events:read',
  hidden: 'audit-event-not-found',
  rules: { 'audit-events:read': holds('audit-events:read'), 'audit-events:list': holds('audit-events:list') },
}
