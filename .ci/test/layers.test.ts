// The layer rules are only as good as their bite: a clean tree passes, and one planted violation per rule is named.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { findViolations } from '../layers/find-violations.ts'
import { importRules } from '../layers/import-rules.ts'
import { sourceRules } from '../layers/source-rules.ts'

interface Manifest {
  readonly dependencies: readonly string[]
  readonly devDependencies?: readonly string[]
  readonly exports?: Readonly<Record<string, string>>
}

const manifests: Readonly<Record<string, Manifest>> = {
  'packages/verifier': {
    dependencies: [],
    devDependencies: ['@cedar-policy/cedar-wasm', '@grpc/grpc-js', 'fastify', 'hono', 'jose', 'ws'],
    exports: {
      '.': './src/index.ts',
      './testing': './src/testing.ts',
      './express': './src/express.ts',
      './fastify': './src/fastify.ts',
      './hono': './src/hono.ts',
      './policies': './src/policies/index.ts',
      './ws': './src/ws/index.ts',
      './grpc': './src/grpc/index.ts',
    },
  },
  'packages/kernel': { dependencies: ['typebox', 'uuid'], devDependencies: ['fastify'] },
  'packages/bundle': { dependencies: ['@signet/kernel', 'esbuild'] },
  'packages/db': { dependencies: ['@signet/kernel', 'drizzle-orm', 'postgres'] },
  'packages/accounts': {
    dependencies: ['@signet/kernel', '@signet/db', '@node-rs/argon2', 'drizzle-orm'],
    devDependencies: ['@signet/testkit', '@signet/http'],
  },
  'packages/delivery': { dependencies: ['@signet/kernel', '@signet/db', '@signet/accounts', 'nodemailer'] },
  'packages/http': {
    dependencies: ['@signet/kernel', '@signet/verifier', '@signet/db', 'fastify', '@fastify/swagger'],
  },
  'packages/testkit': { dependencies: ['@signet/db', '@signet/iam', 'postgres'] },
  'packages/bench': { dependencies: ['jose', 'postgres', '@node-rs/argon2'] },
  'apps/iam': {
    dependencies: words(
      '@signet/kernel @signet/db @signet/http @signet/accounts @signet/verifier @signet/admin-api @signet/bench',
      '@node-rs/argon2 @node-rs/bcrypt drizzle-orm fastify jose postgres',
    ),
    devDependencies: ['@signet/testkit', 'fast-jwt'],
  },
  'apps/admin-api': {
    dependencies: words('@signet/kernel @signet/db @signet/http fastify sharp aws4fetch'),
  },
  'apps/standalone': { dependencies: ['@signet/db', '@signet/iam', '@signet/admin-api'] },
}

const libraries = words(
  'typebox uuid @cedar-policy/cedar-wasm drizzle-orm postgres @node-rs/argon2 @node-rs/bcrypt nodemailer sharp aws4fetch fastify @fastify/swagger hono @grpc/grpc-js ws jose fast-jwt esbuild left-pad',
)

/** A small product that keeps every rule, and comes as close to each border as the rules allow. */
const cleanTree: Readonly<Record<string, string>> = {
  'packages/verifier/src/index.ts': "import { verify } from 'node:crypto'\nexport const check = verify",
  'packages/verifier/src/adapters/gate.ts':
    "import type { ServerResponse } from 'node:http'\nimport { check } from '../index.ts'\nexport const admit = (response: ServerResponse) => [response, check]",
  'packages/verifier/src/express.ts':
    "import type { IncomingMessage } from 'node:http'\nimport { admit } from './adapters/gate.ts'\nexport const guard = (request: IncomingMessage) => [request, admit]",
  'packages/verifier/src/fastify.ts':
    "import type { FastifyInstance } from 'fastify'\nimport { check } from './index.ts'\nimport { needs } from './fastify/openapi.ts'\nexport const guard = (app: FastifyInstance) => [app, check, needs]",
  'packages/verifier/src/fastify/openapi.ts':
    "import type {} from 'fastify'\nimport { admit } from '../adapters/gate.ts'\nexport const needs = admit",
  'packages/verifier/src/hono.ts':
    "import type {} from 'hono'\nimport { admit } from './adapters/gate.ts'\nexport const guard = admit",
  'packages/verifier/src/policies/index.ts':
    "import { createRequire } from 'node:module'\nimport type {} from '@cedar-policy/cedar-wasm'\nexport const decide = createRequire",
  'packages/verifier/src/ws/index.ts':
    "import { STATUS_CODES } from 'node:http'\nimport type {} from 'node:stream'\nimport type {} from 'ws'\nexport { check } from '../index.ts'\nexport const texts = STATUS_CODES",
  'packages/verifier/src/grpc/index.ts': "import type {} from '@grpc/grpc-js'\nexport { check } from '../index.ts'",
  'packages/verifier/src/testing.ts':
    "import { generateKeyPairSync } from 'node:crypto'\nexport const makeKeys = generateKeyPairSync",
  'packages/verifier/test/index.test.ts': "import 'jose'\nimport '../src/index.ts'",
  'packages/kernel/src/index.ts': "import 'typebox'\nimport 'uuid'\nimport 'node:crypto'\nexport const id = ''",
  'packages/db/src/index.ts':
    "import 'node:fs'\nimport 'drizzle-orm'\nimport 'postgres'\nexport { id } from '@signet/kernel'",
  'packages/db/src/tables.ts': "export const passwordCredentials = 'password_credentials'",
  'packages/accounts/src/index.ts': "export { hash } from './password.ts'\nexport { find } from './account-repo.ts'",
  'packages/accounts/src/password.ts':
    "import '@node-rs/argon2'\nimport { read } from './password-repo.ts'\nexport const hash = read",
  'packages/accounts/src/password-repo.ts': "import 'drizzle-orm'\nexport const read = 'password_credentials'",
  'packages/accounts/src/account-repo.ts':
    "import 'drizzle-orm'\nimport { id } from '@signet/db'\nexport const find = id",
  'packages/accounts/test/account.test.ts': "import '@signet/testkit'\nimport '../src/account-repo.ts'",
  'packages/delivery/src/index.ts': "import 'nodemailer'\nimport '@signet/db'",
  'packages/http/src/index.ts':
    "import 'fastify'\nimport '@fastify/swagger'\nimport '@signet/verifier/fastify'\nexport const http = ''",
  'packages/bundle/src/index.ts': "import 'node:fs'\nimport 'esbuild'",
  'packages/testkit/src/index.ts': "import 'postgres'\nimport '@signet/db'",
  'packages/bench/src/index.ts': "import 'jose'\nimport 'postgres'\nimport '@node-rs/argon2'",
  'apps/iam/src/index.ts': "export { app } from './app.ts'",
  'apps/iam/src/app.ts':
    "import 'fastify'\nimport './modules/tokens/index.ts'\nimport './modules/keys/index.ts'\nexport const app = ''",
  'apps/iam/src/modules/tokens/index.ts': "export { routes } from './routes.ts'",
  'apps/iam/src/modules/tokens/routes.ts':
    "import type {} from 'fastify'\nimport { issue } from './service.ts'\nexport const routes = issue",
  'apps/iam/src/modules/tokens/service.ts':
    "import { sign } from '../keys/index.ts'\nimport { insert } from './repo.ts'\nexport const issue = [sign, insert]",
  'apps/iam/src/modules/tokens/repo.ts': "import 'drizzle-orm'\nexport const insert = ''",
  'apps/iam/src/modules/keys/index.ts': "export { sign } from './signer.ts'",
  'apps/iam/src/modules/keys/signer.ts':
    "import { createPrivateKey } from 'node:crypto'\nimport 'jose'\nexport const sign = createPrivateKey",
  'apps/iam/test/tokens.test.ts':
    "import 'fast-jwt'\nimport '@signet/testkit'\nimport '@signet/verifier/testing'\nimport '../src/modules/tokens/repo.ts'",
  'apps/admin-api/src/index.ts': "export const app = ''",
  'apps/admin-api/src/app.ts': "export const buildApp = ''",
  'apps/standalone/src/main.ts': "import '@signet/db'\nimport '@signet/iam'\nimport '@signet/admin-api'",
}

/** What is planted, where, and the names of all rules that must see it there. */
const plants: readonly { file: string; source: string; seenBy: readonly string[] }[] = [
  { file: 'packages/bundle/src/a.ts', source: "import '@signet/kernel'", seenBy: ['bundle-knows-no-program'] },
  { file: 'packages/verifier/src/a.ts', source: "import '@signet/kernel'", seenBy: ['verifier-stands-alone'] },
  { file: 'packages/verifier/src/b.ts', source: "import 'node:fs'", seenBy: ['verifier-stands-alone'] },
  {
    file: 'packages/verifier/src/fastify/c.ts',
    source: "import 'node:http'",
    seenBy: ['verifier-adapters-import-their-peer'],
  },
  { file: 'packages/verifier/src/ws/e.ts', source: "import 'node:net'", seenBy: ['verifier-ws-imports-ws'] },
  { file: 'packages/verifier/src/grpc/f.ts', source: "import 'node:http2'", seenBy: ['verifier-grpc-imports-grpc'] },
  {
    file: 'packages/verifier/src/hono/c.ts',
    source: "import type {} from 'fastify'\nimport '../express.ts'",
    seenBy: ['fastify-stays-in-http', 'verifier-adapters-import-their-peer'],
  },
  {
    file: 'packages/verifier/src/express/c.ts',
    source: "import type {} from 'hono'",
    seenBy: ['verifier-adapters-of-node-import-http'],
  },
  {
    file: 'packages/verifier/src/adapters/c.ts',
    source: "import type {} from 'hono'",
    seenBy: ['verifier-adapters-share-no-framework'],
  },
  {
    file: 'packages/verifier/src/c.ts',
    source: "import './hono.ts'",
    seenBy: ['verifier-core-knows-no-adapter'],
  },
  {
    file: 'packages/verifier/src/policies/d.ts',
    source: "import 'node:crypto'",
    seenBy: ['verifier-policies-import-cedar'],
  },
  { file: 'packages/kernel/src/a.ts', source: "import 'node:fs'", seenBy: ['kernel-is-the-floor'] },
  {
    file: 'packages/kernel/src/b.ts',
    source: "import 'fastify'",
    seenBy: ['kernel-is-the-floor', 'fastify-stays-in-http', 'source-needs-no-dev-dependency'],
  },
  { file: 'packages/db/src/a.ts', source: "import '@signet/http'", seenBy: ['db-stands-on-kernel'] },
  {
    file: 'packages/accounts/src/a.ts',
    source: "import type {} from '@signet/http'",
    seenBy: ['accounts-stands-on-db'],
  },
  { file: 'packages/delivery/src/a.ts', source: "import '@signet/accounts'", seenBy: ['delivery-stands-on-db'] },
  { file: 'packages/http/src/a.ts', source: "import '@signet/db'", seenBy: ['http-stands-on-kernel-and-verifier'] },
  { file: 'apps/iam/src/a.ts', source: "import '@signet/admin-api'", seenBy: ['apps-do-not-import-apps'] },
  { file: 'apps/iam/test/a.test.ts', source: "import '@signet/admin-api'", seenBy: ['apps-do-not-import-apps'] },
  {
    file: 'apps/standalone/src/a.ts',
    source: "import '../../admin-api/src/app.ts'",
    seenBy: ['standalone-enters-by-the-door', 'packages-are-entered-by-name'],
  },
  { file: 'packages/testkit/src/a.ts', source: "import '@signet/iam'", seenBy: ['packages-do-not-import-apps'] },
  {
    file: 'packages/accounts/src/b.ts',
    source: "import '../../kernel/src/index.ts'",
    seenBy: ['packages-are-entered-by-name'],
  },
  {
    file: 'apps/iam/src/modules/sessions/service.ts',
    source: "import '../tokens/service.ts'",
    seenBy: ['modules-enter-modules-by-index'],
  },
  {
    file: 'apps/iam/src/b.ts',
    source: "import './modules/tokens/service.ts'",
    seenBy: ['wiring-enters-modules-by-index'],
  },
  { file: 'apps/iam/src/c.ts', source: "import './d.ts'", seenBy: ['no-cycles'] },
  // The other half of the circle, which is reported once, at its first file.
  { file: 'apps/iam/src/d.ts', source: "import type {} from './c.ts'", seenBy: [] },
  { file: 'apps/iam/src/modules/tokens/jwt.ts', source: "import type {} from 'jose'", seenBy: ['jose-stays-in-keys'] },
  {
    file: 'apps/iam/src/modules/tokens/policy.ts',
    source: "import type {} from 'fastify'",
    seenBy: ['fastify-stays-in-http'],
  },
  { file: 'apps/iam/src/modules/otp/service.ts', source: "import 'drizzle-orm'", seenBy: ['sql-stays-in-repos'] },
  {
    file: 'apps/iam/src/modules/otp/codes.ts',
    source: "export const load = () => import('postgres')",
    seenBy: ['sql-stays-in-repos'],
  },
  { file: 'apps/iam/src/modules/otp/repo.ts', source: "import 'drizzle-orm'", seenBy: [] },
  { file: 'apps/iam/src/modules/otp/routes.ts', source: "import './repo.ts'", seenBy: ['routes-do-not-touch-repos'] },
  { file: 'apps/admin-api/src/imaging/convert.ts', source: "import 'sharp'", seenBy: [] },
  { file: 'apps/admin-api/src/storage/s3-storage.ts', source: "import 'aws4fetch'", seenBy: [] },
  {
    file: 'apps/admin-api/src/modules/images/service.ts',
    source: "import 'sharp'\nimport 'aws4fetch'",
    seenBy: ['sharp-stays-in-imaging', 's3-stays-in-storage'],
  },
  { file: 'apps/iam/src/e.ts', source: "import '@node-rs/argon2'", seenBy: ['argon2-stays-in-password'] },
  { file: 'apps/iam/src/e2.ts', source: "import '@node-rs/bcrypt'", seenBy: ['argon2-stays-in-password'] },
  {
    file: 'packages/accounts/src/c.ts',
    source: "import '@signet/testkit'",
    seenBy: ['accounts-stands-on-db', 'testkit-stays-under-test'],
  },
  { file: 'apps/iam/src/f.ts', source: "import '@signet/verifier/testing'", seenBy: ['testkit-stays-under-test'] },
  { file: 'apps/iam/src/g.ts', source: "import '@signet/bench'", seenBy: ['nothing-imports-bench'] },
  { file: 'apps/iam/src/h.ts', source: "import 'fast-jwt'", seenBy: ['source-needs-no-dev-dependency'] },
  { file: 'apps/iam/src/i.ts', source: "import 'left-pad'", seenBy: ['every-import-is-declared'] },
  { file: 'apps/iam/src/j.ts', source: "import './missing.ts'", seenBy: ['every-import-resolves'] },
  {
    file: 'apps/iam/src/modules/tokens/signature.ts',
    source: "import { randomBytes, sign } from 'node:crypto'",
    seenBy: ['private-keys-stay-in-keys'],
  },
  {
    file: 'packages/accounts/src/d.ts',
    source: 'export const sql = `select * from password_credentials`',
    seenBy: ['password-hashes-stay-in-password'],
  },
]

t.test('the layer rules', async t => {
  const clean = await findViolations(plantTree(t, cleanTree))
  t.equal(clean.fileCount, Object.keys(cleanTree).length, 'read every file of a tree')
  t.strictSame(clean.violations, [], 'find nothing in a tree that keeps them')

  const planted = Object.fromEntries(plants.map(({ file, source }) => [file, source]))
  const { violations } = await findViolations(plantTree(t, { ...cleanTree, ...planted }))
  for (const { file, source, seenBy } of plants) {
    const names = violations.filter(({ from }) => from.replace(/:\d+$/, '') === file).map(({ rule }) => rule)
    t.strictSame(
      [...new Set(names)].toSorted(),
      seenBy.toSorted(),
      `see ${source} in ${file} by ${seenBy.join(', ') || 'no rule'}`,
    )
  }
  t.strictSame(
    [...new Set(violations.map(({ from }) => from.replace(/:\d+$/, '')))].filter(file => !(file in planted)),
    [],
    'blame no file in which nothing was planted',
  )
})

t.test('every rule has a planted violation', async t => {
  const covered = new Set(plants.flatMap(({ seenBy }) => seenBy))
  for (const { name } of [...importRules, ...sourceRules]) t.ok(covered.has(name), name)
})

/** Writes a workspace as pnpm lays it out: libraries in node_modules/.pnpm, everything else by symbolic link. */
function plantTree(t: { teardown(undo: () => void): void }, files: Readonly<Record<string, string>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'signet-layers-')))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))

  for (const name of libraries) {
    const folder = join('node_modules/.pnpm', `${name.replace('/', '+')}@1.0.0`, 'node_modules', name)
    writeText(join(root, folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'index.js' }))
    writeText(join(root, folder, 'index.js'), '')
    linkFolder(join(root, folder), join(root, 'node_modules', name))
  }
  for (const [folder, { dependencies, devDependencies = [], exports = { '.': './src/index.ts' } }] of Object.entries(
    manifests,
  )) {
    const name = `@signet/${folder.split('/')[1]}`
    const peerDependencies = folder === 'packages/verifier' ? { fastify: '1.0.0', hono: '1.0.0' } : {}
    const manifest = {
      name,
      exports,
      dependencies: pin(dependencies),
      devDependencies: pin(devDependencies),
      peerDependencies,
    }
    writeText(join(root, folder, 'package.json'), JSON.stringify(manifest))
    linkFolder(join(root, folder), join(root, 'node_modules', name))
  }
  for (const [file, source] of Object.entries(files)) writeText(join(root, file), source)
  return root
}

function words(...lines: readonly string[]): string[] {
  return lines.flatMap(line => line.split(' '))
}

function pin(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map(name => [name, '1.0.0']))
}

function writeText(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

function linkFolder(target: string, link: string): void {
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(target, link, 'junction')
}
