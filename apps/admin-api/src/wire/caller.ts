import { type ServiceKeyHolder, serviceKeyHolderOf, userAgentOf } from '@signet/http'
import { type Actor, isId, type SessionId, type TenantId, type UserId } from '@signet/kernel'
import { AuthError, type Principal } from '@signet/verifier'

/** Who calls, as a verified token says. What they may do is read from the database, in the transaction of the work. */
export interface Caller {
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly sessionId: SessionId
  readonly request: { readonly id: string; readonly ip: string; readonly userAgent: string | null }
}

/** Who acts, when it has been looked at: a person, or a service. */
export type PersonOrService = Actor | ServiceCaller

interface TokenRequest {
  readonly id: string
  readonly ip: string
  readonly headers: { readonly 'user-agent'?: string | undefined }
  readonly principal: Principal
}

/** A service that shows its key, on a route that takes one in the place of a token. */
export interface ServiceCaller extends ServiceKeyHolder {
  readonly request: Caller['request']
}

/** @throws AuthError `invalid_claims` for a token that names no person, tenant or session of ours */
export function callerOf(request: TokenRequest): Caller {
  const { subject, tenant, claims } = request.principal
  if (!isId(subject) || !isId(tenant) || !isId(claims.sid)) throw new AuthError('invalid_claims')
  return {
    userId: subject as UserId,
    tenantId: tenant as TenantId,
    sessionId: claims.sid as SessionId,
    request: { id: request.id, ip: request.ip, userAgent: userAgentOf(request) },
  }
}

/** For routes that take a service key or a token. @throws as `callerOf` */
export function eitherCallerOf(
  request: TokenRequest & Parameters<typeof serviceKeyHolderOf>[0],
): Caller | ServiceCaller {
  const holder = serviceKeyHolderOf(request)
  if (holder === undefined) return callerOf(request)
  return { ...holder, request: { id: request.id, ip: request.ip, userAgent: userAgentOf(request) } }
}
