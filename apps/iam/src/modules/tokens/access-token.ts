/** The access token (RFC 9068): who, in which tenant, with what, and until when. */
import { randomUUID } from 'node:crypto'
import type { SessionId, TenantId, UserId } from '@signet/kernel'
import type { Deps, TokenSettings } from '../../deps.ts'

/** What a session says about its person, as the database has just told. */
export interface SessionFacts {
  readonly sessionId: SessionId
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly roles: readonly string[]
  /** Null where a condition decides about any of them. */
  readonly permissions: readonly string[] | null
  /** Nothing is theirs until the password is changed, and the token says so whatever the settings: an empty list, and no role. */
  readonly isBarred: boolean
  readonly kind: string
  readonly amr: readonly string[]
  readonly authenticatedAt: Date
  /** Who acts for the person. */
  readonly actorId: UserId | null
  /** Where the status list says that the session has ended. */
  readonly statusList: number
  readonly statusIndex: number
  /** Of a sub-client: the client whom it never surpasses. Of nobody who is bound by no policy: verifiers rely on it. */
  readonly client: { readonly id: UserId; readonly roles: readonly string[] } | null
}

/** OAuth's client: there is one in this installation. */
const clientId = 'signet'

export function issueAccessToken(
  { signingKeys, clock, tokens }: Pick<Deps, 'signingKeys' | 'clock' | 'tokens'>,
  facts: SessionFacts,
): string {
  const issuedAt = Math.floor(clock() / 1000)
  const claims: Record<string, unknown> = {
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
    permissions: facts.isBarred || fits(facts.permissions, tokens.permissionsMaxBytes) ? facts.permissions : undefined,
    kind: facts.kind,
    auth_time: Math.floor(facts.authenticatedAt.getTime() / 1000),
    amr: facts.amr,
    // RFC 8693 section 4.1.
    act: facts.actorId === null ? undefined : { sub: facts.actorId },
    client: facts.client === null ? undefined : { sub: facts.client.id, roles: facts.client.roles },
    // draft-ietf-oauth-status-list section 6.2.
    status: { status_list: { idx: facts.statusIndex, uri: statusListUri(tokens, facts.statusList) } },
  }
  for (const { alias, claim } of tokens.claimAliases) claims[alias] = claims[claim]
  return signingKeys.sign('at+jwt', JSON.stringify(claims))
}

/** The claim is left out rather than cut: half of the permissions would be read as all of them. */
function fits(permissions: readonly string[] | null, maxBytes: number): boolean {
  return permissions !== null && Buffer.byteLength(JSON.stringify(permissions)) <= maxBytes
}

/** The address of a list is its name, too: the list's token has it as `sub`. */
export function statusListUri({ issuer }: Pick<TokenSettings, 'issuer'>, list: number): string {
  return `${issuer}/status-lists/${list}`
}
