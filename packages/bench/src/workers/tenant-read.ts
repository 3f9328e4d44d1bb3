/** Reads one person by id through Drizzle, by turns within a tenant and without one, over one pool. */

import { type Database, inTenant, openDatabase, users } from '@signet/db'
import { newId, type TenantId, type UserId } from '@signet/kernel'
import { eq } from 'drizzle-orm'
import { alternate, type Round, type Turns, type Work } from '../rounds.ts'
import { answerQuestions } from './answer-questions.ts'

export interface TenantReadQuestion {
  /** A login that may read without a tenant, which no program's login may: the same for both sides. */
  readonly superUrl: string
  readonly tenantId: TenantId
  readonly userId: UserId
  /** Reads under way at once. */
  readonly concurrency: number
}

const turns: Turns = { sliceMs: 100, slices: 5 }

answerQuestions(async ({ superUrl, tenantId, userId, concurrency }: TenantReadQuestion): Promise<Round[]> => {
  const db = openDatabase({ url: superUrl, applicationName: 'signet-bench' })
  try {
    const within = () => inTenant(db, tenantId, tx => tx.db.select().from(users).where(eq(users.id, userId)))
    const without = () => db.drizzle.select().from(users).where(eq(users.id, userId))
    await assertIsolated(db, userId)
    return await alternate(readAtOnce(within, concurrency), readAtOnce(without, concurrency), turns)
  } finally {
    await db.close()
  }
})

/** A read that row-level security does not guard is not the read to measure. */
async function assertIsolated(db: Database, userId: UserId): Promise<void> {
  const rows = await inTenant(db, newId<TenantId>(), tx => tx.db.select().from(users).where(eq(users.id, userId)))
  if (rows.length > 0) throw new Error('A stranger to the tenant has read its person.')
}

const readsPerReader = 8

/** `concurrency` readers, each of which begins its next read when it has the answer to the one before. */
function readAtOnce(read: () => PromiseLike<readonly unknown[]>, concurrency: number): Work {
  const readOften = async () => {
    for (let count = 0; count < readsPerReader; count += 1) {
      const rows = await read()
      if (rows.length !== 1) throw new Error(`One person was to be read, ${rows.length} came.`)
    }
  }
  return async () => {
    await Promise.all(Array.from({ length: concurrency }, readOften))
    return concurrency * readsPerReader
  }
}
