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

export interface People {
  readonly tenantId: TenantId
  readonly count: number
  readonly password: string
  /** Default `active`. */
  readonly status?: 'active' | 'suspended' | undefined
}

/** The issuer's own parameters: a hash of others would be known by its time. */
const hashParameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Members of a company with one password among them. @returns their addresses, all of one form */
export async function seedPeople(
  { superUrl }: DatabaseAnswer,
  { tenantId, count, password, status = 'active' }: People,
): Promise<string[]> {
  const emails = Array.from({ length: count }, () => `${randomBytes(12).toString('hex')}@bench.invalid`)
  const passwordHash = await hash(password, hashParameters)
  const db = openDatabase({ url: superUrl, max: 1 })
  try {
    await db.sql`
      with person as (
        insert into users (tenant_id, id, email, status)
        select ${tenantId}::uuid, gen_random_uuid(), email, ${status} from unnest(${emails}::text[]) as email
        returning id
      ), credential as (
        insert into password_credentials (tenant_id, user_id, hash) select ${tenantId}::uuid, id, ${passwordHash} from person
      ), membership as (
        insert into memberships (tenant_id, id, user_id) select ${tenantId}::uuid, gen_random_uuid(), id from person returning id
      )
      insert into membership_roles (tenant_id, membership_id, role_id)
      select ${tenantId}::uuid, membership.id, roles.id
      from membership join roles on roles.tenant_id = ${tenantId}::uuid and roles.name = 'member'`
    await db.sql`analyze`
    return emails
  } finally {
    await db.close()
  }
}

export async function closeRegistration({ superUrl }: DatabaseAnswer, tenantId: TenantId): Promise<void> {
  const db = openDatabase({ url: superUrl, max: 1 })
  try {
    await db.sql`update tenants set settings = settings || '{"self_registration": false}' where id = ${tenantId}::uuid`
  } finally {
    await db.close()
  }
}
