// What a caller must hold. An unknown member or an empty alternative is a programmer's mistake and throws a TypeError:
// a misspelt need must never let everyone in.

import type { Holdings } from './claims.ts'
import { AuthError } from './errors.ts'

/** Every member that is given must be met. A list means all of its items, `anyPermission` one of them. */
export interface Need {
  readonly permissions?: readonly string[]
  readonly anyPermission?: readonly string[]
  readonly roles?: readonly string[]
  /** Values of the token's `scope` claim. */
  readonly scopes?: readonly string[]
  /** The tenant's id. */
  readonly tenant?: string
}

/** Throws a TypeError for a need that could not mean what was intended. */
export function assertNeed(need: unknown): asserts need is Need {
  if (typeof need !== 'object' || need === null || Array.isArray(need)) throw new TypeError('need must be an object')
  for (const [name, value] of Object.entries(need)) {
    switch (name) {
      case 'permissions':
      case 'anyPermission':
      case 'roles':
      case 'scopes':
        assertNames(name, value)
        break
      case 'tenant':
        if (typeof value !== 'string' || value === '') throw new TypeError('need.tenant must be a tenant id')
        break
      default:
        throw new TypeError(`need.${name} is not known`)
    }
  }
}

/** Throws `forbidden`, `insufficient_scope` or `bundle_unavailable` when what the token holds does not meet the need. */
export function assertPermitted(holdings: Holdings, need: Need): void {
  assertNeed(need)
  if (need.tenant !== undefined && need.tenant !== holdings.tenant) {
    throw new AuthError('forbidden', 'The token belongs to another tenant.')
  }
  for (const role of need.roles ?? []) {
    if (!holdings.roles.includes(role)) {
      throw new AuthError('forbidden', `This needs the role ${role}, which the token does not carry.`)
    }
  }
  for (const scope of need.scopes ?? []) {
    if (!holdings.scope?.split(' ').includes(scope)) throw insufficient('scope', scope)
  }
  for (const permission of need.permissions ?? []) {
    if (!holdsPermission(holdings, permission)) throw insufficient('permission', permission)
  }
  if (need.anyPermission !== undefined && !need.anyPermission.some(item => holdsPermission(holdings, item))) {
    throw insufficient('permission', need.anyPermission.join(' or '))
  }
}

/** Throws `bundle_unavailable` for a token without the claim `permissions`: then nobody knows, and no is no answer. */
export function holdsPermission(holdings: Holdings, permission: string): boolean {
  if (holdings.permissions === undefined) {
    throw new AuthError(
      'bundle_unavailable',
      'The token carries no permissions because they were too many. Raise TOKEN_PERMISSIONS_MAX_BYTES at the issuer.',
    )
  }
  return holdings.permissions.includes(permission)
}

function insufficient(kind: 'permission' | 'scope', names: string): AuthError {
  return new AuthError('insufficient_scope', `This needs the ${kind} ${names}, which the token does not carry.`)
}

function assertNames(name: string, value: unknown): void {
  if (!Array.isArray(value) || value.length === 0 || !value.every(item => typeof item === 'string' && item !== '')) {
    throw new TypeError(`need.${name} must be a list of names that is not empty`)
  }
}
