import { findPermissionsOf, findReach } from '@signet/accounts'
import { membershipRoles, memberships, positions, roles, type TenantTx, translateConstraint, users } from '@signet/db'
import {
  type Grant,
  type MembershipId,
  newId,
  type OrgUnitId,
  type Page,
  type PositionId,
  problem,
  type RoleId,
  type UserId,
} from '@signet/kernel'
import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm'
import { listRows, patternFor } from '../lists/index.ts'
import { isWithin } from '../org-units/index.ts'
import type { Holder } from './policy.ts'
import type { MembershipQuery } from './schema.ts'

/** A person in this tenant, or an invitation: then there is an address and no person. */
export type MembershipRow = BareRow & {
  readonly profile: Profile | undefined
  readonly place: Place | undefined
}
export type Membership = MembershipRow & Holder
type BareRow = typeof memberships.$inferSelect & { readonly isGuest: boolean }

/** How a person is called, also one who is at home in another tenant. */
export interface Profile {
  readonly email: string | null
  readonly username: string | null
  readonly name: string | null
  readonly first_name: string | null
  readonly last_name: string | null
}

/** The position that somebody holds here, and the unit that it is in. */
export interface Place {
  readonly position: { readonly id: PositionId; readonly title: string }
  readonly orgUnit: { readonly id: OrgUnitId; readonly name: string } | null
}

export interface RoleOfMember {
  readonly id: RoleId
  readonly name: string
  readonly description: string
  readonly isBuiltIn: boolean
  readonly assignedAt: Date
}

const meanings = {
  memberships__tenant_id_invited_email: () => problem('membership-exists', 'This address has an invitation already.'),
  memberships__last_administrator: () => problem('last-administrator'),
}

/** People at home elsewhere have no row in this tenant's users. */
const isGuest = sql<boolean>`(${memberships.userId} is not null and not exists (
  select from ${users} where ${users.tenantId} = ${memberships.tenantId} and ${users.id} = ${memberships.userId}))`
const columns = { ...getTableColumns(memberships), isGuest: isGuest.as('is_guest') }

export async function listMemberships(
  tx: TenantTx,
  cursorKey: Uint8Array,
  query: MembershipQuery,
): Promise<Page<MembershipRow>> {
  const { q, status, user_id, is_guest, position_id, org_unit_id } = query
  const page = await listRows<BareRow>(
    tx,
    cursorKey,
    {
      name: 'memberships',
      from: memberships,
      columns,
      id: { by: memberships.id, type: 'uuid' },
      sorts: { created_at: { by: memberships.createdAt, type: 'timestamptz' } },
      filters: [
        eq(memberships.tenantId, tx.tenantId),
        q === undefined ? undefined : isCalled(q),
        status === undefined ? undefined : eq(memberships.status, status),
        user_id === undefined ? undefined : eq(memberships.userId, user_id as UserId),
        is_guest === undefined ? undefined : eq(isGuest, is_guest),
        position_id === undefined ? undefined : eq(memberships.positionId, position_id as PositionId),
        org_unit_id === undefined ? undefined : worksWithin(tx, org_unit_id as OrgUnitId),
      ],
    },
    query,
  )
  return { ...page, items: await withPlaces(tx, await withProfiles(tx, page.items)) }
}

/** One membership by its id, or that of a person who is at home here. */
export type Member = { readonly userId: UserId } | { readonly membershipId: MembershipId }

/** @throws Problem `membership-not-found` */
export async function findMembership(tx: TenantTx, member: Member): Promise<Membership> {
  return only(tx, await select(tx, member))
}

/** As `findMembership`, and nobody else changes it before this transaction ends. @throws Problem `membership-not-found` */
export async function lockMembership(tx: TenantTx, member: Member): Promise<Membership> {
  return only(tx, await select(tx, member).for('update'))
}

/** @throws Problem `membership-exists` */
export async function insertInvitation(
  tx: TenantTx,
  _grant: Grant<'memberships:create', Holder | null>,
  email: string,
): Promise<Membership> {
  try {
    const row = {
      tenantId: tx.tenantId,
      id: newId<MembershipId>(),
      invitedEmail: email.toLowerCase(),
      status: 'invited' as const,
    }
    const [membership] = await tx.db.insert(memberships).values(row).returning()
    return {
      ...(membership as typeof memberships.$inferSelect),
      isGuest: false,
      profile: undefined,
      place: undefined,
      held: [],
    }
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** Ends the person's sessions in this tenant as well; gives how many. @throws Problem `last-administrator` */
export async function deleteMembership(tx: TenantTx, grant: Grant<'memberships:delete', Membership>): Promise<number> {
  const { id, userId } = grant.resource
  try {
    await tx.db.delete(memberships).where(and(eq(memberships.tenantId, tx.tenantId), eq(memberships.id, id)))
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
  const { count } = await tx.sql`
    update sessions set ended_at = now(), end_reason = 'membership-removed'
    where tenant_id = ${tx.tenantId} and user_id = ${userId} and ended_at is null`
  return count
}

/** The roles of a membership, in the order of their names. */
export async function listRolesOf({ db, tenantId }: TenantTx, id: MembershipId): Promise<RoleOfMember[]> {
  const { name, description, isBuiltIn } = roles
  return db
    .select({ id: roles.id, name, description, isBuiltIn, assignedAt: membershipRoles.createdAt })
    .from(membershipRoles)
    .innerJoin(roles, and(eq(roles.tenantId, membershipRoles.tenantId), eq(roles.id, membershipRoles.roleId)))
    .where(and(eq(membershipRoles.tenantId, tenantId), eq(membershipRoles.membershipId, id)))
    .orderBy(roles.name)
}

function select({ db, tenantId }: TenantTx, member: Member) {
  const which = 'userId' in member ? eq(memberships.userId, member.userId) : eq(memberships.id, member.membershipId)
  return db
    .select(columns)
    .from(memberships)
    .where(and(eq(memberships.tenantId, tenantId), which))
    .$dynamic()
}

async function only(tx: TenantTx, rows: readonly BareRow[]): Promise<Membership> {
  const [row] = await withPlaces(tx, await withProfiles(tx, rows))
  if (row === undefined) throw problem('membership-not-found')
  const held = row.userId === null ? await findPromised(tx, row.id) : await findReach(tx, row.userId)
  return { ...row, held }
}

/** What an invitation will give at most: its roles, and what policies give everybody here. */
async function findPromised(tx: TenantTx, id: MembershipId): Promise<readonly string[]> {
  const { sql: statement, tenantId } = tx
  const assigned = await statement<{ id: RoleId }[]>`
    select role_id as id from membership_roles where tenant_id = ${tenantId} and membership_id = ${id}`
  const ids = assigned.map(role => role.id)
  const held = await findPermissionsOf(tx, ids)
  const codes = [...new Set([...held.values()].flat())]
  const [bounds] = await statement<{ reach: string[] }[]>`
    select reach from apply_policies(${tenantId}, null, ${ids}::uuid[], ${codes}::text[])`
  return bounds?.reach ?? []
}

async function withProfiles(tx: TenantTx, rows: readonly BareRow[]): Promise<Omit<MembershipRow, 'place'>[]> {
  const ids = rows.flatMap(({ userId }) => (userId === null ? [] : [userId]))
  const found =
    ids.length === 0
      ? []
      : await tx.sql<(Profile & { id: UserId })[]>`
          select id, email, username, name, first_name, last_name from guest_profiles(${ids}::uuid[])`
  const profiles = new Map(found.map(profile => [profile.id, profile]))
  return rows.map(row => ({ ...row, profile: row.userId === null ? undefined : profiles.get(row.userId) }))
}

async function withPlaces(
  { sql: statement, tenantId }: TenantTx,
  rows: readonly Omit<MembershipRow, 'place'>[],
): Promise<MembershipRow[]> {
  const ids = rows.flatMap(({ positionId }) => (positionId === null ? [] : [positionId]))
  const found =
    ids.length === 0
      ? []
      : await statement<Place[]>`
          select jsonb_build_object('id', p.id, 'title', p.title) as position,
            case when o.id is not null then jsonb_build_object('id', o.id, 'name', o.name) end as "orgUnit"
          from positions p left join org_units o on o.tenant_id = p.tenant_id and o.id = p.org_unit_id
          where p.tenant_id = ${tenantId} and p.id = any(${ids}::uuid[])`
  const places = new Map(found.map(place => [place.position.id, place]))
  return rows.map(row => ({ ...row, place: row.positionId === null ? undefined : places.get(row.positionId) }))
}

/** Those in a position of the unit, or of one below it. */
function worksWithin(tx: TenantTx, id: OrgUnitId): SQL {
  return sql`${memberships.positionId} in (
    select ${positions.id} from ${positions}
    where ${positions.tenantId} = ${tx.tenantId} and ${isWithin(tx, id, positions.orgUnitId)})`
}

/** The names of guests are behind the function that shows this tenant's members alone. */
function isCalled(text: string): SQL {
  const pattern = patternFor(text)
  return sql`(${memberships.invitedEmail} ilike ${pattern} or ${memberships.userId} in (
    select g.id from guest_profiles(array(select m.user_id from memberships m where m.user_id is not null)) g
    where concat_ws(' ', g.email, g.username, g.name, g.first_name, g.last_name) ilike ${pattern}))`
}
