/**
 * People for tests, made as the programs make them: rows under row-level security, a session by its own function, a token
 * that a real issuer signed. Nothing here passes over a rule that the product keeps.
 */

import { randomBytes } from 'node:crypto'
import { type Database, inTenant, runStatement } from '@signet/db'
import { type MembershipId, newId, type RoleId, type SessionId, type TenantId, type UserId } from '@signet/kernel'
import type { TestIssuer } from '@signet/verifier/testing'
import { plantCanary } from './canaries.ts'

export interface TestPerson {
  readonly userId: UserId
  /** The home tenant. */
  readonly tenantId: TenantId
  readonly membershipId: MembershipId
  readonly email: string
}

/** A person who is signed in: an open session and its access token. */
export interface TestActor extends TestPerson {
  /** The tenant that the token is for. */
  readonly actingIn: TenantId
  readonly sessionId: SessionId
  readonly token: string
  readonly headers: { readonly authorization: string }
}

export interface NewTestPerson {
  /** Names of roles that the tenant has. */
  readonly roles?: readonly string[]
  /** Codes that the person gets by a role made for them. */
  readonly permissions?: readonly string[]
  readonly email?: string
  /** A client; with `clientId` a sub-client of that one. */
  readonly kind?: 'user' | 'client'
  readonly clientId?: UserId
}

export interface TestCast {
  /** The platform tenant. Once a database. */
  addPlatform(): Promise<TenantId>
  addTenant(slug?: string): Promise<TenantId>
  addRole(tenantId: TenantId, permissions: readonly string[], name?: string): Promise<RoleId>
  /** At home in the tenant, with the role `member`, and no password. */
  addPerson(tenantId: TenantId, person?: NewTestPerson): Promise<TestPerson>
  /** A person of another tenant becomes a guest of this one. */
  addGuest(tenantId: TenantId, person: TestPerson, roles?: readonly string[]): Promise<MembershipId>
  /** Opens a session and signs its token; in the home tenant unless another is given. */
  signIn(person: TestPerson, tenantId?: TenantId): Promise<TestActor>
  /** `addPerson` and `signIn` in one. */
  addActor(tenantId: TenantId, person?: NewTestPerson): Promise<TestActor>
}

export function createTestCast(db: Database, issuer: TestIssuer): TestCast {
  const unique = () => randomBytes(5).toString('hex')

  async function insertTenant(slug: string, isPlatform: boolean): Promise<TenantId> {
    const id = newId<TenantId>()
    await inTenant(db, id, async ({ sql }) => {
      await sql`insert into tenants (id, slug, name, is_platform) values (${id}, ${slug}, ${`Tenant ${slug}`}, ${isPlatform})`
      await sql`select create_built_in_roles(${id})`
    })
    return id
  }

  async function addRole(tenantId: TenantId, codes: readonly string[], name = `role-${unique()}`): Promise<RoleId> {
    const id = newId<RoleId>()
    await inTenant(db, tenantId, async ({ sql }) => {
      await sql`insert into roles (tenant_id, id, name) values (${tenantId}, ${id}, ${name})`
      await sql`insert into role_permissions select ${tenantId}, ${id}, unnest(${[...codes]}::text[])`
    })
    return id
  }

  async function insertMembership(tenantId: TenantId, userId: UserId, roles: readonly string[]): Promise<MembershipId> {
    const id = newId<MembershipId>()
    const given = await inTenant(db, tenantId, async ({ sql }) => {
      await sql`insert into memberships (tenant_id, id, user_id) values (${tenantId}, ${id}, ${userId})`
      return sql`
        insert into membership_roles (tenant_id, membership_id, role_id)
        select ${tenantId}, ${id}, id from roles where tenant_id = ${tenantId} and name = any(${[...roles]}::text[])`
    })
    if (given.count !== roles.length) throw new Error(`The tenant has not all of the roles ${roles.join(', ')}.`)
    return id
  }

  async function addPerson(tenantId: TenantId, person: NewTestPerson = {}): Promise<TestPerson> {
    const { roles = [], permissions = [], email = `person-${unique()}@example.test`, clientId = null } = person
    const kind = clientId === null ? (person.kind ?? 'user') : 'sub_client'
    const userId = newId<UserId>()
    await inTenant(
      db,
      tenantId,
      ({ sql }) => sql`insert into users (tenant_id, id, email, kind, parent_id)
        values (${tenantId}, ${userId}, ${email}, ${kind}, ${clientId})`,
    )
    const own = permissions.length === 0 ? [] : [`own-${unique()}`]
    for (const name of own) await addRole(tenantId, permissions, name)
    const membershipId = await insertMembership(tenantId, userId, [...new Set(['member', ...roles, ...own])])
    return { userId, tenantId, membershipId, email }
  }

  async function signIn(person: TestPerson, actingIn = person.tenantId): Promise<TestActor> {
    const sessionId = newId<SessionId>()
    const [opened] = await runStatement(
      db,
      sql => sql<{ roles: string[]; permissions: string[] | null }[]>`
        select roles, permissions from open_session(${sessionId}, ${person.userId}, ${actingIn}, null, ${randomBytes(32)},
          array['pwd'], interval '5 days', interval '30 days', 'session.opened', '192.0.2.1', 'testkit', ${newId()})`,
    )
    if (opened === undefined) throw new Error('This person may not sign in there.')
    const { roles, permissions } = opened
    const claims = { sub: person.userId, tid: actingIn, sid: sessionId, roles, permissions: permissions ?? undefined }
    const token = issuer.token(claims)
    plantCanary('access_token', token)
    return { ...person, actingIn, sessionId, token, headers: { authorization: `Bearer ${token}` } }
  }

  return {
    addPlatform: () => insertTenant('platform', true),
    addTenant: (slug = `tenant-${unique()}`) => insertTenant(slug, false),
    addRole,
    addPerson,
    addGuest: (tenantId, { userId }, roles = ['member']) => insertMembership(tenantId, userId, roles),
    signIn,
    addActor: async (tenantId, person) => signIn(await addPerson(tenantId, person)),
  }
}
