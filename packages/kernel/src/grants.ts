/**
 * Nothing is written without a grant: `authorize` is the only maker of one, and every writing repo function takes the
 * id from it. Whoever may not see a thing gets the answer for a thing that does not exist.
 */
import type { SessionId, TenantId, UserId } from './ids.ts'
import { type ProblemCode, problem } from './problems.ts'

/** A person, a business account, or a business account below one. */
export type PersonKind = 'user' | 'client' | 'sub_client'

/** Who acts: the person of a verified token, with roles and permissions as the database holds them now. */
export interface Actor {
  readonly userId: UserId
  /** The advisor who acts for the person in this session: events name them. */
  readonly actorId?: UserId | null
  readonly tenantId: TenantId
  readonly sessionId: SessionId
  readonly roles: ReadonlySet<string>
  readonly kind: PersonKind
  /** What they may do now. It is only asked, never listed: a condition of a policy may have to be decided for each answer. */
  readonly permissions: Pick<ReadonlySet<string>, 'has'>
  /** Those of the permissions that no condition can take away from them: what they may hand on. */
  readonly grantable: ReadonlySet<string>
  /** Holds `super_admin` in the platform tenant, whatever tenant the token is for. */
  readonly isPlatformStaff: boolean
  readonly request: { readonly id: string; readonly ip: string; readonly userAgent?: string | null }
}

/** A rule answers true, or says in a sentence what is missing. Pure, so that the whole matrix can be a test. */
export type Rule<R, Who = Actor> = (actor: Who, resource: R) => true | string

/** `Who` is an {@link Actor}, but where people without an account may act (registration). */
export interface Policy<A extends string, R, Who = Actor> {
  /** The action that whoever may see the resource is allowed to do. */
  readonly see: A
  /** What everybody else is told. */
  readonly hidden: ProblemCode
  readonly rules: Readonly<Record<A, Rule<R, Who>>>
}

/** The proof that `actor` may do `action` to `resource`. Made by {@link authorize} alone. */
export class Grant<A extends string, R, Who = Actor> {
  readonly #issued = true
  readonly action: A
  readonly actor: Who
  readonly resource: R

  private constructor(action: A, actor: Who, resource: R) {
    this.action = action
    this.actor = actor
    this.resource = resource
  }

  /** @throws Problem the policy's `hidden` code, or `forbidden` with what is missing */
  static issue<All extends string, A extends All, R, Who>(
    policy: Policy<All, R, Who>,
    action: A,
    actor: Who,
    resource: R,
  ): Grant<A, R, Who> {
    const verdict = policy.rules[action](actor, resource)
    if (verdict === true) return new Grant(action, actor, resource)
    const isVisible = resource === null || policy.rules[policy.see](actor, resource) === true
    throw isVisible ? problem('forbidden', verdict) : problem(policy.hidden)
  }

  /** True for what {@link authorize} made; an object that only looks like a grant has no such private member. */
  static isGrant(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #issued in value && value.#issued
  }
}

/**
 * Asks the policy. `resource` is null for what has no object yet (create, list).
 * @throws Problem `forbidden` (403) to whoever may see the resource, else the policy's `hidden` code (404)
 */
export function authorize<All extends string, A extends All, R, Who = Actor>(
  policy: Policy<All, R, Who>,
  action: A,
  actor: Who,
  resource: R,
): Grant<A, R, Who> {
  return Grant.issue(policy, action, actor, resource)
}

/** The rule that asks for one permission. */
export function holds(permission: string): Rule<unknown> {
  return actor => actor.permissions.has(permission) || `This needs the permission ${permission}.`
}

/** The rule that asks for platform staff. */
export const isPlatformStaff: Rule<unknown> = actor =>
  actor.isPlatformStaff || 'This needs the role super_admin of the platform.'

/**
 * Those of `wanted` that the actor cannot hand on: nobody gives more than they hold. What they hold only while a condition of a
 * policy is true is not theirs to give.
 */
export function lackedPermissions(actor: Pick<Actor, 'grantable'>, wanted: Iterable<string>): string[] {
  return [...new Set(wanted)].filter(code => !actor.grantable.has(code)).toSorted()
}
