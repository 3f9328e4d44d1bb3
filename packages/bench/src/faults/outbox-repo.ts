/** What the database knows of messages. */

import type { Database } from '@signet/db'

export interface MessageState {
  readonly id: string
  readonly recipient: string
  readonly status: string
}

export async function listMessages(db: Database): Promise<MessageState[]> {
  return db.sql<MessageState[]>`select id, recipient, status from outbound_messages where channel = 'email'`
}

/**
 * Is one of the issuer's connections still there? The server carries out what a killed process has asked for, and commits it
 * after its end.
 */
export async function hasIssuerConnections(db: Database): Promise<boolean> {
  const rows = await db.sql`
    select from pg_stat_activity where datname = current_database() and application_name = 'signet-iam' limit 1`
  return rows.length > 0
}
