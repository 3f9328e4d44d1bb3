/** The access token (RFC 9068): who, in which tenant, with what, and until when. */
import { randomUUID } from 'node:crypto'
import type { SessionId, TenantId, UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'

/** What a session says about its person, as the database has just told. */
export interface SessionFacts {
  readonly sessionId: SessionId
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  readonly kind: string
  readonly amr: readonly string[]
  readonly authenticatedAt: Date
  /** Who acts for the person. */
  readonly actorId: UserId | null
}

/** OAuth's client: there is one in this installation. */
const clientId = 'signet'

export function issueAccessToken(
  { signingKeys, clock, tokens }: Pick<Deps, 'signingKeys' | 'clock' | 'tokens'>,
  facts: SessionFacts,
): string {
  const issuedAt = Math.floor(clock() / 1000)
  const permissions = JSON.stringify(facts.permissions)
  // The claim is left out rather than cut: half of the permissions would be read as all of them.
  const fits = Buffer.byteLength(permissions) <= tokens.permissionsMaxBytes
  const claims = JSON.stringify({
    iss: tokens.issuer,
    aud: tokens.audience,
    sub: facts.userId,
    client_id: clientId,
    iat: issuedAt,
    exp: issuedAt + tokens.accessTokenTtlSeconds,
    jti: randomUUID(),
    sid: facts.sessionId,
    tid: facts.tenantId,
    roles: facts.roles,
    permissions: fits ? facts.permissions : undefined,
    kind: facts.kind,
    auth_time: Math.floor(facts.authenticatedAt.getTime() / 1000),
    amr: facts.amr,
    // RFC 8693 section 4.1.
    act: facts.actorId === null ? undefined : { sub: facts.actorId },
  })
  return signingKeys.signAccessToken(claims)
}
