// Runs the test files that it is given, two at a time, and writes tap's stream. By tap's own API and not by its command, which
// records for coverage which files a process loads: in each test file, and in each program that those start, a third of its start.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { bundleTests } from './bundle-tests.ts'

/** Of a file that says nothing else by `t.setTimeout`. */
const timeoutSeconds = 60

/** Without what tap adds to NODE_OPTIONS for that record. */
const node = process.platform === 'win32' ? [process.execPath] : ['env', '-u', 'NODE_OPTIONS', process.execPath]
const [command, ...flags] = [...node, '--enable-source-maps']

const files = process.argv.slice(2)
const { folder, bundled } = await bundleTests(files)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const env = {
  ...process.env,
  TAP_TIMEOUT: String(timeoutSeconds),
  // Every test file and every program under test loads the same code: compiled once, a quarter of that time is saved.
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(folder, 'compiled'),
}

t.setTimeout(0)
t.jobs = 2
for (const file of files) {
  const inBundle = bundled.get(file)
  const words = inBundle === undefined ? [file] : [join(import.meta.dirname, 'bundled-test.ts'), file, inBundle]
  void t.spawn(command, [...flags, ...words], {
    name: file,
    buffered: true,
    timeout: timeoutSeconds * 1_000,
    env,
    at: null,
    stack: '',
  })
}
