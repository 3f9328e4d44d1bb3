/** The API references are good enough for a machine: a client is generated from them, type-checked, and used. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { readFirstAdmin } from '../src/credentials-file.ts'
import { createHome, waitUntilReady } from '../src/demo/child.ts'
import { startKeptChild } from './kept-child.ts'

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
const rootModules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const referenceOf = (app: string) => fileURLToPath(new URL(`../../${app}/docs/openapi.json`, import.meta.url))

/** What a stranger writes. `@ts-expect-error` fails where the types would let something wrong pass. */
const program = `
import createClient from 'openapi-fetch'
import type { paths as AdminApi } from './admin-api.d.ts'
import type { paths as Issuer } from './iam.d.ts'

const { iam = '', admin = '', email = '', password = '' } = process.env
const issuer = createClient<Issuer>({ baseUrl: iam })
const { data: tokens } = await issuer.POST('/api/v1/tokens', { body: { email, password } })
if (tokens === undefined) throw new Error('not signed in')

const api = createClient<AdminApi>({ baseUrl: admin, headers: { authorization: \`Bearer \${tokens.access_token}\` } })
const created = await api.POST('/admin/v1/roles', { body: { name: 'generated', permissions: ['places:read'] } })
const role: { id: string; permissions: string[] } | undefined = created.data
const { error: refusal } = await api.POST('/admin/v1/users', { body: { email: 'grace@example.com' } })
if (refusal !== undefined) throw new Error(refusal.detail)
const { data: people } = await api.GET('/admin/v1/users', { params: { query: { limit: 10, sort: 'email', count: true } } })
const missing = await api.GET('/admin/v1/roles/{id}', { params: { path: { id: crypto.randomUUID() } } })
const code: string | undefined = missing.error?.code

// @ts-expect-error there is no such path
void (() => api.GET('/admin/v1/nothing'))
// @ts-expect-error a role has a name
void (() => api.POST('/admin/v1/roles', { body: { permissions: [] } }))
// @ts-expect-error a person has no such member
void (() => people?.items[0]?.password_hash)

console.log(JSON.stringify({
  created: created.response.status,
  permissions: role?.permissions,
  emails: people?.items.map(person => person.email),
  missing: missing.response.status,
  code,
}))
`

const settings = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024', 'dom'],
    module: 'nodenext',
    types: ['node'],
    typeRoots: [join(rootModules, '@types')],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
  },
  include: ['*.ts'],
}

/** The compiler itself: the test runner hooks into what is started with node, which tsc's own starter does not survive. */
async function findCompiler(): Promise<string> {
  const finder: { default: () => string } = await import(
    pathToFileURL(join(rootModules, 'typescript/lib/getExePath.js')).href
  )
  return finder.default()
}

t.test('a client', async t => {
  const folder = t.testdir({
    'package.json': '{ "type": "module" }',
    'program.ts': program,
    'tsconfig.json': JSON.stringify(settings),
    node_modules: t.fixture('symlink', modules),
  })
  const run = (command: string, args: string[], env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...env },
      timeout: 30_000,
    })
    return { status, output: `${stdout}${stderr}`, stdout }
  }

  await t.test('is generated from the references', async t => {
    for (const app of ['admin-api', 'iam']) {
      const generator = join(modules, 'openapi-typescript/bin/cli.js')
      const { status, output } = run(process.execPath, [generator, referenceOf(app), '-o', `${app}.d.ts`])
      t.equal(status, 0, output)
    }
  })

  await t.test('has types that fit a program', async t => {
    const { status, output } = run(await findCompiler(), ['--project', 'tsconfig.json'])
    t.equal(status, 0, output)
  })

  await t.test('signs in, creates a role, lists people, and knows a problem by its code', async t => {
    const { url, adminUrl } = await testDatabase(t)
    const home = await createHome()
    t.teardown(() => home.remove())
    const child = startKeptChild(home, { DATABASE_URL: url, DATABASE_ADMIN_URL: adminUrl })
    await waitUntilReady(child)
    const first = await readFirstAdmin(home.adminFile)
    const { iam, admin } = home.addresses
    const { email = '', password = '' } = first ?? {}
    const { status, stdout, output } = run(process.execPath, ['program.ts'], { iam, admin, email, password })
    t.equal(status, 0, output)
    t.match(JSON.parse(stdout), {
      created: 201,
      permissions: ['places:read'],
      emails: ['grace@example.com'],
      missing: 404,
      code: 'role-not-found',
    })
    child.process.kill('SIGTERM')
    await child.ended
  })
})
