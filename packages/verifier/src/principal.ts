// Whom a verified token speaks for. One principal may serve many requests with the same token: it cannot be changed.

import { type AccessClaims, type CheckedClaims, freezeClaims, type Holdings } from './claims.ts'
import { holdsPermission } from './need.ts'

export interface Principal {
  /** User id. */
  readonly subject: string
  /** Tenant id. */
  readonly tenant: string
  /** All claims, without prototypes and frozen to the last leaf. */
  readonly claims: Readonly<AccessClaims>
  /** Throws an AuthError `bundle_unavailable` when the token carries no list of permissions. */
  can(permission: string): boolean
  hasRole(role: string): boolean
}

export function createPrincipal(checked: CheckedClaims): Principal {
  return new TokenPrincipal(checked)
}

class TokenPrincipal implements Principal {
  readonly subject: string
  readonly tenant: string
  readonly #claims: AccessClaims
  readonly #holdings: Holdings
  #frozen = false

  constructor({ claims, holdings }: CheckedClaims) {
    this.subject = holdings.subject
    this.tenant = holdings.tenant
    this.#claims = claims
    this.#holdings = holdings
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

  can(permission: string): boolean {
    return holdsPermission(this.#holdings, permission)
  }

  hasRole(role: string): boolean {
    return this.#holdings.roles.includes(role)
  }
}
