// Whom a verified token speaks for. One principal may serve many requests with the same token: it cannot be changed.
//
// What they may do is decided by the tenant's bundle where it is at hand, and by the token's own list of permissions where
// that is newer or there is nothing else. A token has the list only where no condition of a policy concerns the person.

import { type AccessClaims, type CheckedClaims, freezeClaims, type Holdings } from './claims.ts'
import { AuthError } from './errors.ts'
import type { Decider } from './policies/decider.ts'
import type { Resource, Subject } from './policies/question.ts'
import type { Explanation } from './policies/reasons.ts'

export interface Principal {
  /** User id. */
  readonly subject: string
  /** Tenant id. */
  readonly tenant: string
  /** All claims, without prototypes and frozen to the last leaf. */
  readonly claims: Readonly<AccessClaims>
  /**
   * May they? Without a resource the question is about the tenant itself. Throws an AuthError `bundle_unavailable` where nothing
   * at hand can decide it.
   */
  can(permission: string, resource?: Resource): boolean
  /** The same with its reasons, in the words of the administration API. */
  explain(permission: string, resource?: Resource): Explanation
  hasRole(role: string): boolean
}

/** What the issuer has said about a tenant, if anything is at hand. */
export interface Authority {
  find(tenant: string): { readonly decider: Decider | undefined; readonly confirmedAtMs: number } | undefined
  /** Somebody wants to know more than tokens say: from now on bundles are fetched for every tenant. */
  want(): void
}

export function createPrincipal(checked: CheckedClaims, authority: Authority): Principal {
  return new TokenPrincipal(checked, authority)
}

const noPermissions: ReadonlySet<string> = new Set()

class TokenPrincipal implements Principal {
  readonly subject: string
  readonly tenant: string
  readonly #claims: AccessClaims
  readonly #holdings: Holdings
  readonly #authority: Authority
  readonly #asked: Subject
  #frozen = false
  /** What `#decidedBy` gives outright: looked up for every question, and the same until the bundle changes. */
  #outright = noPermissions
  #decidedBy: Decider | undefined

  constructor({ claims, holdings }: CheckedClaims, authority: Authority) {
    this.subject = holdings.subject
    this.tenant = holdings.tenant
    this.#claims = claims
    this.#holdings = holdings
    this.#authority = authority
    this.#asked = toSubject(holdings)
    Object.freeze(this)
  }

  // Frozen when first looked at: most requests never do, and freezing costs as much as parsing.
  get claims(): Readonly<AccessClaims> {
    if (!this.#frozen) {
      freezeClaims(this.#claims)
      this.#frozen = true
    }
    return this.#claims
  }

  can(permission: string, resource?: Resource): boolean {
    const { permissions } = this.#holdings
    const decider = this.#findDecider()
    if (decider === undefined) return this.#read(permissions).includes(permission)
    if (decider !== this.#decidedBy) {
      this.#decidedBy = decider
      this.#outright = decider.listOutright(this.#asked)
    }
    if (this.#outright.has(permission)) return true
    if (!decider.isByPolicy(this.#asked, permission)) return false
    return decider.isAble
      ? this.#decide(decider, permission, resource).decision
      : this.#read(permissions).includes(permission)
  }

  explain(permission: string, resource?: Resource): Explanation {
    this.#authority.want()
    const decider = this.#findDecider()
    if (decider !== undefined && (decider.isAble || !decider.isByPolicy(this.#asked, permission))) {
      return this.#decide(decider, permission, resource)
    }
    const decision = this.#read(this.#holdings.permissions).includes(permission)
    const message = `The token ${decision ? 'carries' : 'does not carry'} the permission ${permission}.`
    return { decision, reasons: [{ type: 'token', permission, message }] }
  }

  hasRole(role: string): boolean {
    return this.#holdings.roles.includes(role)
  }

  #findDecider(): Decider | undefined {
    const { issuedAtMs, permissions, roles } = this.#holdings
    const bundle = this.#authority.find(this.tenant)
    // Whoever has to change their password first holds an empty list and no role: no policy gives them anything until then.
    if (bundle === undefined || (permissions?.length === 0 && roles.length === 0)) return undefined
    return permissions === undefined || bundle.confirmedAtMs >= issuedAtMs ? bundle.decider : undefined
  }

  #decide(decider: Decider, action: string, resource: Resource = { type: 'Tenant', id: this.tenant }): Explanation {
    try {
      return decider.decide({ subject: this.#asked, action, resource })
    } catch (cause) {
      throw new AuthError('bundle_unavailable', undefined, { cause })
    }
  }

  #read(permissions: readonly string[] | undefined): readonly string[] {
    if (permissions === undefined) {
      // An operator whose services fetch nothing reads what helps.
      throw new AuthError(
        'bundle_unavailable',
        "The token carries no permissions, and its tenant's bundle is not at hand: without one, raise TOKEN_PERMISSIONS_MAX_BYTES.",
      )
    }
    return permissions
  }
}

/** As the administration knows them. Staff of the platform are bound by no policy; whoever has a ceiling is none of them. */
function toSubject({ client, kind, roles, subject }: Holdings): Subject {
  return {
    id: subject,
    kind,
    roles,
    isExempt: client === undefined && roles.includes('super_admin'),
    ...(client !== undefined && { ceiling: { id: client.sub, kind: 'client', roles: client.roles } }),
  }
}
