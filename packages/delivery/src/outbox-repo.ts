/** Each call is ONE statement: a SQL function that works across tenants and never gives out what a message says but to send it. */
import { type Database, runStatement } from '@signet/db'
import type { MessageId, TenantId, UserId } from '@signet/kernel'
import type { TemplateName } from './messages.ts'
import type { Channel } from './transport.ts'

export interface ClaimedMessage {
  readonly tenantId: TenantId
  readonly id: MessageId
  readonly recipient: string
  readonly template: TemplateName
  readonly payload: Uint8Array
  /** This one included. */
  readonly attempts: number
  readonly createdAt: Date
  readonly expiresAt: Date | null
  /** Whom it is about; null where nobody is known. */
  readonly userId: UserId | null
  readonly personName: string | null
  /** Null where nobody is known. */
  readonly language: 'en' | 'fr' | null
}

/** The message that has been due longest; undefined where none is, or others have it. */
export async function claimMessage(
  database: Database,
  channel: Channel,
  leaseMs: number,
): Promise<ClaimedMessage | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<ClaimedMessage[]>`
      select tenant_id as "tenantId", id, recipient, template, payload, attempts, created_at as "createdAt",
        expires_at as "expiresAt", user_id as "userId", person_name as "personName", language
      from claim_message(${channel}, make_interval(secs => ${leaseMs / 1_000}))`,
  )
  return row
}

export type Outcome =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly error: string; readonly afterMs: number }
  | { readonly kind: 'dead'; readonly error: string }

/** False where the lease was over and another worker has it. */
export async function settleMessage(database: Database, message: ClaimedMessage, outcome: Outcome): Promise<boolean> {
  const error = outcome.kind === 'sent' ? null : outcome.error
  const afterMs = outcome.kind === 'retry' ? outcome.afterMs : 0
  const [row] = await runStatement(
    database,
    sql => sql<{ isOurs: boolean }[]>`
      select settle_message(${message.tenantId}, ${message.id}, ${message.attempts}, ${outcome.kind}, ${error},
        make_interval(secs => ${afterMs / 1_000})) as "isOurs"`,
  )
  return row?.isOurs === true
}

export interface ListedMessage {
  readonly id: MessageId
  readonly tenantSlug: string
  readonly channel: Channel
  readonly recipient: string
  readonly template: string
  readonly status: string
  readonly attempts: number
  readonly createdAt: Date
  readonly dueAt: Date
  readonly lastError: string | null
}

/** The newest first. */
export async function listMessages(
  database: Database,
  statuses: readonly string[],
  limit: number,
): Promise<readonly ListedMessage[]> {
  return runStatement(
    database,
    sql => sql<ListedMessage[]>`
      select id, tenant_slug as "tenantSlug", channel, recipient, template, status, attempts, created_at as "createdAt",
        due_at as "dueAt", last_error as "lastError"
      from list_messages(${[...statuses]}, ${limit})`,
  )
}

/** Queues one message that was given up, or all of them. @returns how many */
export async function retryMessages(database: Database, id: MessageId | null): Promise<number> {
  const [row] = await runStatement(database, sql => sql<{ count: number }[]>`select retry_messages(${id}) as count`)
  return row?.count ?? 0
}

export interface OutboxLoad {
  readonly channel: Channel
  readonly waiting: number
  /** Age of what has waited longest; 0 where nothing does. */
  readonly oldestSeconds: number
  readonly dead: number
}

/** Of all tenants together, one a channel. */
export async function measureOutbox(database: Database): Promise<readonly OutboxLoad[]> {
  return runStatement(
    database,
    sql => sql<OutboxLoad[]>`
      select channel, waiting, oldest_seconds as "oldestSeconds", dead from measure_outbox()`,
  )
}
