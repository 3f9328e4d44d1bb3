import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { withAdminClient } from '@signet/db'
import t from 'tap'

const testFile = fileURLToPath(new URL('fixtures/test-file.ts', import.meta.url))

interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  readonly superUrl: string
  readonly role: string
}

/** A test file of a run of its own: nobody else's server is in `temporary`. */
async function startTestFile(temporary: string): Promise<Running> {
  const { TEST_DATABASE_URL: _given, ...env } = process.env
  const child = spawn(process.execPath, [testFile], {
    env: { ...env, TMPDIR: temporary, TEMP: temporary, TMP: temporary },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const [line] = (await once(lines, 'line')) as [string]
  return { child, ...(JSON.parse(line) as { superUrl: string; role: string }) }
}

async function finish({ child }: Running): Promise<number | null> {
  child.stdin.end()
  if (child.exitCode === null) await once(child, 'exit')
  return child.exitCode
}

const serverOf = (running: Running) => new URL(running.superUrl).host
const databasesOf = async (running: Running) => {
  const url = new URL(running.superUrl)
  url.pathname = '/postgres'
  return withAdminClient(url.href, async sql => {
    const rows = await sql<{ name: string }[]>`select datname as name from pg_database where datname ~ '^signet_test_'`
    return rows.length
  })
}

t.test('test files of one run', async t => {
  const temporary = await mkdtemp(join(tmpdir(), 'signet-testkit-'))
  t.teardown(() => rm(temporary, { recursive: true, force: true }))
  await chmod(temporary, 0o755)
  const files = await Promise.all([1, 2, 3].map(() => startTestFile(temporary)))
  const [first, second, third] = files as [Running, Running, Running]

  await t.test('each get a database on the same server, also when they start at once', async t => {
    t.same(new Set(files.map(serverOf)).size, 1)
    t.same(new Set(files.map(file => file.superUrl)).size, 3)
    t.same(
      files.map(file => file.role),
      ['signet_app', 'signet_app', 'signet_app'],
    )
    t.equal(await databasesOf(first), 3)
  })

  await t.test('drop their database when they end', async t => {
    t.equal(await finish(second), 0)
    t.equal(await databasesOf(first), 2)
  })

  await t.test('take the server with them, killed or not', async t => {
    third.child.kill('SIGKILL')
    t.equal(await finish(first), 0)
    const meetingPlace = (await readdir(temporary)).find(name => name.startsWith('signet-tests-'))
    const isThere = async () =>
      (await readdir(`${temporary}/${meetingPlace}`)).some(name => name.startsWith('data-')) ||
      (await withAdminClient(first.superUrl, sql => sql`select 1`).then(
        () => true,
        () => false,
      ))
    const deadline = performance.now() + 15_000
    while ((await isThere()) && performance.now() < deadline) await pause(50)
    t.notOk(await isThere())
  })
})
