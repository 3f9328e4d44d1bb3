/** Who a verified token speaks for, as the database has it now, and the sessions of that person. */
import { endUserSessions, recordAudit } from '@signet/accounts'
import { inTenant, type TenantTx } from '@signet/db'
import {
  type Actor,
  authorize,
  cursorScope,
  decodeCursor,
  encodeCursor,
  problem,
  type SessionId,
  type TenantId,
  type UserId,
} from '@signet/kernel'
import type { Principal } from '@signet/verifier'
import type { Deps, RequestFacts } from '../../deps.ts'
import { sessionPolicy } from './policy.ts'
import {
  type ActorRow,
  endSession,
  findSession,
  listSessions,
  loadActor,
  loadActorIn,
  type OwnSession,
  type SessionClaims,
} from './repo.ts'
import type { SessionPage } from './schema.ts'

/** An actor at the issuer, who also knows where they are at home and whether their password may stay. */
export interface Self extends Actor {
  /** All of them: a person may read their own. */
  readonly permissions: ReadonlySet<string>
  readonly homeTenantId: TenantId
  readonly mustChangePassword: boolean
  /** The advisor who acts for the person in this session. */
  readonly actorId: UserId | null
}

/** What may be done with a temporary password: look, choose another, sign out. */
interface Leave {
  readonly beforePasswordChange?: true
}

/**
 * The person of a verified token, with what they hold at this moment.
 * @throws Problem `session-ended` where session, person, membership or tenant is over; `password-change-required` without leave
 */
export async function findSelf(
  deps: Pick<Deps, 'database'>,
  principal: Principal,
  request: RequestFacts,
  leave: Leave = {},
): Promise<Self> {
  const claims = sessionOf(principal)
  return toSelf(claims, await loadActor(deps.database, claims), request, leave)
}

/** @throws Problem `session-ended` */
function sessionOf({ subject, tenant, claims }: Principal): SessionClaims {
  if (claims.sid === undefined) throw problem('session-ended')
  return { userId: subject as UserId, tenantId: tenant as TenantId, sessionId: claims.sid as SessionId }
}

/** @throws as {@link findSelf} */
function toSelf(
  claims: SessionClaims,
  row: ActorRow | undefined,
  request: RequestFacts,
  { beforePasswordChange }: Leave = {},
): Self {
  if (row === undefined) throw problem('session-ended')
  if (row.mustChange && beforePasswordChange !== true) throw problem('password-change-required')
  return {
    ...claims,
    roles: new Set(row.roles),
    kind: row.kind,
    permissions: new Set(row.permissions),
    grantable: new Set(row.grantable),
    isPlatformStaff: row.isPlatformStaff,
    request,
    homeTenantId: row.homeTenantId,
    mustChangePassword: row.mustChange,
    actorId: row.actorId,
  }
}

/**
 * As {@link findSelf}, for what only the person may do: nobody who acts for them changes how they get in.
 * @throws Problem `session-ended`, `password-change-required`, `acting-for-somebody`
 */
export async function findSelfInPerson(
  deps: Pick<Deps, 'database'>,
  principal: Principal,
  request: RequestFacts,
  leave: Leave = {},
): Promise<Self> {
  return assertInPerson(await findSelf(deps, principal, request, leave))
}

/**
 * Runs `work` in one transaction in which the person is read as well: what they lost a moment ago they cannot use any more.
 * @throws Problem as {@link findSelfInPerson}
 */
export function actInPerson<T>(
  deps: Pick<Deps, 'database'>,
  principal: Principal,
  request: RequestFacts,
  work: (tx: TenantTx, self: Self) => Promise<T>,
): Promise<T> {
  const claims = sessionOf(principal)
  return inTenant(deps.database, claims.tenantId, async tx =>
    work(tx, assertInPerson(toSelf(claims, await loadActorIn(tx, claims), request))),
  )
}

function assertInPerson(self: Self): Self {
  if (self.actorId !== null) throw problem('acting-for-somebody')
  return self
}

/** @throws Problem `invalid-cursor` */
export async function listOwnSessions(
  deps: Deps,
  self: Self,
  { limit = 50, cursor }: { readonly limit?: number; readonly cursor?: string },
): Promise<SessionPage> {
  const scope = cursorScope(self.tenantId, `sessions of ${self.userId}`, {})
  const [before] = cursor === undefined ? [null] : decodeCursor(deps.keys.cursor, scope, cursor)
  const rows = await listSessions(deps.database, self.userId, { before: before as SessionId | null, limit: limit + 1 })
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    items: shown.map(row => describeSession(row, self)),
    next_cursor: last === undefined ? null : encodeCursor(deps.keys.cursor, scope, [last.id]),
  }
}

/** @throws Problem `session-not-found`, also for the sessions of others */
export async function endOwnSession(deps: Deps, self: Self, id: SessionId, request: RequestFacts): Promise<void> {
  const session = await findSession(deps.database, self.userId, id)
  if (session === undefined) throw problem('session-not-found')
  await endSession(deps.database, authorize(sessionPolicy, 'sessions:delete', self, session), request)
}

/** Ends every session of the person, in every tenant, but the one that asks. */
export async function endOtherSessions(deps: Deps, self: Self): Promise<void> {
  await inTenant(deps.database, self.homeTenantId, async tx => {
    const ended = await endUserSessions(tx, self.userId, { except: self.sessionId, reason: 'ended-by-owner' })
    await recordAudit(tx, {
      action: 'sessions.ended',
      actor: self,
      targetType: 'user',
      targetId: self.userId,
      after: { sessions_ended: ended },
      request: self.request,
    })
  })
}

function describeSession(row: OwnSession, self: Self): SessionPage['items'][number] {
  return {
    id: row.id,
    is_current: row.id === self.sessionId,
    tenant: { id: row.tenantId, slug: row.tenantSlug, name: row.tenantName },
    amr: row.amr,
    ip: row.ip,
    user_agent: row.userAgent,
    authenticated_at: row.authenticatedAt.toISOString(),
    last_used_at: row.lastUsedAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    act: row.actorId === null ? null : { sub: row.actorId },
  }
}
