import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { addressOf } from '../src/addresses.ts'
import { readFirstAdmin } from '../src/credentials-file.ts'
import { callApi } from '../src/demo/call.ts'
import { canRunTour } from '../src/demo/run-tour.ts'
import { createHome, type Home, waitUntilReady } from '../src/demo/child.ts'
import { planTour, renderTour } from '../src/tour.ts'
import { startKeptChild } from './kept-child.ts'

const root = new URL('../../../', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')
const guide = readFileSync(new URL('apps/iam/docs/ways-in.md', root), 'utf8')

async function startOnce(home: Home, environment: Record<string, string>): Promise<string> {
  const child = startKeptChild(home, environment)
  await waitUntilReady(child)
  child.process.kill('SIGTERM')
  await child.ended
  return child.output()
}

t.test('with a database of the operator’s', async t => {
  const { url, adminUrl } = await testDatabase(t)
  const database = { DATABASE_URL: url, DATABASE_ADMIN_URL: adminUrl }
  const home = await createHome()
  t.teardown(() => home.remove())

  t.test('a start uses it and runs none of its own', async t => {
    const output = await startOnce(home, { ...database, DEFAULT_TENANT: 'northwind' })
    t.match(output, new RegExp(`PostgreSQL answers at ${new URL(url).host}`))
    t.notOk(existsSync(join(home.environment['SIGNET_HOME'] ?? '', 'pg')))
    t.notMatch(output, new URL(url).password, 'the password of the login is nowhere')
  })

  t.test(
    'the lines of the guide sign somebody in by a code',
    { skip: canRunTour() ? false : 'no sh or no curl' },
    async t => {
      const child = startKeptChild(home, database)
      await waitUntilReady(child)
      const [, lines = ''] = /```sh\n(.*?)```/s.exec(guide) ?? []
      const here = lines
        .replaceAll('http://localhost:4000', home.addresses.iam)
        .replaceAll('.signet/outbox', home.outbox)
      const { stdout } = spawnSync('sh', ['-c', here], { encoding: 'utf8', timeout: 20_000 })
      t.match(stdout, /on its way.*"access_token":"[\w.-]+".*"refresh_token"/s)
      child.process.kill('SIGTERM')
      await child.ended
    },
  )

  t.test('a start from another home has no password to show', async t => {
    const other = await createHome()
    t.teardown(() => other.remove())
    const output = await startOnce(other, { ...database, SIGNET_KEYS: home.environment['SIGNET_KEYS'] ?? '' })
    t.match(output, /administrator was made elsewhere/)
    t.notMatch(output, /TOKEN=/)
    t.notOk(existsSync(other.adminFile))
  })

  t.test('a start that was interrupted before it wrote the tenant down is completed', async t => {
    const admin = await readFirstAdmin(home.adminFile)
    await writeFile(home.adminFile, JSON.stringify({ email: admin?.email, password: admin?.password }))
    await startOnce(home, database)
    t.same(await readFirstAdmin(home.adminFile), admin)
    t.equal(statSync(home.adminFile).mode & 0o777, 0o600)
  })

  t.test('a start on other ports shows those', async t => {
    const other = await createHome()
    t.teardown(() => other.remove())
    const child = startKeptChild(home, { ...database, PLACES_PORT: other.environment['PLACES_PORT'] ?? '' })
    await waitUntilReady(child)
    t.equal((await readFirstAdmin(home.adminFile))?.places_url, other.addresses.places)
    t.match(await callApi('GET', `${other.addresses.places}/readyz`, { expect: 200 }), { status: 'ok' })
    child.process.kill('SIGTERM')
    await child.ended
  })

  t.test('a file of another database is refused, and kept', async t => {
    const admin = await readFirstAdmin(home.adminFile)
    const foreign = JSON.stringify({ ...admin, tenant_id: '0198a0c0-0000-7000-8000-000000000000' })
    await writeFile(home.adminFile, foreign)
    const child = startKeptChild(home, database)
    t.equal(await child.ended, 1)
    t.match(child.output(), /belongs to another database/)
    t.equal(await readFile(home.adminFile, 'utf8'), foreign)
  })
})

t.test('the README', async t => {
  t.test('shows the lines that a start prints', async t => {
    const [iam, admin, places] = [4000, 4001, 4002].map(port => addressOf('127.0.0.1', port)) as [
      string,
      string,
      string,
    ]
    t.ok(readme.includes(renderTour(planTour({ iam, admin, places }, './.signet/first-admin.json'))))
  })

  t.test('links to what is there', async t => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path as string)
    t.not(links.length, 0)
    for (const path of links) t.ok(existsSync(new URL(path, root)), path)
  })
})
