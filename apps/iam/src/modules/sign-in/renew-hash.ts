/**
 * A hash that was made otherwise than ours are now (an import, or before the parameters were changed) is made anew when its
 * password is at hand, which is at a right sign-in alone (THREATS P-02). Who has a current one pays nothing for it.
 */
import { findPasswordHash, renewHash } from '@signet/accounts'
import { inTenant } from '@signet/db'
import type { TenantId, UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'

interface Owner {
  readonly userId: UserId
  /** The home tenant. */
  readonly tenantId: TenantId
}

/**
 * @param checkedHash the password has just been found right by it
 * @returns the hash that stands there for the password now; `checkedHash` where the password is another by now
 * @throws Problem `hashing-busy`
 */
export async function renewOutdatedHash(
  { database, hasher }: Pick<Deps, 'database' | 'hasher'>,
  owner: Owner,
  checkedHash: string,
  password: string,
): Promise<string> {
  if (!hasher.isOutdated(checkedHash)) return checkedHash
  const hash = await hasher.hash(password)
  const current = await inTenant(database, owner.tenantId, async tx => {
    await renewHash(tx, owner, { checkedHash, hash })
    return findPasswordHash(tx, owner)
  })
  // Of two sign-ins at once one renews it, and the other finds what that one has made.
  const isRight = current === hash || (await hasher.verify(current, password))
  return isRight && current !== null ? current : checkedHash
}
