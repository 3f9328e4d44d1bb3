// A claim is used only after its type was checked: a signature proves who wrote a claim, not that it has a usable form.

import {
  assertActor,
  assertAudience,
  assertClient,
  assertDate,
  assertText,
  assertTexts,
  readStatusReference,
} from './assert.ts'
import { AuthError } from './errors.ts'
import { parseObject } from './jws.ts'

/** The claims of an access token (RFC 9068), as checked. Times are in seconds since 1970. */
export interface AccessClaims {
  readonly iss: string
  readonly aud: string | readonly string[]
  /** User id. */
  readonly sub: string
  readonly client_id: string
  readonly iat: number
  readonly exp: number
  readonly nbf?: number
  readonly jti: string
  /** Tenant id. */
  readonly tid: string
  /** Session id. */
  readonly sid?: string
  readonly roles?: readonly string[]
  /** Left out by the issuer when the list would make the token too large. */
  readonly permissions?: readonly string[]
  /** Space-separated (RFC 8693 section 4.2). */
  readonly scope?: string
  readonly kind?: string
  readonly auth_time?: number
  readonly amr?: readonly string[]
  /** Who acts for the subject. */
  readonly act?: { readonly sub: string }
  /** Where it stands whether the session has ended (Token Status List). */
  readonly status?: { readonly status_list?: StatusReference }
  /** A sub-client's client, beyond whom the sub-client never gets. */
  readonly client?: { readonly sub: string; readonly roles: readonly string[] }
  readonly [claim: string]: unknown
}

export interface StatusReference {
  readonly idx: number
  readonly uri: string
}

/** What the claims must say. */
export interface ClaimRules {
  readonly issuer: string
  readonly audiences: readonly string[]
}

/** What decisions are made from, read from the claims' own members only. */
export interface Holdings {
  readonly subject: string
  readonly tenant: string
  readonly roles: readonly string[]
  /** Undefined when the issuer left the claim out. */
  readonly permissions: readonly string[] | undefined
  readonly scope: string | undefined
  readonly kind: string
  readonly client: AccessClaims['client']
  /** `iat`, in milliseconds. */
  readonly issuedAtMs: number
}

export interface CheckedClaims {
  /** As parsed: not yet frozen. */
  readonly claims: AccessClaims
  readonly holdings: Holdings
  readonly status: StatusReference | undefined
  /** The later of `iat` and `nbf`, in seconds. */
  readonly startsAt: number
  /** `exp`, in seconds. */
  readonly endsAt: number
}

/** Parses a payload whose signature has been verified, and checks every claim that something depends on. */
export function readClaims(payload: string, rules: ClaimRules): CheckedClaims {
  const claims = parseObject(payload)
  const iss = own(claims, 'iss')
  assertText('iss', iss)
  const aud = own(claims, 'aud')
  assertAudience(aud)
  const subject = own(claims, 'sub')
  assertText('sub', subject)
  const tenant = own(claims, 'tid')
  assertText('tid', tenant)
  assertText('client_id', own(claims, 'client_id'))
  assertText('jti', own(claims, 'jti'))
  const endsAt = own(claims, 'exp')
  assertDate('exp', endsAt)
  const issuedAt = own(claims, 'iat')
  assertDate('iat', issuedAt)
  const notBefore = own(claims, 'nbf')
  if (notBefore !== undefined) assertDate('nbf', notBefore)
  const roles = own(claims, 'roles')
  if (roles !== undefined) assertTexts('roles', roles)
  const permissions = own(claims, 'permissions')
  if (permissions !== undefined) assertTexts('permissions', permissions)
  const scope = own(claims, 'scope')
  if (scope !== undefined) assertText('scope', scope)
  const sid = own(claims, 'sid')
  if (sid !== undefined) assertText('sid', sid)
  const kind = own(claims, 'kind')
  if (kind !== undefined) assertText('kind', kind)
  const authTime = own(claims, 'auth_time')
  if (authTime !== undefined) assertDate('auth_time', authTime)
  const methods = own(claims, 'amr')
  if (methods !== undefined) assertTexts('amr', methods)
  const actor = own(claims, 'act')
  if (actor !== undefined) assertActor('act', actor)
  const client = own(claims, 'client')
  if (client !== undefined) assertClient(client)
  const status = own(claims, 'status')
  if (iss !== rules.issuer) throw new AuthError('wrong_issuer')
  if (!isMeantFor(aud, rules.audiences)) throw new AuthError('wrong_audience')
  return {
    claims: claims as AccessClaims,
    holdings: {
      subject,
      tenant,
      roles: roles ?? [],
      permissions,
      scope,
      kind: kind ?? 'user',
      client,
      issuedAtMs: issuedAt * 1000,
    },
    status: status === undefined ? undefined : readStatusReference(status),
    startsAt: notBefore === undefined ? issuedAt : Math.max(issuedAt, notBefore),
    endsAt,
  }
}

/** Freezes claims to the last leaf and takes away every object's prototype, whatever the depth. */
export function freezeClaims(claims: AccessClaims): void {
  const pending: object[] = [claims]
  for (const node of pending) {
    for (const value of Object.values(node)) {
      if (typeof value === 'object' && value !== null) pending.push(value)
    }
    if (!Array.isArray(node)) Object.setPrototypeOf(node, null)
    Object.freeze(node)
  }
}

function isMeantFor(audience: string | readonly string[], accepted: readonly string[]): boolean {
  if (typeof audience === 'string') return accepted.includes(audience)
  return audience.some(name => accepted.includes(name))
}

// A polluted Object.prototype must not add a claim that the issuer left out.
function own(claims: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}
