/** The devices on which a person is signed in, for whoever administers the person: in their home tenant alone. */
import { endUserSessions, findUser, recordAudit, type User } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import {
  type Actor,
  authorize,
  cursorScope,
  decodeCursor,
  encodeCursor,
  type Grant,
  type Page,
  problem,
  type SessionId,
  type UserId,
} from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { findStanding, lockUser, userPolicy } from '../users/index.ts'
import { endSession, listSessions, type Session } from './repo.ts'
import type { SessionQuery } from './schema.ts'

export type { Session }

/** The newest first. @throws Problem `user-not-found`, `invalid-cursor` */
export function listSessionsOf(
  deps: Deps,
  caller: Caller,
  id: UserId,
  { limit, cursor }: SessionQuery,
): Promise<Page<Session>> {
  return actAs(deps, caller, 'users:read', async (tx, actor) => {
    authorize(userPolicy, 'users:read', actor, await findUser(tx, id))
    const scope = cursorScope(tx.tenantId, `sessions of ${id}`, {})
    const [before] = cursor === undefined ? [null] : decodeCursor(deps.keys.cursor, scope, cursor)
    const rows = await listSessions(tx, id, { before: before as SessionId | null, limit: limit + 1 })
    const items = rows.slice(0, limit)
    const last = rows.length > limit ? items.at(-1) : undefined
    return { items, next_cursor: last === undefined ? null : encodeCursor(deps.keys.cursor, scope, [last.id]) }
  })
}

/** Also those in which the person acts for others. @throws Problem `user-not-found`, `forbidden` */
export function endSessionsOf(deps: Deps, caller: Caller, id: UserId): Promise<void> {
  return actAs(deps, caller, 'users:modify', async (tx, actor) => {
    const grant = await authorizeChange(tx, actor, id)
    const ended = await endUserSessions(tx, id, { reason: 'ended-by-administrator' })
    await audit(tx, grant, 'sessions.ended', { targetType: 'user', targetId: id, after: { sessions_ended: ended } })
  })
}

/** @throws Problem `session-not-found` for one that is none of theirs or has ended, and as `endSessionsOf` */
export function endSessionOf(deps: Deps, caller: Caller, id: UserId, sessionId: SessionId): Promise<void> {
  return actAs(deps, caller, 'users:modify', async (tx, actor) => {
    const grant = await authorizeChange(tx, actor, id)
    if (!(await endSession(tx, grant, sessionId))) throw problem('session-not-found')
    const after = { reason: 'ended-by-administrator', user_id: id }
    await audit(tx, grant, 'session.ended', { targetType: 'session', targetId: sessionId, after })
  })
}

async function authorizeChange(tx: TenantTx, actor: Actor, id: UserId): Promise<Grant<'users:modify', User>> {
  const user = await lockUser(tx, id)
  return authorize(userPolicy, 'users:modify', actor, { ...user, ...(await findStanding(tx, user)) })
}

function audit(
  tx: TenantTx,
  { actor }: Grant<'users:modify', User>,
  action: string,
  what: { readonly targetType: string; readonly targetId: string; readonly after: Record<string, unknown> },
): Promise<void> {
  return recordAudit(tx, { action, actor, ...what, request: actor.request })
}
