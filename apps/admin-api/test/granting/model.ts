/**
 * Who holds what, in plain sets: written from the guide and not from the SQL, so that the two check each other. It knows
 * nothing of who may do what; it says what a person has once it was done.
 */

/** What the commands need. */
export const tools = [
  'roles:create',
  'roles:modify',
  'roles:delete',
  'memberships:create',
  'memberships:modify',
  'users:create',
  'users:modify',
  'users:delete',
  'policies:create',
  'policies:modify',
  'policies:delete',
  'clients:create',
  'clients:modify',
  'sub-clients:create',
  'sub-clients:modify',
] as const
/** What there is to gain: somebody with all the tools and none of these is who should be kept from them. */
export const treasures = ['audit-events:list', 'audit-events:read', 'tenants:modify'] as const
export const codes = [...tools, ...treasures] as const
export type Code = (typeof codes)[number]

export interface Statement {
  readonly effect: 'permit' | 'forbid'
  /** Null for every one. */
  readonly actions: readonly Code[] | null
  /** Of whom it speaks: of those it is attached to, or of everybody. */
  readonly of: 'attached' | 'everybody'
  /** What its condition reads; `role` asks whether the person has the role that is called {@link keyName}. */
  readonly condition: 'none' | 'resource' | 'principal' | 'role'
}

/** What conditions on roles look for. */
export const keyName = 'key'

export interface Role {
  readonly id: string
  readonly name: string
  readonly holds: ReadonlySet<Code>
  /** The roles that every tenant has: they stay as they are. */
  readonly isBuiltIn: boolean
}

export interface Policy {
  readonly id: string
  readonly statement: Statement
  /** Ids of people and of roles. */
  readonly holders: ReadonlySet<string>
}

export interface Person {
  readonly id: string
  readonly kind: 'user' | 'client' | 'sub_client' | 'invitation'
  readonly clientId: string | null
  readonly roles: ReadonlySet<string>
}

export interface Model {
  /** The role that everybody has. */
  readonly member: string
  readonly roles: Map<string, Role>
  readonly policies: Map<string, Policy>
  readonly people: Map<string, Person>
}

/** What somebody may whatever the conditions say; may at most; and holds so firmly that they may hand it on. */
export interface Bounds {
  readonly permissions: ReadonlySet<Code>
  readonly reach: ReadonlySet<Code>
  readonly grantable: ReadonlySet<Code>
}

/** The bounds, and what the conditions leave of them on a resource that says nothing and on one that is open. */
export interface Holdings extends Bounds {
  readonly held: ReadonlySet<Code>
  readonly heldWhereOpen: ReadonlySet<Code>
}

export const boundNames = ['permissions', 'reach', 'grantable'] as const
export const holdingNames = [...boundNames, 'held', 'heldWhereOpen'] as const

export function holdingsOf(model: Model, person: Person): Holdings {
  const own = ownHoldings(model, person)
  const client = person.clientId === null ? undefined : model.people.get(person.clientId)
  if (client === undefined) return own
  const ceiling = holdingsOf(model, client)
  return {
    permissions: both(own.permissions, ceiling.permissions),
    reach: both(own.reach, ceiling.reach),
    grantable: both(own.grantable, ceiling.grantable),
    held: both(own.held, ceiling.held),
    heldWhereOpen: both(own.heldWhereOpen, ceiling.heldWhereOpen),
  }
}

/** Without the ceiling of a sub-client: what it has been given, be it of use today or once its client holds more. */
export function ownHoldings({ roles, policies }: Model, { id, kind, roles: assigned }: Person): Holdings {
  const given = new Set<Code>([...assigned].flatMap(role => [...(roles.get(role)?.holds ?? [])]))
  const statements = [...policies.values()]
    .filter(
      ({ statement, holders }) =>
        statement.of === 'everybody' || holders.has(id) || [...assigned].some(role => holders.has(role)),
    )
    .map(({ statement }) => statement)
  const hasKey = [...assigned].some(role => roles.get(role)?.name === keyName)
  const isMet = {
    none: true,
    principal: kind !== 'client' && kind !== 'sub_client',
    role: hasKey,
  }
  const [permissions, reach, grantable] = [new Set<Code>(), new Set<Code>(), new Set<Code>()]
  const [held, heldWhereOpen] = [new Set<Code>(), new Set<Code>()]
  for (const code of codes) {
    const about = statements.filter(({ actions }) => actions === null || actions.includes(code))
    const firm = about.filter(({ condition }) => condition === 'none')
    const loose = about.filter(({ condition }) => condition !== 'none')
    const mayBe = (met: readonly Statement[]) =>
      !met.some(({ effect }) => effect === 'forbid') &&
      (given.has(code) || met.some(({ effect }) => effect === 'permit'))
    if (mayBe(about.filter(({ condition }) => condition !== 'resource' && isMet[condition]))) held.add(code)
    if (mayBe(about.filter(({ condition }) => condition === 'resource' || isMet[condition]))) heldWhereOpen.add(code)
    if (firm.some(({ effect }) => effect === 'forbid')) continue
    const has = given.has(code) || firm.some(({ effect }) => effect === 'permit')
    if (has) permissions.add(code)
    if (has || loose.some(({ effect }) => effect === 'permit')) reach.add(code)
    // A condition on the resource alone, said of everybody, holds for the granter as for whoever is granted.
    const binds = ({ effect, of, condition }: Statement) =>
      effect === 'forbid' && (of === 'attached' || condition !== 'resource')
    if (has && !loose.some(binds)) grantable.add(code)
  }
  return { permissions, reach, grantable, held, heldWhereOpen }
}

/** Those of `all` that are not among `taken`. */
export function without<T>(all: Iterable<T>, taken: Iterable<T>): Set<T> {
  const gone = new Set(taken)
  return new Set([...all].filter(each => !gone.has(each)))
}

function both<T>(some: ReadonlySet<T>, others: ReadonlySet<T>): Set<T> {
  return new Set([...some].filter(each => others.has(each)))
}

/** As an administrator would write it. */
export function cedarOf({ effect, actions, of, condition }: Statement): string {
  const principal = of === 'attached' ? 'principal in ?principal' : 'principal'
  const action = actions === null ? 'action' : `action in [${actions.map(code => `Action::"${code}"`).join(', ')}]`
  const when = {
    none: '',
    resource: ' when { resource has is_open && resource.is_open }',
    principal: ' when { principal.kind == "user" }',
    role: ` when { principal.roles.contains("${keyName}") }`,
  }[condition]
  return `${effect} (${principal}, ${action}, resource)${when};`
}
