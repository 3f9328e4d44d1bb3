/** One connection for administration: migrations, grants, waiting for a server that is still starting. */

import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'

export type AdminSql = postgres.ReservedSql

/** Runs `work` on one connection, which is closed afterwards. When it is lost the work fails: no other takes its place. */
export async function withAdminClient<T>(url: string, work: (sql: AdminSql) => Promise<T>): Promise<T> {
  const sql = postgres(url, {
    max: 1,
    connect_timeout: 5,
    backoff: () => 0.2,
    connection: { application_name: 'signet-admin' },
    onnotice: () => undefined,
  })
  try {
    return await work(await sql.reserve())
  } finally {
    await sql.end({ timeout: 0 })
  }
}

/** Tried again while the server cannot be reached or is starting; a wrong password or database is no reason to wait. */
const waitWorthy = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  '57P03',
  '53300',
])

/**
 * Resolves when the server answers.
 * @throws the last error when it has not within `timeoutMs`, or at once when waiting cannot help
 */
export async function waitForDatabase(url: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      await withAdminClient(url, sql => sql`select 1`)
      return
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (!waitWorthy.has(code) || performance.now() >= deadline) throw error
    }
    await pause(200)
  }
}
