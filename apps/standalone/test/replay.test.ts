/** Callers of the systems that are replaced change nothing but the base URLs; `origin.test.ts` walks the same through a proxy. */
import { plantCanary } from '@signet/testkit'
import t from 'tap'
import { startInstallation } from './replay.ts'
import { prepareReplays } from './replays/index.ts'
import { moveEverybody, withoutJq } from './replays/moved-people.ts'

// It starts an installation and hashes some hundred passwords: minutes, on a machine that does other things as well.
t.setTimeout(240_000)

t.test('in one installation', async t => {
  const key = 'a-key-of-the-settings-0123456789'
  plantCanary('service key', key)
  const replays = await prepareReplays(t, key)
  const installation = await startInstallation(t, replays.settings)
  const { home } = installation
  await t.test('callers of the older systems change nothing but the base URLs', async t =>
    replays.walk(t, home, home.addresses),
  )
  await t.test('people of the older systems move over', { skip: withoutJq }, async t => moveEverybody(t, installation))
})
