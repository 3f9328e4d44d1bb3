/** Callers of pm-identity-api change nothing but the base URLs: over HTTP, on processes that were started without standalone. */
import { plantCanary } from '@signet/testkit'
import t from 'tap'
import { addressOf } from '../src/addresses.ts'
import { startLonePrograms } from './lone-programs.ts'
import { choosePresent, freePort, noProxy, settingsBehind, startProxy } from './one-origin.ts'
import { createReplay } from './replay.ts'
import { walkPmIdentityApi, walkWithoutStorage } from './replays/pm-identity-api.ts'

const setupToken = 'the setup token of this replay 0123456789'
plantCanary('setup token', setupToken)
const key = 'a-key-of-the-settings-0123456789'
plantCanary('service key', key)
const settings = { SETUP_TOKEN: setupToken, PASSWORD_MIN_LENGTH: '8', INTERNAL_SERVICE_API_KEY: key }
// It starts five processes: minutes, on a machine that does other things as well.
t.setTimeout(240_000)

t.test('directly', async t => {
  const programs = await startLonePrograms(t, settings)
  const { home } = programs
  await t.test('from the first administrator on', async t => walkPmIdentityApi(t, createReplay(home), setupToken))

  await t.test('with storage switched off', async t => {
    const port = await freePort()
    const admin = addressOf('127.0.0.1', port)
    await programs.start('admin-api', admin, { ADMIN_PORT: String(port), USE_STORAGE_SERVICE: 'false' })
    await walkWithoutStorage(t, createReplay(home, { ...home.addresses, admin }))
  })
})

t.test('behind one origin', { skip: noProxy }, async t => {
  const port = await freePort()
  const { home } = await startLonePrograms(t, { ...settings, ...settingsBehind(port) })
  const { addresses } = await startProxy(t, { kind: choosePresent('haproxy'), home, port, key })
  await t.test('from the first administrator on', async t =>
    walkPmIdentityApi(t, createReplay(home, addresses), setupToken),
  )
})
