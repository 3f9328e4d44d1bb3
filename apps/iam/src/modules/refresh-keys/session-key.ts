/**
 * The refresh keys of an older system: four digits or more, which anybody guesses. They are worth something only beside a
 * token that we signed, as a second proof in a session that is still alive, and five wrong ones in a row end that session.
 */
import type { Deps, RequestFacts } from '../../deps.ts'
import type { Self } from '../sessions/index.ts'
import { issueTokenOf } from '../tokens/index.ts'
import {
  beginRenewal,
  forgetGuesses,
  insertKey,
  recordWrongKey,
  renewSession,
  replaceKey,
  type TokenSession,
} from './repo.ts'
import { changeOwnKey, recordKeyChange } from './service.ts'

const mostGuesses = 5

/**
 * Sets a key where there is none; changes it for whoever knows the old one.
 * @returns false where the old key is wrong or missing
 * @throws Problem `session-ended`, `hashing-busy`
 */
export async function setSessionKey(
  deps: Deps,
  self: Self,
  { newKey, oldKey }: { readonly newKey: string; readonly oldKey: string | undefined },
  request: RequestFacts,
): Promise<boolean> {
  const checked = oldKey === undefined ? 'no-key' : await checkKey(deps, self, oldKey, request)
  if (checked === 'refused') return false
  const key = { hash: await deps.hasher.hash(newKey), isShort: true }
  return changeOwnKey(deps, self, async tx => {
    const isSet =
      checked === 'no-key'
        ? await insertKey(tx, self.userId, key)
        : await replaceKey(tx, self.userId, checked.hash, key)
    if (!isSet) return false
    await forgetGuesses(tx, self.sessionId)
    await recordKeyChange(tx, self, 'refresh-key.set')
    return true
  })
}

/**
 * A new access token of the session of an expired one, for whoever knows the key.
 * @returns the token; `no-key` where the person has none; `refused` where the key is wrong or the session over
 * @throws Problem `hashing-busy`
 */
export async function renewByKey(
  deps: Deps,
  session: TokenSession,
  key: string,
  request: RequestFacts,
): Promise<{ readonly token: string } | 'no-key' | 'refused'> {
  const checked = await checkKey(deps, session, key, request)
  if (typeof checked === 'string') return checked
  const row = await renewSession(deps.database, deps.tokens, session, checked.hash, request)
  return row === undefined ? 'refused' : { token: await issueTokenOf(deps, 'session-key', session, row) }
}

/** The hash by which the key is right. */
async function checkKey(
  deps: Deps,
  session: TokenSession,
  key: string,
  request: RequestFacts,
): Promise<{ readonly hash: string } | 'no-key' | 'refused'> {
  const guess = await beginRenewal(deps.database, session)
  if (guess === undefined) return 'refused'
  const { hash, turn } = guess
  if (hash === null) return 'no-key'
  if (turn === null || turn > mostGuesses) return 'refused'
  if (await deps.hasher.verify(hash, key)) return { hash }
  await recordWrongKey(deps.database, session, { isLast: turn === mostGuesses }, request)
  return 'refused'
}
