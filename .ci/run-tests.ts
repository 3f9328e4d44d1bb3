// `pnpm test`: builds tap where an install has undone that, runs the suite, and closes with tap's own count.
// Arguments go to tap; a folder stands for the test files below it.
import { spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { Parser } from 'tap-parser'
import { runCommand } from './run-command.ts'
import { TestReport } from './test-report.ts'

await buildTap()
const report = new TestReport(line => console.log(line))
const code = await runTap(
  process.argv.slice(2).filter(argument => argument !== '--'),
  report,
)
process.exitCode = report.close(code)

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

async function runTap(args: readonly string[], into: TestReport): Promise<number> {
  const files = args.flatMap(argument => (isFolder(argument) ? listTestFiles(argument) : [argument]))
  const path = [join(process.cwd(), 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  const child = spawn('tap', ['--reporter=tap', ...files], {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  })
  // tap gets Ctrl-C from the terminal itself and ends its tests; this process stays to report.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const parser = new Parser()
  into.follow(parser)
  child.stdout.pipe(parser)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', exitCode => resolve(exitCode ?? 1))
  })
}

function listTestFiles(folder: string): string[] {
  const files = globSync(`${folder}/**/*.test.ts`, { exclude: path => path.includes('node_modules') })
  if (files.length === 0) {
    // Without a file tap would run the whole suite.
    console.error(`No test file (*.test.ts) lies below ${folder}.`)
    process.exit(1)
  }
  return files
}

function isFolder(argument: string): boolean {
  return statSync(argument, { throwIfNoEntry: false })?.isDirectory() ?? false
}
