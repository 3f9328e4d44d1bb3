import { type Actor, newId, problem, type SessionId, type TenantId, type UserId } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import { issueAccessToken } from './access-token.ts'
import type { RefreshToken } from '../../refresh-token.ts'
import { endSession, enterTenant, openSession, refreshSession, type SessionRow } from './repo.ts'
import type { TokenAnswer } from './schema.ts'

/**
 * Signs a person in whose password was checked against `checkedHash`.
 * @returns undefined where what was checked holds no longer
 */
export async function signIn(
  deps: Deps,
  person: { readonly userId: UserId; readonly tenantId: TenantId; readonly checkedHash: string },
  request: RequestFacts,
): Promise<TokenAnswer | undefined> {
  const token = deps.refreshTokens.create(newId<SessionId>())
  const row = await openSession(deps.database, deps.tokens, { ...person, token }, request)
  return row === undefined ? undefined : answer(deps, token, person, row)
}

/**
 * Spends a refresh token.
 * @throws Problem `invalid-refresh-token`, `refresh-token-reused`, `session-ended`
 */
export async function refreshTokens(deps: Deps, text: string, request: RequestFacts): Promise<TokenAnswer> {
  const presented = deps.refreshTokens.read(text)
  if (presented === undefined) throw problem('invalid-refresh-token')
  const successor = deps.refreshTokens.succeed(presented)
  const row = await refreshSession(deps.database, deps.tokens, presented, successor, request)
  if (row === undefined) throw problem('invalid-refresh-token')
  if (row.outcome === 'ended') throw problem('session-ended')
  if (row.outcome === 'reused') throw problem('refresh-token-reused')
  return answer(deps, successor, row, row)
}

/** Ends the session of the token. Tells nothing about tokens that are none (RFC 7009 section 2.2). */
export async function revokeTokens(deps: Deps, text: string, request: RequestFacts): Promise<void> {
  const presented = deps.refreshTokens.read(text)
  if (presented !== undefined) await endSession(deps.database, presented.sessionId, request)
}

/**
 * Tokens for another tenant: a session of its own there, with the time and the methods of the first sign-in.
 * @throws Problem `tenant-not-found`, `session-ended`
 */
export async function enterOtherTenant(
  deps: Deps,
  actor: Pick<Actor, 'userId' | 'sessionId'>,
  tenantId: TenantId,
  request: RequestFacts,
): Promise<TokenAnswer> {
  const token = deps.refreshTokens.create(newId<SessionId>())
  const row = await enterTenant(deps.database, deps.tokens, actor, tenantId, token, request)
  if (row.outcome === 'ended') throw problem('session-ended')
  if (row.outcome === 'refused') throw problem('tenant-not-found')
  return answer(deps, token, { userId: actor.userId, tenantId }, row)
}

function answer(
  deps: Deps,
  token: RefreshToken,
  { userId, tenantId }: { readonly userId: UserId; readonly tenantId: TenantId },
  row: SessionRow,
): TokenAnswer {
  const { roles, permissions, kind, amr, authenticatedAt } = row
  return {
    access_token: issueAccessToken(deps, {
      sessionId: token.sessionId,
      userId,
      tenantId,
      roles,
      permissions,
      kind,
      amr,
      authenticatedAt,
    }),
    token_type: 'Bearer',
    expires_in: deps.tokens.accessTokenTtlSeconds,
    refresh_token: token.text,
    refresh_expires_in: row.refreshExpiresIn,
    ...(row.mustChange ? { password_change_required: true } : {}),
  }
}
