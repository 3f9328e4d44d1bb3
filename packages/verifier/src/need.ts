// What a caller must hold. An unknown member or an empty alternative is a programmer's mistake and throws a TypeError:
// a misspelt need must never let everyone in.

import type { Holdings } from './claims.ts'
import { AuthError } from './errors.ts'
import type { Principal } from './principal.ts'

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

const lists = ['permissions', 'anyPermission', 'roles', 'scopes']

/** Throws a TypeError for a need that could not mean what was intended. */
export function assertNeed(need: unknown): asserts need is Need {
  if (typeof need !== 'object' || need === null || Array.isArray(need)) throw new TypeError('need must be an object')
  for (const [name, value] of Object.entries(need)) {
    if (name === 'tenant') {
      if (typeof value !== 'string' || value === '') throw new TypeError('need.tenant must be a tenant id')
    } else if (lists.includes(name)) assertNames(name, value)
    else throw new TypeError(`need.${name} is not known`)
  }
}

/** Throws `forbidden`, `insufficient_scope` or `bundle_unavailable` when who is asked about does not meet the need. */
export function assertPermitted(principal: Principal, { roles, scope }: Holdings, need: Need): void {
  assertNeed(need)
  if (need.tenant !== undefined && need.tenant !== principal.tenant) {
    throw new AuthError('forbidden', 'The token belongs to another tenant.')
  }
  for (const role of need.roles ?? []) {
    if (!roles.includes(role)) {
      throw new AuthError('forbidden', `This needs the role ${role}, which the token does not carry.`)
    }
  }
  for (const name of need.scopes ?? []) {
    if (!scope?.split(' ').includes(name)) throw insufficient('scope', name)
  }
  for (const permission of need.permissions ?? []) {
    if (!principal.can(permission)) throw insufficient('permission', permission)
  }
  if (need.anyPermission !== undefined && !need.anyPermission.some(permission => principal.can(permission))) {
    throw insufficient('permission', need.anyPermission.join(' or '))
  }
}

function insufficient(kind: 'permission' | 'scope', names: string): AuthError {
  return new AuthError('insufficient_scope', `This needs the ${kind} ${names}, which the token does not carry.`)
}

function assertNames(name: string, value: unknown): void {
  if (!Array.isArray(value) || value.length === 0 || !value.every(item => typeof item === 'string' && item !== '')) {
    throw new TypeError(`need.${name} must be a list of names that is not empty`)
  }
}
