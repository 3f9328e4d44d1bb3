import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  DataFolderInUseError,
  type EmbeddedServer,
  findEmbedded,
  startEmbedded,
  withAdminClient,
} from '../src/index.ts'
import { chooseSharedBuffers } from '../src/embedded/memory.ts'

const launcher = fileURLToPath(new URL('fixtures/launcher.ts', import.meta.url))
const isRoot = process.getuid?.() === 0
const folders: string[] = []
const launched: ChildProcess[] = []

t.teardown(async () => {
  for (const child of launched) child.kill('SIGKILL')
  for (const folder of folders) {
    await until(async () => (await postmasterPid(folder)) === undefined)
    await rm(folder, { recursive: true, force: true })
  }
})

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-embedded-'))
  await chmod(folder, 0o755)
  folders.push(folder)
  return folder
}

async function postmasterPid(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, 'cluster', 'postmaster.pid'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Number(text.split('\n')[0])
}

/** Never 0, which would mean this whole process group to `kill`. */
async function runningPid(folder: string): Promise<number> {
  const pid = await postmasterPid(folder)
  if (pid === undefined) throw new Error(`No server runs on ${folder}.`)
  return pid
}

/** A zombie has ended: whoever inherited it has only not asked yet. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

/** How long it took until `condition` held, in ms. */
async function until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<number> {
  const startedAt = performance.now()
  while (!(await condition())) {
    if (performance.now() - startedAt > limitMs) throw new Error(`Not within ${limitMs} ms.`)
    await pause(20)
  }
  return performance.now() - startedAt
}

async function launch(
  folder: string,
  ending = 'stays',
  account: object = {},
): Promise<{ child: ChildProcess; superUrl: string }> {
  const child = spawn(process.execPath, [launcher, folder, ending], {
    ...account,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  launched.push(child)
  const lines = createInterface({ input: child.stdout })
  const [line] = (await once(lines, 'line')) as [string]
  return { child, superUrl: (JSON.parse(line) as { superUrl: string }).superUrl }
}

const remember = (server: { superUrl: string }) =>
  withAdminClient(server.superUrl, sql => sql`create table remembered as select 42 as answer`)
const recall = (server: { superUrl: string }) =>
  withAdminClient(server.superUrl, sql => sql<{ answer: number }[]>`select answer from remembered`)

t.test('what is kept of the data goes by the memory there is', async t => {
  const gigabyte = 2 ** 30
  t.same(
    [0.5, 1, 8, 64].map(size => chooseSharedBuffers(size * gigabyte)),
    ['64MB', '64MB', '512MB', '1024MB'],
  )
})

t.test('the embedded server', async t => {
  const folder = await newFolder()
  let server: EmbeddedServer = await startEmbedded({ dataDir: folder })
  const pid = await runningPid(folder)

  await t.test('keeps its word about durability, address and text', async t => {
    const [row] = await withAdminClient(
      server.superUrl,
      sql => sql`
        select current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
          current_setting('synchronous_commit') as commit, current_setting('listen_addresses') as address,
          pg_size_bytes(current_setting('shared_buffers')) = pg_size_bytes(${chooseSharedBuffers()}) as buffers,
          current_setting('password_encryption') as passwords, current_setting('server_encoding') as encoding,
          (select datlocprovider::text || ' ' || datlocale from pg_database where datname = 'signet') as locale`,
    )
    t.same(row, {
      fsync: 'on',
      pages: 'on',
      commit: 'on',
      address: '127.0.0.1',
      buffers: true,
      passwords: 'scram-sha-256',
      encoding: 'UTF8',
      locale: 'b C.UTF-8',
    })
  })

  await t.test('gives programs and owner logins that policies bind', async t => {
    const rows = await withAdminClient(
      server.superUrl,
      sql => sql`
        select rolname as name, rolsuper or rolbypassrls or rolcreatedb as mighty, rolcreaterole as grants, rolinherit as inherits
        from pg_roles where rolname ~ '^signet(_owner)?$' order by rolname`,
    )
    t.same(rows, [
      { name: 'signet', mighty: false, grants: false, inherits: true },
      { name: 'signet_owner', mighty: false, grants: true, inherits: true },
    ])
    const owner = await withAdminClient(server.adminUrl, sql => sql`create table owned (id integer)`)
    t.ok(owner)
    await t.rejects(
      withAdminClient(server.url, sql => sql`select from owned`),
      { code: '42501' },
    )
    await t.rejects(
      withAdminClient(server.url, sql => sql`create table mine (id integer)`),
      { code: '42501' },
    )
  })

  await t.test('lets nobody in without the password, which only its account can read', async t => {
    const guess = new URL(server.superUrl)
    guess.password = 'guess'
    await t.rejects(
      withAdminClient(guess.href, sql => sql`select 1`),
      { code: '28P01' },
    )
    const { mode } = await stat(join(folder, 'cluster', 'signet-passwords.json'))
    t.equal(mode & 0o777, 0o600)
  })

  await t.test('never runs as root', { skip: process.platform === 'linux' ? false : 'needs /proc' }, async t => {
    t.not((await stat(`/proc/${pid}`)).uid, 0)
  })

  await t.test('refuses a second launcher on the same folder and goes on', async t => {
    await remember(server)
    const error = await startEmbedded({ dataDir: folder }).catch((e: unknown) => e)
    t.ok(error instanceof DataFolderInUseError)
    t.match(error, /is used by another Signet that is running/)
    t.same(await recall(server), [{ answer: 42 }])
  })

  await t.test('is found by another command while it runs, and not afterwards', async t => {
    t.equal(await findEmbedded(folder, 'program'), server.url)
    t.equal(await findEmbedded(folder, 'owner'), server.adminUrl)
    t.equal(await findEmbedded(await newFolder(), 'program'), undefined)
  })

  await t.test('leaves no process and no half-made folder when it is stopped', async t => {
    await server.stop()
    t.equal(await findEmbedded(folder, 'program'), undefined)
    t.notOk(isAlive(pid))
    t.same((await readdir(folder)).toSorted(), ['cluster', 'postgresql.log'])
  })

  await t.test('keeps its data and its passwords over a restart', async t => {
    const { password } = new URL(server.superUrl)
    server = await startEmbedded({ dataDir: folder })
    t.equal(new URL(server.superUrl).password, password)
    t.same(await recall(server), [{ answer: 42 }])
    await server.stop()
  })

  await t.test('is started once by two that start at the same time', async t => {
    const fresh = await newFolder()
    const starts = await Promise.allSettled([1, 2].map(() => startEmbedded({ dataDir: fresh, isDurable: false })))
    const winners = starts.filter(start => start.status === 'fulfilled')
    t.equal(winners.length, 1)
    for (const start of starts)
      if (start.status === 'rejected') t.match(start.reason, /is used by another|Another server/)
    for (const winner of winners) await winner.value.stop()
  })
})

t.test('a launcher that goes away', async t => {
  await t.test('by kill -9 leaves no server after five seconds, and the data stays', async t => {
    const folder = await newFolder()
    const { child, superUrl } = await launch(folder)
    await remember({ superUrl })
    const pid = await runningPid(folder)
    child.kill('SIGKILL')
    const tookMs = await until(() => !isAlive(pid))
    t.ok(tookMs < 5_000, `gone after ${Math.round(tookMs)} ms`)
    const server = await startEmbedded({ dataDir: folder, isDurable: false })
    t.same(await recall(server), [{ answer: 42 }])
    await server.stop()
  })

  await t.test('by kill -9 together with its guard leaves an orphan, which the next start replaces', async t => {
    const folder = await newFolder()
    const { child, superUrl } = await launch(folder)
    await remember({ superUrl })
    const orphan = await runningPid(folder)
    for (const guard of findGuards(folder)) process.kill(guard, 'SIGKILL')
    child.kill('SIGKILL')
    await once(child, 'exit')
    t.ok(isAlive(orphan))
    const lines: string[] = []
    const server = await startEmbedded({ dataDir: folder, isDurable: false, log: line => lines.push(line) })
    t.notOk(isAlive(orphan))
    t.match(lines, [/killed run/])
    t.same(await recall(server), [{ answer: 42 }])
    await server.stop()
  })

  await t.test('by process.exit leaves no server either', async t => {
    const folder = await newFolder()
    await launch(folder, 'leaves')
    await until(() => findGuards(folder).length === 0, 5_000)
    t.equal(await postmasterPid(folder), undefined)
  })

  await t.test('by Ctrl-C still has its server while it finishes, and leaves nothing', async t => {
    const folder = await newFolder()
    const { child } = await launch(folder)
    const pid = await runningPid(folder)
    const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })
    // What a terminal does: the signal goes to the whole process group of the launcher.
    process.kill(-(child.pid as number), 'SIGINT')
    const [[line]] = await Promise.all([once(lines, 'line'), once(child, 'exit')])
    t.same(JSON.parse(line as string), { answerAfterInterrupt: 1 })
    t.notOk(isAlive(pid))
    await until(() => findGuards(folder).length === 0, 2_000)
  })
})

/** A power cut leaves the number of a process that is somebody else's by now. */
t.test('a stale postmaster.pid is no obstacle', async t => {
  const folder = await newFolder()
  const { child } = await launch(folder)
  const pid = await runningPid(folder)
  for (const guard of findGuards(folder)) process.kill(guard, 'SIGKILL')
  process.kill(pid, 'SIGKILL')
  child.kill('SIGKILL')
  await until(() => !isAlive(pid))
  t.equal(await postmasterPid(folder), pid, 'the file is still there')
  const server = await startEmbedded({ dataDir: folder, isDurable: false })
  t.same(await withAdminClient(server.superUrl, sql => sql`select 1 as answer`), [{ answer: 1 }])
  await server.stop()
})

t.test('root and others', { skip: isRoot ? false : 'only root can become others' }, async t => {
  await t.test('root uses data below a folder that the server’s account cannot pass', async t => {
    const locked = await newFolder()
    await chmod(locked, 0o700)
    const dataDir = join(locked, 'data')
    const first = await startEmbedded({ dataDir, isDurable: false })
    const place = dirname((await readFile(join(dataDir, 'cluster-location'), 'utf8')).trim())
    t.teardown(() => rm(place, { recursive: true, force: true }))
    await remember(first)
    await first.stop()
    const second = await startEmbedded({ dataDir, isDurable: false })
    t.same(await recall(second), [{ answer: 42 }])
    await second.stop()
  })

  // `daemon`: an account that every system has; initdb wants one with a name.
  const account = { uid: 1, gid: 1 }
  const mayRead = spawnSync(process.execPath, ['--check', launcher], { ...account, cwd: '/' }).status === 0
  const skip = mayRead ? false : 'another account cannot read this project'
  await t.test('an ordinary user needs nothing of root', { skip }, async t => {
    const folder = await newFolder()
    const own = join(folder, 'own')
    await mkdir(own)
    await chmod(folder, 0o755)
    await chown(own, account.uid, account.gid)
    const { child, superUrl } = await launch(own, 'stays', { ...account, cwd: '/', env: { PATH: process.env['PATH'] } })
    folders.push(own)
    t.same(await withAdminClient(superUrl, sql => sql`select 1 as answer`), [{ answer: 1 }])
    const pid = await runningPid(own)
    t.equal((await stat(join(own, 'cluster'))).uid, account.uid)
    process.kill(-(child.pid as number), 'SIGINT')
    await once(child, 'exit')
    t.notOk(isAlive(pid))
  })
})

function findGuards(folder: string): number[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .filter(line => line.includes('guard.ts') && line.includes(folder))
    .map(line => Number.parseInt(line, 10))
}
