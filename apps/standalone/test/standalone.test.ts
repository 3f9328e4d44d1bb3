import { execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { plantSecretsOf } from '@signet/testkit'
import t from 'tap'
import { callApi, textOf } from '../src/demo/call.ts'
import { createHome, readyText, waitUntilReady } from '../src/demo/child.ts'
import { canRunTour, runTour } from '../src/demo/run-tour.ts'
import { readFirstAdmin } from '../src/credentials-file.ts'
import { planTour, renderTour } from '../src/tour.ts'
import { startKeptChild } from './kept-child.ts'

t.setTimeout(240_000)
const home = await createHome()
t.teardown(() => home.remove())
const isLinux = process.platform === 'linux'
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Command lines of what works in this home: the installation says it in no argument, its database and guard do. */
function listProcesses(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .filter(command => command.includes(home.folder))
}

async function waitForNoProcess(limitMs: number): Promise<string[]> {
  const deadline = performance.now() + limitMs
  let left = listProcesses()
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 50))
    left = listProcesses()
  }
  return left
}

async function signIn() {
  const admin = await readFirstAdmin(home.adminFile)
  const body = { email: admin?.email, password: admin?.password }
  const tokens = await callApi('POST', `${home.addresses.iam}/api/v1/tokens`, { body, expect: 200 })
  plantSecretsOf(tokens)
  return textOf(tokens, 'access_token')
}

async function countRoles(token: string): Promise<number> {
  const url = `${home.addresses.admin}/admin/v1/roles?count=true`
  return Number((await callApi('GET', url, { token, expect: 200 }))['total'])
}

t.test('a start', async t => {
  const child = startKeptChild(home)
  await waitUntilReady(child)
  const tour = planTour(home.addresses, home.adminFile)

  t.test('prints the lines to paste', async t => {
    t.ok(child.output().includes(renderTour(tour)), child.output())
  })

  t.test(
    'prints lines that do what they say',
    { skip: canRunTour() ? false : 'there is no sh or no curl' },
    async t => {
      for (const { title, hasPassed, output } of await runTour(tour, home.folder))
        t.ok(hasPassed, `${title}: ${output}`)
    },
  )

  t.test('writes the first administrator down for its owner alone', async t => {
    const admin = await readFirstAdmin(home.adminFile)
    t.match(admin, {
      email: 'admin@example.com',
      password: /^[\w-]{24}$/,
      tenant_id: /^[0-9a-f-]{36}$/,
      iam_url: home.addresses.iam,
      admin_url: home.addresses.admin,
      places_url: home.addresses.places,
    })
    t.equal(statSync(home.adminFile).mode & 0o777, 0o600)
  })

  t.test('in the same home is refused while the first runs, saying so', async t => {
    const other = await createHome()
    t.teardown(() => other.remove())
    const { IAM_PORT = '', ADMIN_PORT = '', PLACES_PORT = '' } = other.environment
    const second = startKeptChild(home, { IAM_PORT, ADMIN_PORT, PLACES_PORT })
    t.equal(await second.ended, 1)
    t.match(second.output(), /is used by another Signet that is running/)
    t.equal(await countRoles(await signIn()), 4, 'and the first works on')
  })

  t.test('on a port that is taken is refused, with the setting that moves it', async t => {
    const second = startKeptChild(home)
    t.equal(await second.ended, 1)
    for (const setting of ['IAM_PORT', 'ADMIN_PORT', 'PLACES_PORT']) t.match(second.output(), `set ${setting}`)
    t.notMatch(second.output(), /PostgreSQL runs/, 'before anything is started')
  })

  t.test('ends on SIGINT, and leaves no process', async t => {
    child.process.kill('SIGINT')
    t.equal(await child.ended, 0)
    if (isLinux) t.same(await waitForNoProcess(1_000), [])
  })
})

t.test('a second start', async t => {
  const password = (await readFirstAdmin(home.adminFile))?.password
  const child = startKeptChild(home)
  await waitUntilReady(child)
  const token = await signIn()

  t.test('finds the data of the first', async t => {
    t.equal((await readFirstAdmin(home.adminFile))?.password, password)
    t.equal(await countRoles(token), 4)
    t.match(child.output(), /database is up to date/)
  })

  t.test('is settled while it runs, where its folder is an older copy', async t => {
    const command = fileURLToPath(new URL('../../../packages/db/src/main-migrate.ts', import.meta.url))
    const env = { PATH: process.env['PATH'], ...home.environment }
    const { stdout } = await promisify(execFile)(process.execPath, [command, '--restored'], { cwd: home.folder, env })
    t.match(stdout, /as signet_owner\nNothing to do[^]*Settled: \d+ sessions/)
    const refused = await callApi('GET', `${home.addresses.iam}/api/v1/me`, { token, expect: 401 })
    t.equal(refused['code'], 'session-ended')
  })

  t.test('leaves no process five seconds after it was killed', { skip: isLinux ? false : 'needs /proc' }, async t => {
    t.not(listProcesses().length, 0, 'the database runs')
    child.process.kill('SIGKILL')
    await child.ended
    t.same(await waitForNoProcess(5_000), [])
  })
})

t.test('a start by a launcher', { skip: isLinux ? false : 'needs /proc' }, async t => {
  /** A program that starts the next one and waits. */
  const launcher = (name: string, ...next: readonly string[]) => {
    const path = join(home.folder, name)
    const text = `require('node:child_process').spawn(process.execPath, ${JSON.stringify(next)}, { stdio: 'inherit' })`
    writeFileSync(path, `${text}\n`)
    return path
  }
  const { npm_lifecycle_event: _script, ...inherited } = process.env
  const cases: readonly (readonly [string, string, Record<string, string>])[] = [
    ['npx, two processes up', launcher('npx.cjs', launcher('pnpm.cjs', main)), {}],
    ['whatever says that it runs a script', launcher('launch.cjs', main), { npm_lifecycle_event: 'start' }],
  ]
  for (const [title, path, environment] of cases) {
    t.test(`ends when it was ${title} and is killed`, async t => {
      const env = { ...inherited, ...home.environment, ...environment }
      const started = spawn(process.execPath, [path], { cwd: home.folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
      let output = ''
      for await (const text of started.stdout.setEncoding('utf8')) {
        output += String(text)
        if (output.includes(readyText)) started.kill('SIGKILL')
      }
      t.match(output, /Stopping: what started this is gone/)
      t.same(await waitForNoProcess(5_000), [])
    })
  }
})

t.test('a start with a setting that is wrong is refused, naming it', async t => {
  const faulty: readonly (readonly [RegExp, Record<string, string>])[] = [
    [/SIGNET_HOEM is not a setting. Did you mean SIGNET_HOME\?/, { SIGNET_HOEM: 'x' }],
    [/SIGNET_SECRET is not a setting of Signet/, { SIGNET_SECRET: 'x' }],
    [/IAM_PORT has to be a whole number/, { IAM_PORT: 'http' }],
    [/have to differ/, { IAM_PORT: '4711', ADMIN_PORT: '4711' }],
    [/WORKER_COUNT is for programs that are started each by itself/, { WORKER_COUNT: '2' }],
    [/DATABASE_ADMIN_URL stands alone/, { DATABASE_ADMIN_URL: 'postgres://a@127.0.0.1/b' }],
  ]
  const outcomes = await Promise.all(
    faulty.map(async ([told, environment]) => {
      const child = startKeptChild(home, environment)
      return { told, code: await child.ended, output: child.output() }
    }),
  )
  for (const { told, code, output } of outcomes) {
    t.equal(code, 1, String(told))
    t.match(output, told)
  }
})
