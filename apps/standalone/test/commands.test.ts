import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const folder = mkdtempSync(join(tmpdir(), 'signet-commands-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

function run(file: string, ...words: readonly string[]) {
  const path = fileURLToPath(new URL(`../src/${file}`, import.meta.url))
  const env = { PATH: process.env['PATH'] ?? '', SIGNET_HOME: join(folder, 'home') }
  return spawnSync(process.execPath, [path, ...words], { cwd: folder, env, encoding: 'utf8' })
}

for (const [command, file] of [
  ['start', 'main.ts'],
  ['demo', 'main-demo.ts'],
] as const) {
  t.test(`pnpm ${command} says what it does before it does it`, async t => {
    for (const word of ['--help', '-h']) {
      t.match(run(file, word), { status: 0, stdout: new RegExp(`^Usage: pnpm ${command}\n`), stderr: '' }, word)
    }
    for (const word of ['--hlep', 'now']) {
      const { status, stdout, stderr } = run(file, word)
      t.strictSame({ status, stdout }, { status: 2, stdout: '' }, word)
      t.ok(stderr.includes(word) && stderr.includes(`Usage: pnpm ${command}\n`), 'names it, and what there is')
    }
    t.strictSame(readdirSync(folder), [], 'nothing was started')
  })
}
