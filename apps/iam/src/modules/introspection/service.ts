/**
 * What a token is worth now (RFC 7662), and its end (RFC 7009). A token is worth nothing more than its session, whose state the
 * database tells at this moment; to introspect a refresh token does not spend it.
 */
import { isId, type SessionId } from '@signet/kernel'
import { AuthError, type Principal, type Verifier } from '@signet/verifier'
import type { Deps, RequestFacts } from '../../deps.ts'
import type { RefreshToken } from '../../refresh-token.ts'
import { endSession, findSessionState, type SessionState } from './repo.ts'
import type { Introspection } from './schema.ts'

type Verify = Pick<Verifier, 'verify'>

const inactive: Introspection = { active: false }

export async function introspectToken(deps: Deps, verifier: Verify, text: string): Promise<Introspection> {
  const refreshToken = deps.refreshTokens.read(text)
  if (refreshToken !== undefined) return introspectRefreshToken(deps, refreshToken)
  const principal = await verifyAccessToken(verifier, text)
  return principal === undefined ? inactive : introspectAccessToken(deps, principal)
}

/** Ends the session of a token. Tells nothing about what is no token of ours: there is nothing to end. */
export async function revokeToken(deps: Deps, verifier: Verify, text: string, request: RequestFacts): Promise<void> {
  const sessionId = deps.refreshTokens.read(text)?.sessionId ?? (await verifyAccessToken(verifier, text))?.claims.sid
  if (isId(sessionId)) await endSession(deps.database, sessionId as SessionId, request)
}

async function introspectRefreshToken(deps: Deps, { sessionId, hash }: RefreshToken): Promise<Introspection> {
  const state = await findSessionState(deps.database, sessionId, hash)
  if (state === undefined) return inactive
  return {
    active: true,
    token_type: 'refresh_token',
    client_id: 'signet',
    exp: Math.floor(state.refreshExpiresAt.getTime() / 1_000),
    iat: Math.floor(state.rotatedAt.getTime() / 1_000),
    // A refresh token is for its issuer and nobody else.
    aud: deps.tokens.issuer,
    iss: deps.tokens.issuer,
    sid: sessionId,
    ...describeState(state),
  }
}

async function introspectAccessToken(deps: Deps, { subject, tenant, claims }: Principal): Promise<Introspection> {
  const { sid = '', client_id: clientId, exp, iat, iss, jti } = claims
  if (!isId(sid)) return inactive
  const state = await findSessionState(deps.database, sid as SessionId, null)
  if (state === undefined || state.userId !== subject || state.tenantId !== tenant) return inactive
  return {
    active: true,
    token_type: 'Bearer',
    client_id: clientId,
    exp,
    iat,
    aud: deps.tokens.audience,
    iss,
    jti,
    sid,
    ...describeState(state),
  }
}

function describeState({ userId, tenantId, username, roles, permissions, actorId }: SessionState) {
  const act = actorId === null ? {} : { act: { sub: actorId } }
  return { sub: userId, tid: tenantId, username, roles, permissions, ...act }
}

/** Undefined for whatever is no valid access token of this issuer. */
async function verifyAccessToken(verifier: Verify, text: string): Promise<Principal | undefined> {
  try {
    return await verifier.verify(text)
  } catch (error) {
    if (error instanceof AuthError && error.status === 401) return undefined
    throw error
  }
}
