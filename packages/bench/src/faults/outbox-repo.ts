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
