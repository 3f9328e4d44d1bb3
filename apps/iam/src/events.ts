/** What the analytics service is told of. An event is written with what it tells, and sent when its receiver can be reached. */
import type { User } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import type { Deps } from './deps.ts'

/** Its name in the outbox. */
export const eventReceiver = 'analytics'

/** Tells, in the transaction that creates the person, that there is one more. */
export async function announceUser(
  deps: Pick<Deps, 'outbox' | 'sendsEvents'>,
  tx: TenantTx,
  user: User,
): Promise<void> {
  if (!deps.sendsEvents) return
  await deps.outbox.enqueue(tx, {
    channel: 'event',
    recipient: eventReceiver,
    userId: user.id,
    template: 'user.created',
    data: { payload: { user_id: user.id, tenant_id: user.tenantId, kind: user.kind } },
  })
}
