/**
 * An installation of many tenants with their people, by COPY. Foreign keys and triggers are off for the rows of people, which
 * are made complete here; a test looks at a small one with them on.
 */

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { randomBytes } from 'node:crypto'
import { type AdminSql, openDatabase, runStatement, withAdminClient } from '@signet/db'
import { newId, type SessionId, type TenantId, type UserId } from '@signet/kernel'
import type { DatabaseAnswer } from './workers/database.ts'

export interface DirectorySize {
  readonly tenants: number
  readonly peopleEach: number
}

/** Somebody who is signed in. */
export interface DirectoryActor {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly sessionId: SessionId
}

/** A tenant of those that are measured. */
export interface DirectorySample {
  /** Its administrator. */
  readonly keeper: DirectoryActor
  readonly people: readonly { readonly userId: UserId; readonly email: string }[]
}

export interface Directory {
  /** Of the platform. */
  readonly staff: DirectoryActor
  /** Spread evenly over the tenants. */
  readonly samples: readonly DirectorySample[]
}

const sampleCount = 64
/** Nobody signs in with it: what is measured leaves the hashing out. */
const unusableHash = '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

const firstNames = ['Ada', 'Grace', 'Alan', 'Edith', 'Kurt', 'Emmy', 'Noam', 'Mary', 'Omar', 'Yuki']
const lastNames = [
  'Lovelace',
  'Hopper',
  'Turing',
  'Clarke',
  'Goedel',
  'Noether',
  'Okafor',
  'Somerville',
  'Haddad',
  'Mori',
]

export async function seedDirectory(database: DatabaseAnswer, size: DirectorySize): Promise<Directory> {
  const [platformId, administrator] = [newId<TenantId>(), newId<UserId>()]
  const program = openDatabase({ url: database.url, max: 1 })
  try {
    await runStatement(
      program,
      sql => sql`
        select bootstrap_installation(
          ${platformId}::uuid, ${newId()}::uuid, 'bench', 'Bench', ${administrator}::uuid, 'administrator@bench.invalid',
          'Bench', 'Administrator', ${unusableHash}, '127.0.0.1', ${newId()}::uuid)`,
    )
    const samples = await withAdminClient(database.superUrl, async sql => {
      const tenants = await insertTenants(sql, size.tenants)
      const chosen = await insertPeople(sql, tenants, size)
      // As an installation is that has run for a while: with statistics, and without what a bulk load leaves to its readers.
      await sql`vacuum analyze`
      return chosen
    })
    const signIn = async (tenantId: TenantId, userId: UserId): Promise<DirectoryActor> => {
      const sessionId = newId<SessionId>()
      await runStatement(
        program,
        sql => sql`
          select from open_session(${sessionId}, ${userId}, ${tenantId}, null, ${randomBytes(32)}, array['pwd'],
            interval '1 day', interval '1 day', 'session.opened', '127.0.0.1', 'bench', ${newId()})`,
      )
      return { tenantId, userId, sessionId }
    }
    const keepers: DirectorySample[] = []
    for (const { tenantId, people } of samples) {
      const [first] = people
      if (first === undefined) throw new RangeError('A tenant without people has no administrator.')
      keepers.push({ keeper: await signIn(tenantId, first.userId), people })
    }
    return { staff: await signIn(platformId, administrator), samples: keepers }
  } finally {
    await program.close()
  }
}

interface TenantRoles {
  readonly id: TenantId
  readonly admin: string
  readonly member: string
}

async function insertTenants(sql: AdminSql, count: number): Promise<TenantRoles[]> {
  await sql`
    insert into tenants (id, slug, name, created_at)
    select new_id(), 'tenant-' || number, 'Tenant ' || number, now() - number * interval '1 minute'
    from generate_series(1, ${count}::integer) as number`
  await sql`select create_built_in_roles(id) from tenants where slug like 'tenant-%'`
  return sql<TenantRoles[]>`
    select t.id, a.id as admin, m.id as member from tenants t
    join roles a on a.tenant_id = t.id and a.name = 'admin' join roles m on m.tenant_id = t.id and m.name = 'member'
    where t.slug like 'tenant-%' order by t.created_at`
}

interface NewPerson {
  readonly tenant: TenantRoles
  readonly userId: UserId
  readonly membershipId: string
  readonly number: number
  readonly isKeeper: boolean
}

interface ChosenTenant {
  readonly tenantId: TenantId
  readonly people: { userId: UserId; email: string }[]
}

async function insertPeople(
  sql: AdminSql,
  tenants: readonly TenantRoles[],
  { peopleEach }: DirectorySize,
): Promise<ChosenTenant[]> {
  const step = Math.max(1, Math.floor(tenants.length / sampleCount))
  const chosen: ChosenTenant[] = []
  await sql`set session_replication_role = replica`
  // A thousand tenants at once: the ids of everybody would take more memory than the rows are worth.
  for (let from = 0; from < tenants.length; from += 1_000) {
    const people: NewPerson[] = []
    for (const [offset, tenant] of tenants.slice(from, from + 1_000).entries()) {
      const own = Array.from({ length: peopleEach }, (_, index) => ({
        tenant,
        userId: newId<UserId>(),
        membershipId: newId(),
        number: (from + offset) * peopleEach + index,
        isKeeper: index === 0,
      }))
      people.push(...own)
      const isChosen = (from + offset) % step === 0 && chosen.length < sampleCount
      if (isChosen)
        chosen.push({
          tenantId: tenant.id,
          people: own.map(({ userId, number }) => ({ userId, email: emailOf(number) })),
        })
    }
    await copyPeople(sql, people)
  }
  await sql`set session_replication_role = origin`
  return chosen
}

function emailOf(number: number): string {
  return `person-${number}@bench.invalid`
}

async function copyPeople(sql: AdminSql, people: readonly NewPerson[]): Promise<void> {
  const now = Date.now()
  await copyRows(
    await sql`copy users (tenant_id, id, email, name, first_name, last_name, created_at) from stdin`.writable(),
    people,
    ({ tenant, userId, number }) => {
      const first = firstNames[number % firstNames.length]
      const last = lastNames[Math.floor(number / firstNames.length) % lastNames.length]
      const createdAt = new Date(now - number * 1_000).toISOString()
      return [[tenant.id, userId, emailOf(number), `${first} ${last}`, first, last, createdAt]]
    },
  )
  await copyRows(
    await sql`copy password_credentials (tenant_id, user_id, hash) from stdin`.writable(),
    people.filter(({ number }) => number % 10 === 0),
    ({ tenant, userId }) => [[tenant.id, userId, unusableHash]],
  )
  await copyRows(
    await sql`copy memberships (tenant_id, id, user_id) from stdin`.writable(),
    people,
    ({ tenant, membershipId, userId }) => [[tenant.id, membershipId, userId]],
  )
  await copyRows(
    await sql`copy membership_roles (tenant_id, membership_id, role_id) from stdin`.writable(),
    people,
    ({ tenant, membershipId, isKeeper }) => [
      [tenant.id, membershipId, tenant.member],
      ...(isKeeper ? [[tenant.id, membershipId, tenant.admin]] : []),
    ],
  )
}

type Cell = string | undefined

/** In COPY's text format; no value here holds a tab, a line break or a backslash. */
async function copyRows(
  into: NodeJS.WritableStream,
  people: readonly NewPerson[],
  rowsOf: (person: NewPerson) => readonly (readonly Cell[])[],
): Promise<void> {
  function* chunks() {
    for (let from = 0; from < people.length; from += 2_000) {
      const rows = people.slice(from, from + 2_000).flatMap(rowsOf)
      yield rows.map(cells => `${cells.join('\t')}\n`).join('')
    }
  }
  await pipeline(Readable.from(chunks()), into)
}
