import { userAgentOf } from '@signet/http'
import { isId, type SessionId, type TenantId, type UserId } from '@signet/kernel'
import { AuthError, type Principal } from '@signet/verifier'

/** Who calls, as a verified token says. What they may do is read from the database, in the transaction of the work. */
export interface Caller {
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly sessionId: SessionId
  readonly request: { readonly id: string; readonly ip: string; readonly userAgent: string | null }
}

/** @throws AuthError `invalid_claims` for a token that names no person, tenant or session of ours */
export function callerOf(request: {
  id: string
  ip: string
  headers: { 'user-agent'?: string | undefined }
  principal: Principal
}): Caller {
  const { subject, tenant, claims } = request.principal
  if (!isId(subject) || !isId(tenant) || !isId(claims.sid)) throw new AuthError('invalid_claims')
  return {
    userId: subject as UserId,
    tenantId: tenant as TenantId,
    sessionId: claims.sid as SessionId,
    request: { id: request.id, ip: request.ip, userAgent: userAgentOf(request) },
  }
}
