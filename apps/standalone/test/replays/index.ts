/** The walks of those four systems whose callers find an installation that has its first administrator, one after the other. */
import type { Test } from 'tap'
import type { Addresses } from '../../src/addresses.ts'
import type { Home } from '../../src/demo/child.ts'
import { createReplay } from '../replay.ts'
import { walkChatAuth } from './chat-auth.ts'
import { settingsOf, startPlatform, walkEngIdentity } from './eng-identity.ts'
import { walkIamRs256 } from './iam-rs256.ts'
import { accessTokenTtlSeconds, walkScalableAuth } from './scalable-auth.ts'

export interface Replays {
  /** What the installation has to be told. */
  readonly settings: Readonly<Record<string, string>>
  /** @param addresses the base URLs of the callers */
  walk(t: Test, home: Home, addresses: Addresses): Promise<void>
}

/** @param key a service key of the installation */
export async function prepareReplays(t: Test, key: string): Promise<Replays> {
  const platform = await startPlatform(t)
  return {
    settings: { ...settingsOf(platform, key), ACCESS_TOKEN_TTL: String(accessTokenTtlSeconds) },
    walk: async (t, home, addresses) => {
      const replay = () => createReplay(home, addresses)
      await t.test('of iam-rs256', async t => walkIamRs256(t, replay()))
      await t.test('of chat-auth', async t => walkChatAuth(t, replay()))
      await t.test('of eng-identity', async t => walkEngIdentity(t, replay(), platform, key))
      await t.test('of scalable-auth', async t => walkScalableAuth(t, replay()))
    },
  }
}
