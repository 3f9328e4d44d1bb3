import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { bundleTests } from '../bundle-tests.ts'

const runner = join(import.meta.dirname, '../bundled-test.ts')

t.test('a test file in the bundle takes itself for its source', async t => {
  const root = mkdtempSync(join(tmpdir(), 'signet-planted-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const plant = (name: string, text: string) => {
    writeFileSync(join(root, name), text)
    return join(root, name)
  }
  const shared = plant('count.ts', 'let count = 0\nexport const next = (): number => (count += 1)\n')
  const says = `import { next } from './count.ts'
const { next: again } = await import('./count.ts')
console.log(JSON.stringify([process.argv.slice(1), import.meta.filename, next() + again(), new Error('x').stack!.includes('signet-bundle-')]))
`
  const one = plant('one.test.ts', says)
  const two = plant('two.test.ts', says)
  const asking = plant('asking.test.ts', "console.log(import.meta.resolve('./count.ts'))\n")

  const { folder, bundled } = await bundleTests([one, two, asking])
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  rmSync(shared)
  t.strictSame([...bundled.keys()], [one, two], 'what asks for places is left to its source')
  for (const [source, inBundle] of bundled) {
    t.ok(existsSync(inBundle))
    const { stdout, stderr } = spawnSync(process.execPath, [runner, source, inBundle], { encoding: 'utf8' })
    t.equal(stderr, '')
    t.strictSame(JSON.parse(stdout), [[source], source, 3, true])
  }
})

t.test('a test file that cannot be read is named', async t => {
  const root = mkdtempSync(join(tmpdir(), 'signet-planted-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const broken = join(root, 'broken.test.ts')
  writeFileSync(broken, "import './missing.ts'\n")
  await t.rejects(bundleTests([broken]), {
    message: /broken\.test\.ts:1:7: ERROR: Could not resolve "\.\/missing\.ts"/,
  })
})
