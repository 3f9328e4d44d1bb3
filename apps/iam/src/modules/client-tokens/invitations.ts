/** An advisor invites an address, whose person may not exist yet. The token goes there and nowhere else: it proves the address. */
import { recordAudit } from '@signet/accounts'
import { inTenant, type TenantTx } from '@signet/db'
import { authorize, problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Self } from '../sessions/index.ts'
import { enqueueRequested } from './events.ts'
import { nameOf } from './names.ts'
import { clientTokenPolicy } from './policy.ts'
import { findProfile, insertInvitation, type InvitationGrant, takeInvitationTurn } from './repo.ts'
import { createClientSecret } from './secret.ts'

const lifeDays = 7
const invitationsPerDay = 50

export interface Invitation {
  readonly email: string
  readonly name: string
  readonly purpose: string
}

/**
 * Mails an invitation, which takes the place of the advisor's former one to the same address. The answer is the same whether
 * somebody has an account with it or nobody does.
 * @throws Problem `forbidden` without the role, `invalid-input` for one's own address, `too-many-requests`
 */
export async function inviteClient(deps: Deps, self: Self, invitation: Invitation): Promise<void> {
  const grant = authorize(clientTokenPolicy, 'invitations:create', self, null)
  await takeTurn(deps, self, grant)
  await inTenant(deps.database, self.tenantId, async tx => {
    const email = invitation.email.toLowerCase()
    const advisor = await findProfile(tx, self.userId)
    if (advisor?.email === email) {
      const errors = [{ pointer: '/client_email', message: 'must be the address of somebody else' }]
      throw problem('invalid-input', undefined, { errors })
    }
    const secret = createClientSecret()
    const { name, purpose } = invitation
    const row = await insertInvitation(tx, grant, { hash: secret.hash, email, name, purpose, lifeDays })
    await deps.outbox.enqueue(tx, {
      channel: 'email',
      recipient: email,
      // Whoever has the address is not looked up: they may be at home in a tenant that is none of this advisor's business.
      userId: null,
      template: 'invitation',
      data: { token: secret.text, advisor: nameOf(advisor), purpose, days: lifeDays },
      expiresAt: row.expiresAt,
    })
    await recordAudit(tx, {
      action: 'client-token.created',
      actor: self,
      targetType: 'client-token',
      targetId: row.id,
      after: { client_token_id: row.id, kind: 'invitation', email, expires_at: row.expiresAt.toISOString() },
      request: self.request,
    })
    await enqueueRequested(deps, tx, self, { clientTokenId: row.id, kind: 'invitation', userId: null })
  })
}

/** In a transaction of its own: what fails afterwards is counted, and nobody waits for the advisor's other invitations. */
async function takeTurn({ database }: Deps, self: Self, grant: InvitationGrant): Promise<void> {
  const { turn, retryAfter } = await inTenant(database, self.tenantId, async tx => {
    const taken = await takeInvitationTurn(tx, grant, invitationsPerDay)
    if (taken.turn === invitationsPerDay + 1) await recordThrottled(tx, self)
    return taken
  })
  if (turn === null || turn > invitationsPerDay) {
    throw problem('too-many-requests', undefined, { retryAfterSeconds: retryAfter })
  }
}

function recordThrottled(tx: TenantTx, self: Self): Promise<void> {
  return recordAudit(tx, {
    action: 'client-token.throttled',
    actor: self,
    targetType: 'user',
    targetId: self.userId,
    after: { kind: 'invitation', limit: invitationsPerDay },
    request: self.request,
  })
}
