// What a stranger gets from the registry: packed, read as bundlers and compilers read it, installed without a network in
// an empty project, run and compiled there, and weighed. Whatever subpaths package.json exports are looked at.

import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, posix, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import t from 'tap'
import { compile } from './compiler.ts'

const maxCoreBytes = 8_192
const packageFolder = dirname(import.meta.dirname)
const bin = join(packageFolder, 'node_modules', '.bin')
const workshop = mkdtempSync(join(tmpdir(), 'signet-package-'))
t.teardown(() => rmSync(workshop, { recursive: true, force: true }))
t.setTimeout(55_000)

// Tools that the machine has by itself, without the ones this repository installs.
const ownPath = (process.env['PATH'] ?? '').split(delimiter).filter(folder => !folder.includes('node_modules'))
const nodeHere = dirname(process.execPath)

interface Outcome {
  readonly code: number | null
  readonly output: string
}

/** Runs a command with nothing in its environment but a path and an empty home. tap watches Node's children; not these. */
function run(command: readonly string[], folder: string, path: readonly string[]): Outcome {
  const clean = [
    '-i',
    `PATH=${path.join(delimiter)}`,
    `HOME=${workshop}`,
    'NO_COLOR=1',
    'npm_config_update_notifier=false',
  ]
  const { status, stdout, stderr } = spawnSync('env', [...clean, ...command], { cwd: folder, encoding: 'utf8' })
  return { code: status, output: `${stdout}${stderr}` }
}

/** pnpm alone puts publishConfig's exports in place. The one that runs this suite, else the one npx brings. */
function pack(): string {
  const pnpm = process.env['npm_execpath'] ?? ''
  const starter = /\.[cm]?js$/.test(pnpm) ? [process.execPath, pnpm] : [pnpm]
  const command = /(?:^|[\\/])pnpm(?:\.[cm]?js|\.exe)?$/.test(pnpm) ? starter : ['npx', '-y', 'pnpm@12']
  const watched = Object.keys(process.env).filter(name => name === 'NODE_OPTIONS' || name.startsWith('_TAPJS'))
  const unset = [...new Set(['NODE_OPTIONS', ...watched])].flatMap(name => ['-u', name])
  const { status, stdout, stderr } = spawnSync('env', [...unset, ...command, 'pack', '--pack-destination', workshop], {
    cwd: packageFolder,
    encoding: 'utf8',
  })
  const [tarball] = globSync(join(workshop, '*.tgz'))
  if (status !== 0 || tarball === undefined) throw new Error(`The package could not be packed:\n${stdout}${stderr}`)
  return tarball
}

const tarball = pack()
const project = join(workshop, 'project')
mkdirSync(project)
writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
const installation = run(['npm', 'install', '--offline', '--no-audit', '--no-fund', tarball], project, ownPath)
const installed = join(project, 'node_modules', '@signet', 'verifier')

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, Target>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}
type Target = string | { readonly [condition: string]: Target }

const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest
const files = globSync('**/*', { cwd: installed, withFileTypes: true })
  .filter(entry => entry.isFile())
  .map(entry => relative(installed, join(entry.parentPath, entry.name)).split('\\').join('/'))
const peers = Object.keys(manifest.peerDependencies ?? {})

interface Export {
  readonly subpath: string
  readonly conditions: readonly string[]
  /** As in the tarball, without the leading ./ */
  readonly file: string
}

const listExports = (subpath: string, target: Target, conditions: readonly string[] = []): Export[] =>
  typeof target === 'string'
    ? [{ subpath, conditions, file: posix.normalize(target) }]
    : Object.entries(target).flatMap(([condition, inner]) => listExports(subpath, inner, [...conditions, condition]))
const exported = Object.entries(manifest.exports).flatMap(([subpath, target]) => listExports(subpath, target))
const programs = exported.filter(({ file }) => file.endsWith('.js'))

interface Graph {
  readonly files: ReadonlySet<string>
  /** What is imported from outside the package: `node:crypto`, `fastify`. */
  readonly outside: ReadonlySet<string>
}

/** All that is loaded with a file of the package; with `lazily` also what its dynamic imports load. */
async function walk(file: string, lazily: boolean): Promise<Graph> {
  const { metafile } = await build({
    absWorkingDir: installed,
    entryPoints: [file],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    metafile: true,
    write: false,
    logLevel: 'silent',
  })
  const outside = new Set<string>()
  const loaded = new Set([file])
  for (const each of loaded) {
    for (const { path, kind, external } of metafile.inputs[each]?.imports ?? []) {
      if (kind !== 'import-statement' && !(lazily && kind === 'dynamic-import')) continue
      if (external === true) outside.add(path)
      else loaded.add(path)
    }
  }
  return { files: loaded, outside }
}

/** What the types that a file exports import from outside the package, followed from file to file. */
function listTypeImports(file: string): ReadonlySet<string> {
  const outside = new Set<string>()
  const read = new Set([file.replace(/\.js$/, '.d.ts')])
  for (const each of read) {
    const text = readFileSync(join(installed, each), 'utf8')
    for (const [, name = ''] of text.matchAll(/(?:from |import\(|import |require\()['"]([^'"]+)['"]/g)) {
      if (name.startsWith('.')) read.add(posix.join(posix.dirname(each), name.replace(/\.[jt]s$/, '.d.ts')))
      else outside.add(name)
    }
  }
  return outside
}

const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
const needsPeer = async (file: string) => [...(await walk(file, true)).outside].some(name => !isBuiltin(name))

t.test('The tarball', async t => {
  t.equal(installation.code, 0, `installs in an empty project without a network: ${installation.output}`)
  t.strictSame(manifest.dependencies ?? {}, {}, 'brings nothing along')
  for (const peer of peers) t.equal(manifest.peerDependenciesMeta?.[peer]?.optional, true, `${peer} is optional`)
  const beside = files.filter(file => !file.startsWith('dist/'))
  t.strictSame(beside.toSorted(), ['LICENSE', 'README.md', 'package.json'], 'holds dist, README, licence and manifest')
  t.strictSame(
    files.filter(file => file.startsWith('dist/') && !/\.(?:js|d\.ts)$/.test(file)),
    [],
    'dist holds programs and their types, no source maps',
  )
  for (const file of files.filter(each => each.endsWith('.js'))) {
    const source = join(packageFolder, file.replace(/^dist/, 'src').replace(/\.js$/, '.ts'))
    // The core is several sources in one.
    t.ok(
      file === 'dist/core.js' || existsSync(source),
      `${file} has a source: it is not left over from an earlier build`,
    )
    t.ok(files.includes(file.replace(/\.js$/, '.d.ts')), `${file} has types`)
    t.notMatch(readFileSync(join(installed, file), 'utf8'), /sourceMappingURL/, `${file} points to no source map`)
  }
  t.notOk(JSON.stringify(manifest).includes('catalog:'), 'names versions, not our catalogue')
})

t.test('Every export', async t => {
  const reached = new Set<string>()
  for (const { subpath, conditions, file } of exported) {
    const name = `${subpath} for ${conditions.join(' and ') || 'everybody'}`
    t.ok(files.includes(file), `${name} is there: ${file}`)
    if (!file.endsWith('.js')) continue
    const { files: loaded, outside } = await walk(file, true)
    for (const each of loaded) reached.add(each)
    const isStrange = (each: string) => !isBuiltin(each) && !peers.includes(packageOf(each))
    t.strictSame([...outside].filter(isStrange), [], `${name} imports only what Node or a declared peer brings`)
    t.strictSame([...listTypeImports(file)].filter(isStrange), [], 'and so do its types')
    if (conditions.some(condition => ['browser', 'worker', 'edge-light', 'workerd'].includes(condition))) {
      t.strictSame([...outside], [], `${name} imports nothing that only Node has`)
    }
  }
  // A file of types alone compiles to an empty program.
  const isEmpty = (file: string) => /^(?:\/\/.*\n)*export \{\};\n?$/.test(readFileSync(join(installed, file), 'utf8'))
  const idle = files.filter(file => file.endsWith('.js') && !reached.has(file) && !isEmpty(file))
  t.strictSame(idle, [], 'no program is packed that no export leads to')
  const helpers = programs.filter(({ subpath }) => subpath === './testing').map(({ file }) => file)
  for (const { subpath, file } of programs.filter(each => each.subpath !== './testing')) {
    const { files: loaded } = await walk(file, true)
    t.notOk(
      helpers.some(helper => loaded.has(helper)),
      `${subpath} brings no test helper`,
    )
  }
})

t.test('The core', async t => {
  for (const { conditions, file } of programs.filter(({ subpath }) => subpath === '.')) {
    const { outside } = await walk(file, false)
    const foreign = [...outside].filter(name => name !== 'node:crypto')
    t.strictSame(foreign, [], `imports nothing but node:crypto (${conditions.join(' and ')})`)
    const bytes = await weigh(file)
    t.comment(`the core for ${conditions.join(' and ')} is ${bytes} bytes, minified and gzipped`)
    t.ok(bytes > 1_000 && bytes <= maxCoreBytes, `is at most ${maxCoreBytes} bytes minified and gzipped: ${bytes}`)
  }
})

/**
 * The entry and what it imports statically in one file, as Rollup, Vite and webpack deliver it. Dynamic imports are chunks of
 * their own, which import from it what they share.
 */
async function weigh(file: string): Promise<number> {
  const { outputFiles } = await build({
    absWorkingDir: installed,
    entryPoints: [file],
    bundle: true,
    minify: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'leave what is loaded later',
        setup(building) {
          building.onResolve({ filter: /./ }, ({ kind, path }) =>
            kind === 'dynamic-import' ? { path, external: true } : undefined,
          )
        },
      },
    ],
  })
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
}

t.test('Tools that read packages', async t => {
  const publint = run([join(bin, 'publint'), 'run', tarball, '--strict'], workshop, [nodeHere, ...ownPath])
  t.equal(publint.code, 0, `publint finds nothing: ${publint.output}`)
  const attw = run([join(bin, 'attw'), tarball, '--profile', 'esm-only'], workshop, [nodeHere, ...ownPath])
  t.equal(attw.code, 0, `every export has the right types for an ES module: ${attw.output}`)
  t.match(attw.output, /🟢/, 'which attw has looked at')
})

t.test('In the empty project', async t => {
  const node = findOldestNode()
  const [usable, bound]: [string[], string[]] = [[], []]
  for (const subpath of new Set(programs.map(each => each.subpath))) {
    const all = programs.filter(each => each.subpath === subpath)
    const needs = await Promise.all(all.map(each => needsPeer(each.file)))
    ;(needs.includes(true) ? bound : usable).push(posix.join(manifest.name, subpath))
  }
  const program = [
    "import { createVerifier } from '@signet/verifier'",
    "import { createTestIssuer } from '@signet/verifier/testing'",
    'const issuer = createTestIssuer()',
    'const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: issuer.fetch } })',
    "console.log((await verifier.verify(issuer.token({ sub: 'somebody' }))).subject)",
    ...usable.map(name => `await import('${name}')`),
    ...bound.map(name => `import.meta.resolve('${name}')`),
    "console.log('all there', process.version)",
  ]
  writeFileSync(join(project, 'program.js'), program.join('\n'))
  const { code, output } = run([node, 'program.js'], project, [])
  t.match(output, /^somebody\nall there v\d+/, `two lines verify a token: ${output}`)
  t.equal(code, 0, output.trim())
  t.comment(`on ${output.trim().split(' ').at(-1)}; imported ${usable.join(', ')}; resolved ${bound.join(', ')}`)

  const needsTypes = ({ file }: Export) => [...listTypeImports(file)].some(name => !isBuiltin(name))
  const typed = usable.filter(
    name => !programs.some(each => posix.join(manifest.name, each.subpath) === name && needsTypes(each)),
  )
  const lines = [
    ...typed.map((name, at) => `export * as all${at} from '${name}'`),
    "import { createVerifier } from '@signet/verifier'",
    "const issuer = 'https://id.example.com'",
    "export const verifier = createVerifier({ issuer, audience: 'places' })",
    "export const subject: Promise<string> = verifier.verify('token').then(principal => principal.subject)",
  ]
  const refused = {
    'a forgotten audience': 'createVerifier({ issuer })',
    'a forgotten issuer': "createVerifier({ audience: 'places' })",
    'an unknown option': "createVerifier({ issuer, audience: 'places', ignoreExpiration: true })",
    'a misspelt need': "void verifier.verify('token', { permission: ['a'] })",
  }
  const source = [...lines, ...Object.values(refused)]
  writeFileSync(join(project, 'source.ts'), source.join('\n'))
  const types = dirname(dirname(createRequire(import.meta.url).resolve('@types/node/package.json')))
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    module: 'nodenext',
    target: 'es2022',
    types: ['node'],
    typeRoots: [types],
    noEmit: true,
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['source.ts'] }))
  const complaints = compile(project)
  for (const [name, line] of Object.entries(refused)) {
    t.ok(
      complaints.some(each => each.line === source.indexOf(line) + 1),
      `${name} does not compile`,
    )
  }
  t.strictSame(
    complaints.filter(({ line }) => line <= lines.length).map(({ text }) => text),
    [],
    'and what is right does, types of the package included',
  )
})

/** Node 20 where the machine has one: the oldest that the manifest allows. */
function findOldestNode(): string {
  for (const folder of ownPath) {
    const node = join(folder, 'node')
    if (existsSync(node) && run([node, '--version'], workshop, []).output.startsWith('v20.')) return node
  }
  return process.execPath
}
