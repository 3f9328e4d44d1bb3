import { withAdminClient } from './admin-client.ts'

/** How many of each were alive in the backup, and are no longer. */
interface SettledRestore {
  readonly sessions: number
  readonly codes: number
  readonly clientTokens: number
}

/**
 * Makes a database that was restored to an earlier moment safe to serve from. Harmless where nothing was restored, but that
 * everybody has to sign in again.
 * @param url the login that ran the migrations
 */
export async function settleRestore(url: string): Promise<SettledRestore> {
  return withAdminClient(url, async sql => {
    // Every session of the installation ends in one statement.
    await sql`select set_config('statement_timeout', '0', false)`
    const [settled] = await sql<[SettledRestore]>`
      select sessions::int, codes::int, client_tokens::int as "clientTokens" from settle_restore()`
    return settled
  })
}
