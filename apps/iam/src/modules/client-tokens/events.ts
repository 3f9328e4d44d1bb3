import type { TenantTx } from '@signet/db'
import type { ClientTokenId, UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Self } from '../sessions/index.ts'

/** Tells the service that counts, where there is one, that an advisor has asked for a token. Without address or token. */
export async function enqueueRequested(
  { outbox, sendsEvents }: Deps,
  tx: TenantTx,
  self: Self,
  made: {
    readonly clientTokenId: ClientTokenId
    readonly kind: 'access' | 'invitation'
    readonly userId: UserId | null
  },
): Promise<void> {
  if (!sendsEvents) return
  const payload = {
    client_token_id: made.clientTokenId,
    kind: made.kind,
    tenant_id: self.tenantId,
    advisor_id: self.userId,
    user_id: made.userId,
  }
  await outbox.enqueue(tx, {
    channel: 'event',
    recipient: 'analytics',
    userId: self.userId,
    template: 'client.token.requested',
    data: { payload },
  })
}
