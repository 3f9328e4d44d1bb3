/**
 * A refresh key is a long-lived secret that a person chose to get tokens with when no code can reach them. It dies with the
 * password beside it and with its person's standing (triggers of 0011), whatever path changes them.
 */
import { checkPassword, findUser, recordAudit, wordsAbout } from '@signet/accounts'
import { inTenant, type TenantTx } from '@signet/db'
import { problem } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import type { Self } from '../sessions/index.ts'
import { readIdentifier, signInBySecret } from '../sign-in/index.ts'
import type { TokenAnswer } from '../tokens/index.ts'
import { isSessionAlive, lockPerson, putKey, removeKey } from './repo.ts'
import type { RefreshKeySignIn } from './schema.ts'

/**
 * Sets one's own refresh key in place of the former. It has to be as hard to guess as a password.
 * @throws Problem `password-too-common`, `password-own-words`, `session-ended`, `hashing-busy`
 */
export async function setRefreshKey(deps: Deps, self: Self, key: string): Promise<void> {
  const user = await inTenant(deps.database, self.homeTenantId, tx => findUser(tx, self.userId))
  checkPassword(key, { minLength: shortestKey, ownWords: wordsAbout(user) })
  const hash = await deps.hasher.hash(key)
  await changeOwnKey(deps, self, async tx => {
    await putKey(tx, self.userId, { hash, isShort: false })
    await recordKeyChange(tx, self, 'refresh-key.set')
  })
}

/** Characters. A shorter one is worth nothing without a token. */
const shortestKey = 16

export async function removeRefreshKey(deps: Deps, self: Self): Promise<void> {
  await inTenant(deps.database, self.homeTenantId, async tx => {
    if (await removeKey(tx, self.userId)) await recordKeyChange(tx, self, 'refresh-key.removed')
  })
}

/**
 * Tokens for a key: one path, one hash and the limits of a password (THREATS P-08).
 * @throws Problem `invalid-credentials`, `too-many-attempts`, `hashing-busy`
 */
export function signInByKey(
  deps: Deps,
  { identifier, key, tenant }: RefreshKeySignIn,
  request: RequestFacts,
): Promise<TokenAnswer> {
  const attempt = { kind: 'refresh-key', identifier: readIdentifier({ identifier }), secret: key, tenant } as const
  return signInBySecret(deps, attempt, request)
}

/**
 * Runs `change` while nobody changes the person, in a session that is alive: a key that outlived the session which set it
 * would outlive the change of a password that was to throw a thief out.
 * @throws Problem `session-ended`
 */
export function changeOwnKey<T>(deps: Deps, self: Self, change: (tx: TenantTx) => Promise<T>): Promise<T> {
  return inTenant(deps.database, self.homeTenantId, async tx => {
    await lockPerson(tx, self.userId)
    if (!(await isSessionAlive(tx, self))) throw problem('session-ended')
    return change(tx)
  })
}

export function recordKeyChange(
  tx: TenantTx,
  self: Self,
  action: 'refresh-key.set' | 'refresh-key.removed',
): Promise<void> {
  return recordAudit(tx, { action, actor: self, targetType: 'user', targetId: self.userId, request: self.request })
}
