import type { TenantTx } from '@signet/db'
import { type Grant, type MembershipId, newId, type RoleId, type UserId } from '@signet/kernel'
import { recordAudits } from './audit-repo.ts'
import { insertHomeMemberships, insertUsers, planForMany } from './import-repo.ts'
import { insertPasswords } from './password-repo.ts'
import type { TenantRef, User } from './user.ts'

/** A person who comes from another system. The hash is one that `findHashFault` finds nothing against. */
export interface ImportedUser {
  readonly kind: User['kind']
  /** The client of a sub-client. */
  readonly parentId: UserId | null
  /** Folded. */
  readonly email: string | null
  readonly isEmailVerified: boolean
  /** E.164. */
  readonly phone: string | null
  readonly isPhoneVerified: boolean
  readonly username: string | null
  readonly name: string | null
  readonly firstName: string | null
  readonly lastName: string | null
  readonly language: User['language']
  readonly status: 'active' | 'suspended'
  readonly passwordHash: string | null
  readonly mustChange: boolean
  /** Beside `member`, which everybody has. */
  readonly roles: readonly { readonly id: RoleId; readonly name: string }[]
  /** What the person was called there: it stands in the event and nowhere else. */
  readonly externalId: string | null
}

/**
 * Many people at once, each with their password, their membership at home and their roles; audited as `user.imported`, one
 * event a person. Whoever has an identifier that is in use is left out, and nobody is changed.
 * @returns the id of each, in their order; null for those who were left out
 */
export async function importUsers(
  tx: TenantTx,
  grant: Grant<'users:create', TenantRef>,
  people: readonly ImportedUser[],
): Promise<(UserId | null)[]> {
  const drafts = people.map(person => ({ ...person, id: newId<UserId>(), membershipId: newId<MembershipId>() }))
  await planForMany(tx)
  const made = await insertUsers(tx, grant, drafts)
  const created = drafts.filter(({ id }) => made.has(id))
  if (created.length > 0) {
    await insertHomeMemberships(tx, grant, created)
    await insertPasswords(tx, grant, created)
    await recordAudits(
      tx,
      created.map(person => ({
        action: 'user.imported',
        actor: grant.actor,
        targetType: 'user',
        targetId: person.id,
        after: describeImported(person),
        request: grant.actor.request,
      })),
    )
  }
  return drafts.map(({ id }) => (made.has(id) ? id : null))
}

function describeImported(person: ImportedUser): Record<string, unknown> {
  const { kind, parentId, email, phone, username, name, firstName, lastName, language, status, externalId } = person
  const members = {
    kind,
    client_id: parentId,
    email,
    email_verified: person.isEmailVerified || null,
    phone,
    phone_verified: person.isPhoneVerified || null,
    username,
    name,
    first_name: firstName,
    last_name: lastName,
    language,
    status,
    roles: person.roles.length === 0 ? null : person.roles.map(role => role.name),
    external_id: externalId,
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))
}
