/**
 * A launcher holds an advisory lock on its server for as long as it lives: PostgreSQL gives it up the moment the launcher's
 * connection ends, however the launcher ended. So whoever finds the lock free has found an orphan.
 */

import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'

const lockKey = 7_346_581_903

export interface LauncherLock {
  giveUp(): void
}

/** Takes the lock and keeps it, also when the server restarts itself after a crash of one of its processes. */
export async function holdLauncherLock(url: string): Promise<LauncherLock> {
  let isWanted = true
  const sql = postgres(url, {
    max: 1,
    max_lifetime: null,
    connect_timeout: 5,
    connection: { application_name: 'signet-launcher' },
    backoff: () => 0.2,
    onclose: () => {
      if (isWanted) take().catch(() => undefined)
    },
  })
  const take = () => sql`select pg_try_advisory_lock(${lockKey})`
  await take()
  return {
    giveUp: () => {
      isWanted = false
      void sql.end({ timeout: 0 })
    },
  }
}

/** A launcher that has just started its server takes the lock a moment later: so look for a while. */
const graceMs = 1_500

export async function hasLauncher(sql: postgres.ReservedSql): Promise<boolean> {
  const deadline = performance.now() + graceMs
  for (;;) {
    const [answer] = await sql<{ held: boolean }[]>`
      select exists (
        select 1 from pg_locks where locktype = 'advisory' and (classid::bigint << 32) + objid::bigint = ${lockKey} and granted
      ) as held`
    if (answer?.held === true) return true
    if (performance.now() >= deadline) return false
    await pause(100)
  }
}
