/** What the service that counts is told of. An event is written with what it tells, and sent when its receiver can be reached. */
import type { TenantTx } from '@signet/db'
import type { PersonKind, TenantId, UserId } from '@signet/kernel'
import type { Outbox } from './outbox.ts'

/** Its name in the outbox. */
export const eventReceiver = 'analytics'

/** Tells, in the transaction that creates the person, that there is one more. Nothing where nobody takes events. */
export async function announceUser(
  { outbox, sendsEvents }: { readonly outbox: Outbox; readonly sendsEvents: boolean },
  tx: TenantTx,
  user: { readonly id: UserId; readonly tenantId: TenantId; readonly kind: PersonKind },
): Promise<void> {
  if (!sendsEvents) return
  await outbox.enqueue(tx, {
    channel: 'event',
    recipient: eventReceiver,
    userId: user.id,
    template: 'user.created',
    data: { payload: { user_id: user.id, tenant_id: user.tenantId, kind: user.kind } },
  })
}
