/**
 * Companies as fast-check draws them: roles, people of every kind, policies. People, roles, policies and permissions are named by
 * their place, counted round among those that are there.
 */
import * as fc from 'fast-check'

/** Of the product itself; any role of a company may hold them. */
const builtIn = ['places:read', 'places:create', 'users:list', 'roles:read', 'audit-events:list'] as const
/** Registered by the company's own service, some of them later or never. */
const ofServices = ['goods:read', 'goods:modify', 'bills:read', 'bills:pay'] as const

/** Each company has a service of its own, whose permissions nobody else has. */
export function codesOf(company: string): {
  readonly builtIn: readonly string[]
  readonly ofService: readonly string[]
} {
  return { builtIn, ofService: ofServices.map(code => `${company}-${code}`) }
}

export interface SceneStatement {
  readonly effect: 'permit' | 'forbid'
  readonly principal: 'principal' | 'principal in ?principal' | 'principal == ?principal'
  /** Places of permissions; null for every one. */
  readonly actions: readonly number[] | null
  readonly resource: string
  /** Cedar, with `$role`, `$person` and `$tenant` for whom it names. */
  readonly condition: string
}

export interface ScenePolicy {
  readonly statements: readonly SceneStatement[]
  readonly comment: string
  readonly roles: readonly number[]
  readonly people: readonly number[]
}

export interface ScenePerson {
  readonly kind: 'user' | 'client' | 'sub_client'
  readonly roles: readonly number[]
  /** Place of the client among clients. */
  readonly client: number
}

export interface Scene {
  /** The tenant of the staff themselves, in one of some. */
  readonly isPlatform: boolean
  /** What the service registers, in places among its permissions. */
  readonly registered: readonly number[]
  readonly roles: readonly (readonly number[])[]
  readonly people: readonly ScenePerson[]
  /** Roles of the guest, and of the member of the staff whom the company has taken in. */
  readonly guest: readonly number[]
  readonly staffMember: readonly number[]
  readonly policies: readonly ScenePolicy[]
}

export const place = fc.nat({ max: 99 })
const places = (minLength: number, maxLength: number) => fc.uniqueArray(place, { minLength, maxLength })

const onResource = [
  ' when { resource.is_open }',
  ' when { resource has is_open && resource.is_open }',
  ' unless { resource has is_open && !resource.is_open }',
  ' when { resource has owner_id && resource.owner_id == principal.id }',
  ' when { resource.amount < 100 }',
  ' when { resource has amount && resource.amount + 1 > 100 }',
  ' when { resource.tags.contains("a;b") } // not here; nor here\n',
  ' when { resource has part && resource.part has deep && resource.part.deep.contains(1) }',
  ' when { decimal(resource.rate).lessThan(decimal("1.5")) }',
  ' when { resource has name && resource.name like "a*\\"*" }',
  ' when { resource == principal }',
  ' when { resource is User && resource has kind && resource.kind == "client" }',
  ' when { resource has roles && principal.roles.containsAny(resource.roles) }',
  ' when { resource == Tenant::"$tenant" }',
  ' when { resource in Role::"$role" }',
  ' when { ip(resource.ip).isInRange(ip("10.0.0.0/8")) }',
] as const
const onPrincipal = [
  ' when { principal.kind == "client" }',
  ' unless { ["client", "sub_client"].contains(principal.kind) }',
  ' when { principal.roles.contains("role $number") }',
  ' when { principal in Role::"$role" }',
  ' when { principal == User::"$person" }',
  ' when { principal.tenant_id == "$tenant" }',
  ' unless { principal.roles.contains("super_admin") || principal.roles.contains("member") }',
] as const
const onNothing = [
  ' when { context has mfa && context.mfa }',
  ' when { context.mfa }',
  ' unless { context has mfa }',
  ' when { 9223372036854775807 + 1 > 0 }',
  ' when { true }',
  ' when { false }',
] as const

/** @param conditions how often a statement has one, of ten */
const statementWith = (conditions: number): fc.Arbitrary<SceneStatement> =>
  fc.record({
    effect: fc.constantFrom('permit', 'forbid'),
    principal: fc.constantFrom(
      'principal',
      'principal in ?principal',
      'principal in ?principal',
      'principal == ?principal',
    ),
    actions: fc.option(places(1, 3), { freq: 6 }),
    resource: fc.oneof(
      { weight: 30 - 2 * conditions, arbitrary: fc.constant('resource') },
      {
        weight: conditions,
        arbitrary: fc.constantFrom(
          'resource is Invoice',
          'resource is Billing::Invoice',
          'resource == Invoice::"1"',
          'resource is User in Role::"$role"',
        ),
      },
    ),
    condition: fc.oneof(
      { weight: 10 - conditions, arbitrary: fc.constant('') },
      { weight: conditions, arbitrary: fc.constantFrom(...onResource, ...onPrincipal, ...onNothing) },
    ),
  })

export const policyWith = (conditions: number): fc.Arbitrary<ScenePolicy> =>
  fc.record({
    statements: fc.array(statementWith(conditions), { minLength: 1, maxLength: 3 }),
    comment: fc.constantFrom('', '// said; by nobody\n', '\n\n'),
    roles: places(0, 2),
    people: places(0, 2),
  })

const person: fc.Arbitrary<ScenePerson> = fc.record({
  kind: fc.constantFrom('user', 'client'),
  roles: places(0, 3),
  client: place,
})
const subClient = person.map(each => ({ ...each, kind: 'sub_client' as const }))

/** @param conditions how often a statement has a condition, of ten */
export const sceneWith = (conditions: number): fc.Arbitrary<Scene> =>
  fc.record({
    isPlatform: fc.constantFrom(true, false, false, false),
    registered: places(1, 3),
    roles: fc.array(places(1, 6), { minLength: 2, maxLength: 4 }),
    // At least one of each kind.
    people: fc
      .tuple(
        fc.array(person, { minLength: 1, maxLength: 2 }),
        person,
        fc.array(subClient, { minLength: 1, maxLength: 2 }),
      )
      .map(([some, client, below]) => [...some, { ...client, kind: 'client' as const }, ...below]),
    guest: places(0, 2),
    staffMember: places(0, 2),
    policies: fc.array(policyWith(conditions), { minLength: 2, maxLength: 7 }),
  })
