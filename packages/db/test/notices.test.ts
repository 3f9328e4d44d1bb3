import { createServer } from 'node:net'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { listenForNotices, runStatement, withAdminClient } from '../src/index.ts'

const { db, superUrl } = await testDatabase(t)
const notify = (text: string) => runStatement(db, sql => sql`select pg_notify('test_news', ${text})`)

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('It did not happen within fifteen seconds.')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function start(database = db) {
  const seen = { heard: [] as string[], listening: 0, lost: [] as string[] }
  const listener = listenForNotices(database, {
    channels: ['test_news'],
    onNotice: (_channel, payload) => void seen.heard.push(payload),
    onListening: async () => void (seen.listening += 1),
    onLost: error => void seen.lost.push((error as Error).message),
  })
  t.teardown(() => listener.close())
  return { seen, listener }
}

t.test('whoever listens hears what commits, and nothing that is rolled back', async t => {
  const { seen, listener } = start()
  await until(() => seen.listening === 1)
  await notify('one')
  await withAdminClient(superUrl, async sql => {
    await sql`begin`
    await sql`select pg_notify('test_news', 'never')`
    await sql`rollback`
  })
  await notify('two')
  await until(() => seen.heard.length >= 2)
  t.strictSame(seen.heard, ['one', 'two'])
  await listener.close()
  t.strictSame(seen.lost, [], 'to be closed is no loss')
})

t.test('a lost connection is told, and made anew', async () => {
  const { seen } = start()
  for (let round = 1; round <= 5; round += 1) {
    await until(() => seen.listening === round)
    await withAdminClient(
      superUrl,
      sql => sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'signet-notices'`,
    )
    await until(() => seen.lost.length === round)
  }
  await until(() => seen.listening === 6)
  await notify('again')
  await until(() => seen.heard.includes('again'))
})

t.test('where announcements do not arrive nobody is told that they do', async t => {
  // Another database of the same server hears nothing of this one, as behind a pooler that shares connections.
  const elsewhere = new URL(superUrl)
  elsewhere.pathname = '/postgres'
  const { seen } = start({ ...db, directUrl: elsewhere.href })
  await until(() => seen.lost.length > 0)
  t.match(seen.lost, [/does DATABASE_ADMIN_URL lead through a pooler/])
  t.equal(seen.listening, 0)
})

t.test('a server that says nothing keeps nobody from closing', async t => {
  const silent = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => silent.once('listening', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const { seen, listener } = start({ ...db, directUrl: `postgres://x@127.0.0.1:${port}/x` })
  await until(() => seen.lost.length > 0)
  const begun = performance.now()
  await listener.close()
  t.ok(performance.now() - begun < 1_000)
})
