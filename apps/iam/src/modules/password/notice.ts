import type { User } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import type { Deps } from '../../deps.ts'

/** To the address that the person has, whoever it was that changed the password. */
export async function sendNotice({ outbox }: Pick<Deps, 'outbox'>, tx: TenantTx, { id, email }: User): Promise<void> {
  if (email === null) return
  await outbox.enqueue(tx, { channel: 'email', recipient: email, userId: id, template: 'password-changed', data: {} })
}
