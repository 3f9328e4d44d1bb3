import { eventReceiver } from '@signet/delivery'
import type { TenantTx } from '@signet/db'
import type { ClientTokenId, UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Self } from '../sessions/index.ts'
import type { SessionEvents } from './repo.ts'

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
    recipient: eventReceiver,
    userId: self.userId,
    template: 'client.token.requested',
    data: { payload },
  })
}

/** Of the redemption of an invitation. Who it is the function alone finds out: the rows of the messages name them. */
export function sessionEvents({ outbox }: Pick<Deps, 'outbox'>): SessionEvents {
  const payload = { way: 'invitation' }
  return {
    receiver: eventReceiver,
    created: outbox.seal('user.created', { payload }),
    login: outbox.seal('user.login', { payload }),
  }
}
