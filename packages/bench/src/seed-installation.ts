/** The tenants of a measured installation, made by the product's own bootstrap function. */

import { randomBytes } from 'node:crypto'
import { hash } from '@node-rs/argon2'
import { openDatabase, runStatement } from '@signet/db'
import { newId, type TenantId, type UserId } from '@signet/kernel'
import type { DatabaseAnswer } from './workers/database.ts'

export interface SeededInstallation {
  /** The company, where people may register themselves. */
  readonly tenantId: TenantId
  /** One of its people. */
  readonly userId: UserId
}

/** Enough that an index is worth using, as in any installation. */
const peopleCount = 5_000

export async function seedInstallation({ url, superUrl }: DatabaseAnswer): Promise<SeededInstallation> {
  const [platformId, tenantId, userId] = [newId<TenantId>(), newId<TenantId>(), newId<UserId>()]
  const program = openDatabase({ url, max: 1 })
  const administration = openDatabase({ url: superUrl, max: 1 })
  try {
    const passwordHash = await hash(randomBytes(32))
    await runStatement(
      program,
      sql => sql`
        select bootstrap_installation(
          ${platformId}::uuid, ${tenantId}::uuid, 'bench', 'Bench', ${newId<UserId>()}::uuid,
          'administrator@bench.invalid', 'Bench', 'Administrator', ${passwordHash}, '127.0.0.1', ${newId()}::uuid)`,
    )
    await administration.sql`
      insert into users (tenant_id, id, username)
      select ${tenantId}::uuid, case when number = 1 then ${userId}::uuid else gen_random_uuid() end, 'person-' || number
      from generate_series(1, ${peopleCount}::integer) as number`
    await administration.sql`analyze users`
    return { tenantId, userId }
  } finally {
    await program.close()
    await administration.close()
  }
}
