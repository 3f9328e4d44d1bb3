import {
  checkPassword,
  endUserSessions,
  findPasswordHash,
  findUser,
  recordAudit,
  setPassword,
  wordsAbout,
} from '@signet/accounts'
import { inTenant, type TenantTx } from '@signet/db'
import { problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Self } from '../sessions/index.ts'
import { sendNotice } from './notice.ts'
import type { PasswordChange } from './schema.ts'

/**
 * Changes one's own password and ends all other sessions in the same transaction. Hashing happens outside of it: no
 * connection waits for the lane.
 * @throws Problem `invalid-credentials` for a wrong current password, `password-…`, `concurrent-change`, `hashing-busy`
 */
export async function changePassword(deps: Deps, self: Self, body: PasswordChange): Promise<void> {
  const person = { userId: self.userId, tenantId: self.homeTenantId }
  const { user, checkedHash } = await inTenant(deps.database, self.homeTenantId, async tx => ({
    user: await findUser(tx, self.userId),
    checkedHash: await findPasswordHash(tx, person),
  }))
  if (!(await deps.hasher.verify(checkedHash, body.current_password)) || checkedHash === null) {
    await inTenant(deps.database, self.homeTenantId, tx => record(self, 'password.refused', tx))
    throw problem('invalid-credentials', 'The current password is not right.')
  }
  if (body.new_password.normalize('NFC') === body.current_password.normalize('NFC')) {
    const errors = [{ pointer: '/new_password', message: 'must differ from the current password' }]
    throw problem('invalid-input', undefined, { errors })
  }
  checkPassword(body.new_password, { minLength: deps.passwordMinLength, ownWords: wordsAbout(user) })
  const hash = await deps.hasher.hash(body.new_password)
  await inTenant(deps.database, self.homeTenantId, async tx => {
    await setPassword(tx, person, hash, { mustChange: false, checkedHash })
    await endUserSessions(tx, self.userId, { except: self.sessionId, reason: 'password-changed' })
    await record(self, 'password.changed', tx)
    await sendNotice(deps, tx, user)
  })
}

function record(self: Self, action: string, tx: TenantTx): Promise<void> {
  return recordAudit(tx, { action, actor: self, targetType: 'user', targetId: self.userId, request: self.request })
}
