/** Who may bring whom with what: per line, so that one line which goes too far stops no other. */
import { lockRoles, type Role } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, lackedPermissions, type RoleId, type UserId } from '@signet/kernel'
import { faultOf, reportFailed } from './outcomes.ts'
import { findForbidden, rolesBesideMember } from './policy.ts'
import { findReachOfNew, findRolesByName, lockClients } from './repo.ts'
import type { Candidate, LineFault, LineReport } from './schema.ts'

/** A person whom the actor may bring, with what the line names found. */
export interface Reviewed {
  readonly candidate: Candidate
  readonly roles: readonly { readonly id: RoleId; readonly name: string }[]
  readonly parentId: UserId | null
}

export interface Review {
  readonly accepted: readonly Reviewed[]
  readonly refused: readonly LineReport[]
}

/** What the actor may not say, and roles that are not there or that hold more than the actor can hand on. */
export async function reviewRoles(tx: TenantTx, actor: Actor, people: readonly Candidate[]): Promise<Review> {
  const names = [...new Set(people.flatMap(rolesBesideMember))]
  const found = await findRolesByName(tx, ['member', ...names])
  const roles = await lockRoles(
    tx,
    found.map(({ id }) => id),
  )
  const roleOf = new Map(roles.map(role => [role.name, role]))
  const surplusOf = await findSurplus(tx, actor, people, roleOf)
  return divide(people, candidate => {
    const given = rolesBesideMember(candidate)
    const faults = [
      ...findForbidden(actor, candidate),
      ...given.flatMap(name => findRoleFault(actor, name, roleOf.get(name))),
    ]
    const surplus = surplusOf.get(setOf(candidate)) ?? []
    if (faults.length === 0 && surplus.length > 0 && !isOwnSubClient(actor, candidate)) {
      faults.push(faultOf('', 'grant-exceeds-own', `This person would hold what you do not: ${surplus.join(', ')}.`))
    }
    if (faults.length > 0) return faults
    return { candidate, roles: given.flatMap(name => roleOf.get(name) ?? []), parentId: null }
  })
}

/**
 * Whoever makes a person may sign in as them: what everybody here has by `member` or by a policy counts as well. By each set of
 * roles that a line has, what of it the actor cannot hand on.
 */
async function findSurplus(
  tx: TenantTx,
  actor: Actor,
  people: readonly Candidate[],
  roleOf: ReadonlyMap<string, Role>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const sets = new Map(people.map(person => [setOf(person), ['member', ...rolesBesideMember(person)]]))
  const surplusOf = new Map<string, readonly string[]>()
  for (const [set, names] of sets) {
    const roles = names.flatMap(name => roleOf.get(name) ?? [])
    const held = [...new Set(roles.flatMap(({ permissions }) => permissions))]
    const ids = roles.map(({ id }) => id)
    surplusOf.set(set, lackedPermissions(actor, await findReachOfNew(tx, ids, held)))
  }
  return surplusOf
}

function setOf(person: Candidate): string {
  return rolesBesideMember(person).toSorted().join('\n')
}

/** What a sub-client has of its client is the client's own. That it is its own, `reviewParents` sees to. */
function isOwnSubClient(actor: Actor, { kind }: Candidate): boolean {
  return actor.kind === 'client' && kind === 'sub_client'
}

function findRoleFault(actor: Actor, name: string, role: Role | undefined): LineFault[] {
  if (role === undefined) return [faultOf('/roles', 'role-not-found', `There is no role ${name} in this tenant.`)]
  const lacked = lackedPermissions(actor, role.reach)
  if (lacked.length === 0) return []
  return [faultOf('/roles', 'grant-exceeds-own', `The role ${name} holds what you do not: ${lacked.join(', ')}.`)]
}

/**
 * The clients of sub-clients. A client makes sub-clients of its own alone, and to it no other client is there (THREATS X-08).
 * @param isExpected is this the identifier of a client that a dry run would have created?
 */
export async function reviewParents(
  tx: TenantTx,
  actor: Actor,
  people: readonly Reviewed[],
  isExpected: (identifier: string) => boolean,
): Promise<Review> {
  const named = new Set(people.map(({ candidate }) => candidate.client ?? ''))
  const clients = await lockClients(tx, [...named])
  const clientOf = new Map(
    clients
      .filter(({ id }) => actor.kind === 'user' || id === actor.userId)
      .flatMap(client =>
        [client.email, client.username, client.phone].map(each => [each?.toLowerCase(), client] as const),
      ),
  )
  return divide(people, person => {
    const identifier = (person.candidate.client ?? '').toLowerCase()
    const client = clientOf.get(identifier)
    if (client === undefined) {
      if (actor.kind === 'user' && isExpected(identifier)) return person
      return [faultOf('/client', 'client-not-found', 'There is no such client in this tenant.')]
    }
    const isHalted = client.status !== 'active' && person.candidate.status !== 'suspended'
    return isHalted ? [faultOf('/client', 'client-not-active')] : { ...person, parentId: client.id }
  })
}

function divide<T extends Candidate | Reviewed>(
  people: readonly T[],
  review: (person: T) => Reviewed | LineFault[],
): Review {
  const accepted: Reviewed[] = []
  const refused: LineReport[] = []
  for (const person of people) {
    const verdict = review(person)
    if (!Array.isArray(verdict)) accepted.push(verdict)
    else refused.push(reportFailed('candidate' in person ? person.candidate : person, verdict))
  }
  return { accepted, refused }
}
