import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const door = fileURLToPath(new URL('../src/index.ts', import.meta.url))
const builder = fileURLToPath(new URL('../src/main-bundle.ts', import.meta.url))

/** A package of one program, in a tree with an installed package, as pnpm lays it out. */
function plantProgram(t: Test, files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), 'signet-bundle-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  write('package.json', '{"type":"module"}')
  write(
    'app/src/main.ts',
    `import { startBundled } from ${JSON.stringify(door)}\nawait startBundled(new URL('program.ts', import.meta.url).href)\n`,
  )
  write('node_modules/.pnpm/lock.yaml', 'words 1.0.0')
  for (const [path, text] of Object.entries(files)) write(path, text)
  const run = (file: string, ...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...words], { encoding: 'utf8' })
    return { status, stdout: stdout.trim(), stderr }
  }
  return {
    root,
    write,
    start: (...words: string[]) => run(join(root, 'app/src/main.ts'), ...words),
    bundle: () => run(builder, join(root, 'app/src/program.ts')),
    listBundles: () => readdirSync(join(root, 'app/dist')).filter(name => !name.endsWith('.json')),
    inUse: () => (JSON.parse(readFileSync(join(root, 'app/dist/program.json'), 'utf8')) as { first: string }).first,
  }
}

/** Says from where it runs: its stack is of the bundle, what it knows of its place is not. */
const whereItRuns = "new Error('x').stack!.includes('/dist/program-') ? 'bundle' : 'sources'"

t.test('a program starts from its bundle', async t => {
  const { start, listBundles, inUse } = plantProgram(t, {
    'app/src/program.ts': `import { word } from './word.ts'\nconsole.log(word, ${whereItRuns}, ...process.argv.slice(2))\n`,
    'app/src/word.ts': "export const word: string = 'one'\n",
  })
  const first = start('--flag')
  t.strictSame(
    { status: first.status, stdout: first.stdout, stderr: first.stderr },
    { status: 0, stdout: 'one bundle --flag', stderr: '' },
    'at its first start already, with its arguments',
  )
  const made = inUse()
  t.equal(start().stdout, 'one bundle')
  t.equal(inUse(), made, 'the second start takes the same one')
  t.equal(listBundles().length, 1)
})

t.test('whoever waits for a bundle is told, and nobody else', async t => {
  const { start, write } = plantProgram(t, { 'app/src/program.ts': "console.log('runs')\n" })
  write(
    'app/src/main.ts',
    `import { startBundled } from ${JSON.stringify(door)}
await startBundled(new URL('program.ts', import.meta.url).href, () => console.log('wait'))
`,
  )
  t.equal(start().stdout, 'wait\nruns')
  t.equal(start().stdout, 'runs')
})

t.test('a bundle is of the sources as they are', async t => {
  const { root, start, write } = plantProgram(t, {
    'app/src/program.ts': `import { word } from './word.ts'\nimport { words } from 'words'\nconsole.log(word, words, ${whereItRuns})\n`,
    'app/src/word.ts': "export const word: string = 'one'\n",
    'node_modules/words/package.json': '{"type":"module","exports":"./index.js"}',
    'node_modules/words/index.js': "export const words = 'first'\n",
  })
  t.equal(start().stdout, 'one first bundle')
  write('app/src/word.ts', "export const word: string = 'three'\n")
  t.equal(start().stdout, 'three first bundle', 'a file that is another size')
  write('app/src/word.ts', "export const word: string = 'seven'\n")
  utimesSync(join(root, 'app/src/word.ts'), 1, 1)
  t.equal(start().stdout, 'seven first bundle', 'a file of another time')
  write('node_modules/words/next.js', "export const words = 'second'\n")
  write('node_modules/words/package.json', '{"type":"module","exports":"./next.js"}')
  write('node_modules/.pnpm/lock.yaml', 'words 1.0.1')
  utimesSync(join(root, 'node_modules/.pnpm/lock.yaml'), 1, 1)
  t.equal(start().stdout, 'seven second bundle', 'another version of a package')
  rmSync(join(root, 'app/src/word.ts'))
  const gone = start()
  t.not(gone.status, 0, 'a file that is gone')
  t.match(gone.stderr, /Starts from the sources.*word\.ts/s)
  t.match(gone.stderr, /ERR_MODULE_NOT_FOUND/)
})

t.test('a package of this tree that sends its name elsewhere', async t => {
  const { root, start, write } = plantProgram(t, {
    'app/src/program.ts': "import { words } from 'words'\nconsole.log(words)\n",
    'words/package.json': '{"type":"module","exports":"./one.ts"}',
    'words/one.ts': "export const words = 'one'\n",
    'words/two.ts': "export const words = 'two'\n",
  })
  symlinkSync(join(root, 'words'), join(root, 'node_modules/words'))
  t.equal(start().stdout, 'one')
  write('words/package.json', '{"type":"module","exports":"./two.ts"}')
  utimesSync(join(root, 'words/package.json'), 1, 1)
  t.equal(start().stdout, 'two')
})

t.test('what is changed while a bundle is made is in the next one', async t => {
  const { start, write, root } = plantProgram(t, {
    'app/src/program.ts': "import { word } from './word.ts'\nimport './long.ts'\nconsole.log(word)\n",
    'app/src/word.ts': "export const word = 'one'\n",
    'app/src/long.ts': 'export {}\n'.repeat(400_000),
  })
  const running = spawn(process.execPath, [join(root, 'app/src/main.ts')], { stdio: 'ignore' })
  const ended = once(running, 'close')
  while (!existsSync(join(root, 'app/dist'))) await pause(5)
  // It is made now; whether word.ts was read before or after this, the next start says what stands there.
  await pause(60)
  write('app/src/word.ts', "export const word = 'two'\n")
  await ended
  t.equal(start().stdout, 'two')
})

t.test('a time that a layer of an image has cut to the second is the same', async t => {
  const { start, root, inUse } = plantProgram(t, { 'app/src/program.ts': `console.log(${whereItRuns})\n` })
  const file = join(root, 'app/src/program.ts')
  utimesSync(file, 1_000_000.75, 1_000_000.75)
  t.equal(start().stdout, 'bundle')
  const made = inUse()
  utimesSync(file, 1_000_000, 1_000_000)
  t.equal(start().stdout, 'bundle')
  t.equal(inUse(), made)
  utimesSync(file, 1_000_000.25, 1_000_000.25)
  t.equal(start().stdout, 'bundle')
  t.not(inUse(), made, 'but another time within it is another')
})

t.test('code in a bundle knows its own place', async t => {
  const { root, start } = plantProgram(t, {
    'app/src/program.ts': [
      "import { readFileSync } from 'node:fs'",
      "import { createRequire } from 'node:module'",
      "import old from 'old'",
      "console.log(readFileSync(new URL('../note.txt', import.meta.url), 'utf8'), import.meta.dirname, import.meta.filename)",
      "console.log(createRequire(import.meta.url)('old').folder === old.folder, old.folder, old.file, old.isStrict)",
    ].join('\n'),
    'app/note.txt': 'a note',
    'app/node_modules/old/index.js':
      "'use strict'\nmodule.exports = { folder: __dirname, file: __filename, isStrict: (function () { return this === undefined })() }\n",
    'app/node_modules/old/package.json': '{"main":"index.js"}',
  })
  const source = join(root, 'app/src')
  const old = join(root, 'app/node_modules/old')
  t.equal(start().stdout, `a note ${source} ${join(source, 'program.ts')}\ntrue ${old} ${join(old, 'index.js')} true`)
})

t.test('what is imported later is read later', async t => {
  const { start, listBundles, root } = plantProgram(t, {
    'app/src/program.ts': "if (process.argv[2] === 'late') console.log((await import('./late.ts')).late)\n",
    'app/src/late.ts': "export const late = 'late'\n",
  })
  t.equal(start('late').stdout, 'late')
  const [bundle = ''] = listBundles()
  const late = readdirSync(join(root, 'app/dist', bundle)).filter(name => /^late-.*\.js$/.test(name))
  t.equal(late.length, 1)
  t.notMatch(readFileSync(join(root, 'app/dist', bundle, 'program.js'), 'utf8'), '"late"\n')
})

t.test('a record that cannot be read, or of a bundle that is gone, is made anew', async t => {
  const { root, start, write, inUse } = plantProgram(t, {
    'app/src/program.ts': `console.log(${whereItRuns})\n`,
  })
  start()
  write('app/dist/program.json', '{"first":')
  t.equal(start().stdout, 'bundle')
  rmSync(join(root, 'app/dist', dirname(inUse())), { recursive: true })
  const again = start()
  t.strictSame(again, { status: 0, stdout: 'bundle', stderr: '' })
})

t.test('old bundles leave after a day: a program that runs may still read one', async t => {
  const { root, start, write, listBundles } = plantProgram(t, { 'app/src/program.ts': "console.log('one')\n" })
  start()
  const [first = ''] = listBundles()
  write('app/src/program.ts', "console.log('other')\n")
  start()
  t.equal(listBundles().length, 2)
  const yesterday = Date.now() / 1_000 - 25 * 3_600
  utimesSync(join(root, 'app/dist', first), yesterday, yesterday)
  write('app/src/program.ts', "console.log('another')\n")
  t.equal(start().stdout, 'another')
  t.equal(listBundles().length, 2)
  t.notOk(listBundles().includes(first))
})

t.test('CommonJS that is imported later would lose its names: then there is none', async t => {
  const { start } = plantProgram(t, {
    'app/src/program.ts': "const { word } = await import('old')\nconsole.log(word)\n",
    'app/node_modules/old/index.js': "exports.word = 'word'\n",
    'app/node_modules/old/package.json': '{"main":"index.js"}',
  })
  const { stdout, stderr } = start()
  t.equal(stdout, 'word')
  t.match(stderr, /^Starts from the sources.*in CommonJS: .*old\/index\.js/s)
})

t.test('where none can be made, the program runs from its sources and says so', async t => {
  const { start, listBundles } = plantProgram(t, {
    'app/src/program.ts': `console.log(${whereItRuns}, typeof import.meta.resolve)\n`,
  })
  const { status, stdout, stderr } = start()
  t.strictSame({ status, stdout }, { status: 0, stdout: 'sources function' })
  t.match(
    stderr,
    /^Starts from the sources, which takes a second longer: no bundle can be made\. .*import\.meta\.resolve/s,
  )
  t.strictSame(listBundles(), [], 'and leaves nothing behind')
  t.test(
    'a folder that nobody may write to',
    { skip: process.getuid?.() === 0 && 'root may write everywhere' },
    async t => {
      const closed = plantProgram(t, { 'app/src/program.ts': `console.log(${whereItRuns})\n` })
      chmodSync(join(closed.root, 'app'), 0o555)
      t.teardown(() => chmodSync(join(closed.root, 'app'), 0o755))
      t.equal(closed.start().stdout, 'sources')
    },
  )
})

t.test('a bundle that is made before serves where nothing can be written', async t => {
  const { bundle, start, inUse } = plantProgram(t, { 'app/src/program.ts': `console.log(${whereItRuns})\n` })
  t.strictSame(bundle(), { status: 0, stdout: '', stderr: '' })
  const made = inUse()
  t.equal(start().stdout, 'bundle')
  t.equal(inUse(), made)
})

t.test('starts at the same time make one each, and all run', async t => {
  const { root, start, listBundles } = plantProgram(t, {
    'app/src/program.ts': `console.log(${whereItRuns})\n`,
    'start.ts': [
      "import { spawn } from 'node:child_process'",
      "const runs = Array.from({ length: 3 }, () => new Promise(done => spawn(process.execPath, ['app/src/main.ts'], { stdio: 'inherit' }).on('close', done)))",
      'process.exitCode = Math.max(...((await Promise.all(runs)) as number[]))',
    ].join('\n'),
  })
  const { status, stdout } = spawnSync(process.execPath, ['start.ts'], { cwd: root, encoding: 'utf8' })
  t.strictSame({ status, stdout }, { status: 0, stdout: 'bundle\n'.repeat(3) })
  const count = listBundles().length
  t.ok(count >= 1 && count <= 3)
  t.equal(start().stdout, 'bundle')
  t.equal(listBundles().length, count)
})
