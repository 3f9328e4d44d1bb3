/** People as this system knew them: whoever belongs to the company, also one who is at home in another tenant of ours. */
import { findPeopleFacts, findUsers, type User } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type IdentityUser, presentIdentityUser } from '@signet/http'
import { Problem, problem, type UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { actAs } from '../../modules/actors/index.ts'
import { listMemberships, type Member, type MembershipRow } from '../../modules/memberships/index.ts'
import { readUser } from '../../modules/users/index.ts'
import type { Caller } from '../../wire/caller.ts'

/** @throws Problem `user-not-found` */
export async function readPerson(deps: Deps, caller: Caller, id: UserId): Promise<IdentityUser> {
  const [person] = await atHomeOrGuest(
    deps,
    caller,
    id,
    async () => presentUsers(deps, caller, [await readUser(deps, caller, id)]),
    async guest => presentGuests(deps, caller, [guest]),
  )
  if (person === undefined) throw problem('user-not-found')
  return person
}

/** Does something to the membership of a person, whether they are at home here or a guest. @throws Problem `user-not-found` */
export function withMember<T>(
  deps: Deps,
  caller: Caller,
  id: UserId,
  work: (member: Member) => Promise<T>,
): Promise<T> {
  return atHomeOrGuest(
    deps,
    caller,
    id,
    () => work({ userId: id }),
    guest => work({ membershipId: guest.id }),
  )
}

async function atHomeOrGuest<T>(
  deps: Deps,
  caller: Caller,
  id: UserId,
  work: () => Promise<T>,
  ofGuest: (membership: MembershipRow) => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'user-not-found') throw error
    const guest = await findGuest(deps, caller, id)
    if (guest === undefined) throw error
    return ofGuest(guest)
  }
}

/** Undefined also for whoever may not see memberships: to them the person does not exist. */
async function findGuest(deps: Deps, caller: Caller, id: UserId): Promise<MembershipRow | undefined> {
  const query = { limit: 1, sort: 'created_at', count: false, user_id: id, is_guest: true } as const
  const page = await whereAllowed(listMemberships(deps, caller, query))
  return page?.items[0]
}

/** Undefined where the caller lacks the permission. */
export async function whereAllowed<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'forbidden') return undefined
    throw error
  })
}

export function presentUsers(deps: Deps, caller: Caller, users: readonly User[]): Promise<IdentityUser[]> {
  return actAs(
    deps,
    caller,
    () => true,
    tx => describeUsers(tx, users),
  )
}

async function describeUsers(tx: TenantTx, users: readonly User[]): Promise<IdentityUser[]> {
  const factsOf = await findPeopleFacts(
    tx,
    users.map(({ id }) => id),
  )
  return users.map(user => presentIdentityUser(user, { companyId: tx.tenantId, ...factsOf(user.id) }))
}

/** Of a guest, the company knows the name and the address; the rest is their home's. */
export function presentGuests(deps: Deps, caller: Caller, guests: readonly MembershipRow[]): Promise<IdentityUser[]> {
  return actAs(
    deps,
    caller,
    () => true,
    async tx => {
      const people = guests.flatMap(guest => (guest.userId === null ? [] : [{ ...guest, userId: guest.userId }]))
      const factsOf = await findPeopleFacts(
        tx,
        people.map(({ userId }) => userId),
      )
      return people.map(({ userId, profile, ...row }) => {
        const person = {
          id: userId,
          email: profile?.email ?? null,
          firstName: profile?.first_name ?? null,
          lastName: profile?.last_name ?? null,
          phone: null,
          avatarKey: null,
          status: 'active',
          emailVerifiedAt: null,
          language: 'en' as const,
          createdAt: row.createdAt,
          updatedAt: row.updatedAt,
        }
        return presentIdentityUser(person, { companyId: tx.tenantId, ...factsOf(userId) })
      })
    },
  )
}

/** Whoever holds a position: people who are at home here, then guests. Invitations are nobody yet. */
export async function presentHolders(
  deps: Deps,
  caller: Caller,
  holders: readonly MembershipRow[],
): Promise<IdentityUser[]> {
  const ids = holders.flatMap(({ isGuest, userId }) => (isGuest || userId === null ? [] : [userId]))
  const atHome = await actAs(deps, caller, 'users:read', async tx => describeUsers(tx, await findUsers(tx, ids)))
  const guests = holders.filter(({ isGuest }) => isGuest)
  return [...atHome, ...(await presentGuests(deps, caller, guests))]
}
