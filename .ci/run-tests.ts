// `pnpm test`: builds tap where an install has undone that, runs the suite, searches what it logged for secrets, and closes
// with tap's own count. Arguments are test files, or folders for the test files below them.
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { Parser } from 'tap-parser'
import { isEmpty, searchForCanaries } from './canaries.ts'
import { runCommand } from './run-command.ts'
import { TestReport } from './test-report.ts'

/** Of the whole suite. */
const testFolders = ['.ci/test', '{apps,packages}/*/test']

await buildTap()
const report = new TestReport(line => console.log(line))
const args = process.argv.slice(2).filter(argument => argument !== '--')
const evidence = mkdtempSync(join(tmpdir(), 'signet-canaries-'))
try {
  const { code, output } = await runTap(args, report)
  searchLogs(output)
  process.exitCode = report.close(code)
} finally {
  rmSync(evidence, { recursive: true, force: true })
}

/** No secret that a test has seen may stand in what the programs logged or printed. */
function searchLogs(output: string): void {
  const search = searchForCanaries(evidence, { 'the output of the run': output })
  const { canaries, logs, bytes, finds } = search
  const megabytes = (bytes / 1_000_000).toFixed(1)
  const result = finds.length === 0 ? 'none found' : `${finds.length} FOUND`
  console.log(`\n${canaries} secrets looked for in ${logs} logs (${megabytes} MB): ${result}`)
  for (const { file, kind, form } of finds) report.fail(`A secret (${kind}, ${form}) stands in ${file}.`)
  // Some test files see no secret; the suite as a whole does.
  if (args.length === 0 && isEmpty(search))
    report.fail('The run noted no secret or no log: nothing was searched. See packages/testkit/src/canaries.ts.')
}

/** An install brings back tap's default plugins, which cannot load beside this TypeScript. */
async function buildTap(): Promise<void> {
  const tap = createRequire(createRequire(import.meta.url).resolve('tap/package.json'))
  const built = join(dirname(tap.resolve('@tapjs/test/package.json')), 'test-built/dist/esm/index.js')
  const wanted = await runCommand(['tap', 'plugin', 'list'])
  const signature = `signature = \`${wanted.output.trim()}\``
  if (wanted.code === 0 && existsSync(built) && readFileSync(built, 'utf8').includes(signature)) return
  const { code: buildCode, output } = await runCommand(['tap', 'build'])
  if (buildCode !== 0) throw new Error(`tap could not be built:\n${output}`)
}

/** The exit code, and what the programs under test printed. */
async function runTap(words: readonly string[], into: TestReport): Promise<{ code: number; output: string }> {
  const files = (words.length === 0 ? testFolders : words).flatMap(listTestFiles)
  const path = [join(process.cwd(), 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  const child = spawn(process.execPath, [join(import.meta.dirname, 'suite.ts'), ...files], {
    env: {
      ...process.env,
      PATH: path,
      TEST_CANARIES: evidence,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // The suite gets Ctrl-C from the terminal itself and ends its tests; this process stays to report.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const parser = new Parser()
  into.follow(parser)
  let output = ''
  followExtras(parser, text => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
    process.stderr.write(text)
  })
  child.stdout.pipe(parser)
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', exitCode => resolve(exitCode ?? 1))
  })
  return { code, output }
}

/** What is no TAP was printed by a program, at whatever depth. */
function followExtras(parser: Parser, take: (text: string) => void): void {
  parser.on('extra', take)
  parser.on('child', (child: Parser) => followExtras(child, take))
}

function listTestFiles(path: string): string[] {
  if (!isFolder(path) && existsSync(path)) return [path]
  const files = globSync(`${path}/**/*.test.ts`, { exclude: found => found.includes('node_modules') }).toSorted()
  if (files.length === 0) {
    console.error(`There is no test file ${path}, and none (*.test.ts) below it.`)
    process.exit(1)
  }
  return files
}

function isFolder(argument: string): boolean {
  return statSync(argument, { throwIfNoEntry: false })?.isDirectory() ?? false
}
