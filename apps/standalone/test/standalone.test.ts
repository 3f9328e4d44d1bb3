import { execFile, spawn } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { plantSecretsOf } from '@signet/testkit'
import t from 'tap'
import { parse } from 'yaml'
import { callApi, textOf } from '../src/demo/call.ts'
import { createHome, readyText, waitUntilReady } from '../src/demo/child.ts'
import { canRunTour, runTour } from '../src/demo/run-tour.ts'
import { readConfig } from '../src/config.ts'
import { diagnose, render } from '../src/diagnose/diagnose.ts'
import { diagnoseKeys } from '../src/diagnose/keys.ts'
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

/** What a dashboard or an alert asks Prometheus for. Prometheus itself knows whether a target is up. */
function namesIn(expression: string): string[] {
  const withoutLabels = expression.replaceAll(/\{[^}]*\}|\b(by|and)\s*\([^)]*\)|"[^"]*"/g, ' ')
  return [...withoutLabels.matchAll(/\b(?:signet|nodejs|process)_\w+/g)].map(([name]) => name)
}

interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string }
}

const deploy = new URL('../deploy/', import.meta.url)
const { groups } = parse(readFileSync(new URL('prometheus/alerts.yml', deploy), 'utf8')) as {
  groups: { rules: AlertRule[] }[]
}
const alerts = groups.flatMap(({ rules }) => rules)

t.test('a start', async t => {
  const elsewhere = await createHome()
  t.teardown(() => elsewhere.remove())
  const metricsPort = elsewhere.environment['IAM_PORT'] ?? ''
  const child = startKeptChild(home, { METRICS_PORT: metricsPort })
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

  t.test('tells Prometheus all that the dashboard and the alerts ask for, and of each program', async t => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    const told = new Set<string>()
    for (const [, name = '', kind] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm))
      for (const end of kind === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']) told.add(`${name}${end}`)
    const dashboard = JSON.parse(readFileSync(new URL('grafana/signet.json', deploy), 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[]
    }
    const asked: [by: string, expression: string][] = [
      ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr])),
      ...alerts.filter(({ alert }) => alert !== 'SignetDown').map(({ alert, expr }): [string, string] => [alert, expr]),
    ]
    t.ok(asked.length > 25)
    for (const [by, expression] of asked) {
      t.ok(namesIn(expression).length > 0, `${by} asks for something of ours`)
      for (const name of namesIn(expression)) t.ok(told.has(name), `${by}: ${name}`)
    }
    const own = [...told].filter(name => name.startsWith('signet_') && !/_(sum|bucket|count)$/.test(name))
    const guide = readFileSync(new URL('../../iam/docs/operations.md', import.meta.url), 'utf8')
    for (const name of own) t.ok(guide.includes(`\`${name}\``), `operations.md explains ${name}`)
    for (const program of ['iam', 'admin-api', 'places'])
      t.match(text, new RegExp(`^signet_http_request_duration_seconds_count{.*program="${program}"} \\d`, 'm'))
    t.match(text, /^signet_outbox_oldest_seconds\{channel="email",program="iam"\} \d/m)
    t.match(text, /^signet_database_connections\{state="used",program="standalone"\} \d/m)
  })

  t.test('is found well by pnpm diagnose, which reaches its database', async t => {
    const environment = { ...home.environment, METRICS_PORT: metricsPort }
    const text = render(await diagnose(() => environment))
    t.notMatch(text, /^(FAIL|warning)/m)
    for (const setting of ['IAM_PORT', 'ADMIN_PORT', 'PLACES_PORT', 'METRICS_PORT'])
      t.match(text, new RegExp(`^ok +port +${setting} \\d+ is held by Signet$`, 'm'))
    t.match(text, /^ok +issuer +is found at http/m)

    const keys = join(home.folder, 'copied-keys')
    const config = readConfig({ ...environment, SIGNET_KEYS: keys })
    const linesOf = async () => render((await diagnoseKeys(config)).filter(each => each.state !== 'ok'))
    const plant = (spoil: () => void) => {
      rmSync(keys, { recursive: true, force: true })
      cpSync(home.environment['SIGNET_KEYS'] ?? '', keys, { recursive: true })
      chmodSync(keys, 0o700)
      spoil()
      return linesOf()
    }
    const pem = () => join(keys, readdirSync(keys).find(name => name.endsWith('.pem')) ?? '')
    t.equal((await plant(() => undefined)).trim(), '')
    if (process.platform !== 'win32') {
      t.match(await plant(() => chmodSync(keys, 0o755)), /^FAIL +keys .*can be entered by others.*chmod 700/)
      t.match(await plant(() => chmodSync(pem(), 0o644)), /^FAIL +keys .*can be read by others.*chmod 600/)
      t.match(await plant(() => chmodSync(join(keys, 'secret'), 0o644)), /^FAIL +secret .*chmod 600/)
    }
    t.match(await plant(() => writeFileSync(pem(), 'no key')), /^FAIL +keys .*is damaged/)
    t.match(await plant(() => rmSync(pem())), /^FAIL +keys .*is missing/)
    t.match(await plant(() => rmSync(join(keys, 'secret'))), /^warning +secret +there is none/)
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

t.test('every alert says what is the matter and has its page', async t => {
  const guide = readFileSync(new URL('../../iam/docs/operations.md', import.meta.url), 'utf8')
  t.ok(alerts.length > 10)
  for (const { alert, labels, annotations, ...rule } of alerts) {
    t.match(labels.severity, /^(warning|critical)$/, alert)
    t.ok(annotations.summary.length > 20, alert)
    t.match(rule.for ?? '1m', /^\d+[mh]$/, alert)
    t.ok(guide.includes(`\n### ${alert}\n`), `operations.md has a section for ${alert}`)
  }
  t.equal(guide.match(/^### Signet\w+$/gm)?.length, alerts.length, 'and none for an alert that is not there')
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
