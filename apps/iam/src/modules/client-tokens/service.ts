/** Advisors open a door for one of their clients: a token that is worth one session, in which they act for the client. */
import { recordAudit } from '@signet/accounts'
import { inTenant, type TenantTx } from '@signet/db'
import type { MessageData } from '@signet/delivery'
import {
  authorize,
  type ClientTokenId,
  cursorScope,
  decodeCursor,
  encodeCursor,
  newId,
  problem,
  type SessionId,
  type UserId,
} from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import { fingerprintOf } from '../../devices.ts'
import type { Self } from '../sessions/index.ts'
import { issueTokens, type TokenAnswer } from '../tokens/index.ts'
import { enqueueRequested, sessionEvents } from './events.ts'
import { nameOf } from './names.ts'
import { advisedPolicy, clientTokenPolicy } from './policy.ts'
import {
  type Advised,
  type ClientToken,
  type CreatedRow,
  findAdvised,
  findClientToken,
  findProfile,
  insertAccessToken,
  listClientTokens,
  redeemClientToken,
  withdrawClientToken,
} from './repo.ts'
import type { ClientTokenPage, ClientTokenRequest, CreatedClientToken } from './schema.ts'
import { createClientSecret, hashClientSecret } from './secret.ts'

/**
 * A token for one session of a client of the advisor.
 * @throws Problem `forbidden` without the role, `user-not-found` for whoever is not assigned, `grant-exceeds-own` for whoever
 *   holds more, `invalid-input` where there is no address to notify
 */
export async function createClientToken(
  deps: Deps,
  self: Self,
  { user_id, purpose, expires_in = 900, notify = false }: ClientTokenRequest,
): Promise<CreatedClientToken> {
  authorize(advisedPolicy, 'client-tokens:create', self, null)
  const secret = createClientSecret()
  return inTenant(deps.database, self.tenantId, async tx => {
    const client = await findAdvised(tx, self.userId, user_id as UserId)
    if (client === undefined) throw problem('user-not-found')
    const grant = authorize(advisedPolicy, 'client-tokens:create', self, client)
    if (!client.isWithinReach) throw problem('grant-exceeds-own', 'This person holds permissions that you lack.')
    const row = await insertAccessToken(tx, grant, {
      hash: secret.hash,
      purpose: purpose ?? null,
      lifeSeconds: expires_in,
    })
    if (notify) {
      const minutes = Math.floor(expires_in / 60)
      await mailAccess(deps, tx, self, client, { token: secret.text, purpose: purpose ?? '', minutes }, row)
    }
    await recordAudit(tx, {
      action: 'client-token.created',
      actor: self,
      targetType: 'user',
      targetId: client.userId,
      after: { client_token_id: row.id, kind: 'access', expires_at: row.expiresAt.toISOString(), notified: notify },
      request: self.request,
    })
    await enqueueRequested(deps, tx, self, { clientTokenId: row.id, kind: 'access', userId: client.userId })
    return { id: row.id, token: secret.text, expires_at: row.expiresAt.toISOString() }
  })
}

async function mailAccess(
  { outbox }: Deps,
  tx: TenantTx,
  self: Self,
  { userId, email }: Advised,
  data: Omit<MessageData['client-access'], 'advisor'>,
  { expiresAt }: CreatedRow,
): Promise<void> {
  if (email === null) {
    const errors = [{ pointer: '/notify', message: 'this person has no e-mail address' }]
    throw problem('invalid-input', undefined, { errors })
  }
  const advisor = nameOf(await findProfile(tx, self.userId))
  await outbox.enqueue(tx, {
    channel: 'email',
    recipient: email,
    userId,
    template: 'client-access',
    data: { ...data, advisor },
    expiresAt,
  })
}

/** What the advisor has made, invitations included. @throws Problem `forbidden`, `invalid-cursor` */
export async function listOwnTokens(
  deps: Deps,
  self: Self,
  { limit = 50, cursor }: { readonly limit?: number; readonly cursor?: string },
): Promise<ClientTokenPage> {
  const grant = authorize(clientTokenPolicy, 'client-tokens:list', self, null)
  const scope = cursorScope(self.tenantId, `client tokens of ${self.userId}`, {})
  const [before] = cursor === undefined ? [null] : decodeCursor(deps.keys.cursor, scope, cursor)
  const rows = await inTenant(deps.database, self.tenantId, tx =>
    listClientTokens(tx, grant, { before: before as ClientTokenId | null, limit: limit + 1 }),
  )
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    items: shown.map(describeToken),
    next_cursor: last === undefined ? null : encodeCursor(deps.keys.cursor, scope, [last.id]),
  }
}

/**
 * What was spent or is over stays as it is.
 * @throws Problem `forbidden`, `client-token-not-found`, also for the tokens of others
 */
export async function withdrawOwnToken(deps: Deps, self: Self, id: ClientTokenId): Promise<void> {
  authorize(clientTokenPolicy, 'client-tokens:delete', self, null)
  await inTenant(deps.database, self.tenantId, async tx => {
    const token = await findClientToken(tx, id)
    if (token === undefined) throw problem('client-token-not-found')
    const grant = authorize(clientTokenPolicy, 'client-tokens:delete', self, token)
    if (!(await withdrawClientToken(tx, grant))) return
    await recordAudit(tx, {
      action: 'client-token.withdrawn',
      actor: self,
      ...(token.userId === null
        ? { targetType: 'client-token', targetId: id }
        : { targetType: 'user', targetId: token.userId }),
      before: { client_token_id: id, kind: token.kind, email: token.invitedEmail },
      request: self.request,
    })
  })
}

/**
 * A token is worth one session, whoever brings it and however many do at once.
 * @throws Problem `invalid-client-token`, whatever is wrong with it
 */
export async function redeemToken(deps: Deps, text: string, request: RequestFacts): Promise<TokenAnswer> {
  const token = deps.refreshTokens.create(newId<SessionId>())
  const events = deps.sendsEvents ? sessionEvents(deps) : undefined
  const hash = hashClientSecret(text)
  const session = { fingerprint: fingerprintOf(deps, request), events }
  const row = await redeemClientToken(deps.database, deps.tokens, hash, token, session, request)
  if (row === undefined) {
    deps.counts.signInFailed('client-token', 'invalid')
    throw problem('invalid-client-token')
  }
  const answer = await issueTokens(deps, 'client-token', token, row, row)
  deps.counts.signedIn('client-token')
  return answer
}

function describeToken(token: ClientToken): ClientTokenPage['items'][number] {
  return {
    id: token.id,
    kind: token.kind,
    status: token.status,
    user_id: token.userId,
    email: token.invitedEmail,
    name: token.invitedName,
    purpose: token.purpose,
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt.toISOString(),
    redeemed_at: token.redeemedAt?.toISOString() ?? null,
    withdrawn_at: token.withdrawnAt?.toISOString() ?? null,
  }
}
