import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { killDelivery } from './kill-delivery.ts'

t.setTimeout(120_000)
const { db, url } = await testDatabase(t)

t.test('D-06 kill -9 of the worker loses no message, and repeats at most one a kill', { timeout: 120_000 }, async t => {
  const result = await killDelivery({ databaseUrl: url, database: db, messages: 60, kills: 5 })
  t.equal(result.kills, 5)
  t.equal(result.lost, 0)
  t.ok(result.repeated <= result.kills, `${result.repeated} repeated`)
  t.equal(result.otherIds, 0, 'a repeated message keeps its Message-ID')
})
