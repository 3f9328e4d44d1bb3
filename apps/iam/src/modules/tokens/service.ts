import { eventReceiver } from '@signet/delivery'
import { type Actor, newId, problem, type SessionId, type TenantId, type UserId } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import type { TokenGrant } from '../../metrics.ts'
import { issueAccessToken, type SessionFacts } from './access-token.ts'
import type { RefreshToken } from '../../refresh-token.ts'
import {
  endSession,
  enterTenant,
  findCeiling,
  type NewSession,
  openSession,
  type RefreshRow,
  refreshSession,
  type SessionRow,
} from './repo.ts'
import type { TokenAnswer } from './schema.ts'

export type SignedIn = Omit<NewSession, 'token' | 'event'>

/**
 * Opens a session for somebody who has shown who they are.
 * @returns undefined where what was checked holds no longer
 */
export async function signIn(deps: Deps, person: SignedIn, request: RequestFacts): Promise<TokenAnswer | undefined> {
  const token = deps.refreshTokens.create(newId<SessionId>())
  const event = deps.sendsEvents ? loginEvent(deps, person) : undefined
  const row = await openSession(deps.database, deps.tokens, { ...person, token, event }, request)
  if (row === undefined) return undefined
  const answer = await issueTokens(deps, person.way, token, person, row)
  deps.counts.signedIn(person.way)
  return answer
}

function loginEvent(deps: Deps, { userId, tenantId, way }: SignedIn) {
  const payload = { user_id: userId, tenant_id: tenantId, way }
  return { ...deps.outbox.seal('user.login', { payload }), recipient: eventReceiver }
}

const refusals = {
  invalid: 'invalid-refresh-token',
  ended: 'session-ended',
  reused: 'refresh-token-reused',
} as const

/**
 * Spends a refresh token.
 * @throws Problem `invalid-refresh-token`, `refresh-token-reused`, `session-ended`
 */
export async function refreshTokens(deps: Deps, text: string, request: RequestFacts): Promise<TokenAnswer> {
  const refuse = (reason: keyof typeof refusals) => {
    deps.counts.refreshRefused(reason)
    return problem(refusals[reason])
  }
  const presented = deps.refreshTokens.read(text)
  if (presented === undefined) throw refuse('invalid')
  const successor = deps.refreshTokens.succeed(presented)
  const row = await refreshOnce(deps, presented, successor, request)
  if (row === undefined) throw refuse('invalid')
  if (row.outcome === 'ended' || row.outcome === 'reused') throw refuse(row.outcome)
  return issueTokens(deps, 'refresh', successor, row, row)
}

/** What the database did with the token. Where nobody knows, a repeat counts as presented now (decision 0022). */
async function refreshOnce(
  { clock, database, tokens, unanswered }: Deps,
  presented: RefreshToken,
  successor: RefreshToken,
  request: RequestFacts,
): Promise<RefreshRow | undefined> {
  const presentedAt = unanswered.since(presented) ?? clock()
  try {
    const row = await refreshSession(database, tokens, { presented, presentedAt, successor, request })
    unanswered.answered(presented)
    return row
  } catch (error) {
    unanswered.add(presented, presentedAt)
    throw error
  }
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
  return issueTokens(deps, 'tenant', token, { userId: actor.userId, tenantId }, row)
}

/** The tokens of a session that a function has just opened or refreshed. */
export async function issueTokens(
  deps: Deps,
  granted: TokenGrant,
  token: RefreshToken,
  { userId, tenantId }: { readonly userId: UserId; readonly tenantId: TenantId },
  row: SessionRow,
): Promise<TokenAnswer> {
  return {
    access_token: await issueTokenOf(deps, granted, { sessionId: token.sessionId, userId, tenantId }, row),
    token_type: 'Bearer',
    expires_in: deps.tokens.accessTokenTtlSeconds,
    refresh_token: token.text,
    refresh_expires_in: row.refreshExpiresIn,
    ...(row.mustChange ? { password_change_required: true } : {}),
  }
}

/**
 * The access token of a session, as the database has just told of it.
 * @throws Problem `session-ended` where a sub-client is none of an active client any more
 */
export async function issueTokenOf(
  deps: Deps,
  granted: TokenGrant,
  session: Pick<SessionFacts, 'sessionId' | 'userId' | 'tenantId'>,
  row: SessionRow,
): Promise<string> {
  // Whoever has to change their password first holds nothing until then, also where nobody asks the database.
  const held = row.mustChange ? { roles: [], permissions: [] } : { roles: row.roles, permissions: row.permissions }
  const { kind, amr, authenticatedAt, actorId, statusList, statusIndex } = row
  const client = kind === 'sub_client' ? await findCeilingOf(deps, session) : null
  const isBarred = row.mustChange
  const facts = { ...session, ...held, isBarred, kind, amr, authenticatedAt, actorId, statusList, statusIndex, client }
  const token = issueAccessToken(deps, facts)
  deps.counts.tokenIssued(granted)
  return token
}

/** A token that did not name the client would be worth more than the client's own. */
async function findCeilingOf(
  deps: Deps,
  { tenantId, userId }: Pick<SessionFacts, 'userId' | 'tenantId'>,
): Promise<SessionFacts['client']> {
  const ceiling = await findCeiling(deps.database, tenantId, userId)
  if (ceiling === undefined) throw problem('session-ended')
  return ceiling
}
