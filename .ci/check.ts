// `pnpm check`: every gate that needs no running program. One line a gate; a failing gate shows all it said.
import { availableParallelism } from 'node:os'
import { runCommand } from './run-command.ts'

interface Gate {
  readonly name: string
  readonly command: readonly string[]
  /** What to run to put it right, where a machine can. */
  readonly repair?: string
}

// The slow ones first: the short ones then fill the second core.
const gates: readonly Gate[] = [
  { name: 'lint', command: ['oxlint', '.'], repair: 'pnpm exec oxlint . --fix' },
  { name: 'layers', command: ['node', '.ci/check-layers.ts'] },
  { name: 'types', command: ['tsc', '--project', 'tsconfig.base.json'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
  { name: 'api docs', command: ['redocly', 'lint', '--config', '.ci/redocly.yaml'] },
  { name: 'tool types', command: ['tsc', '--project', '.ci/tsconfig.json'] },
  { name: 'format', command: ['biome', 'format', '.'], repair: 'pnpm format' },
  {
    name: 'workspace',
    // npx names the version of pnpm on the command line; a packageManager field would fetch a second one.
    command: ['sherif', '--fail-on-warnings', '--ignore-rule', 'root-package-manager-field'],
    repair: 'pnpm exec sherif --fix --no-install --ignore-rule root-package-manager-field',
  },
]

const startedAt = performance.now()
const queue = [...gates]
const failed: string[] = []
await Promise.all(Array.from({ length: availableParallelism() }, passGates))

const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
console.log(
  failed.length === 0 ? `\nAll gates passed in ${seconds} s` : `\nFailed in ${seconds} s: ${failed.join(', ')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1

async function passGates(): Promise<void> {
  for (let gate = queue.shift(); gate !== undefined; gate = queue.shift()) {
    const outcome = await runCommand(gate.command)
    const passed = outcome.code === 0
    console.log(`${passed ? 'pass' : 'FAIL'}  ${gate.name.padEnd(10)}  ${outcome.seconds.toFixed(1)} s`)
    if (passed) continue
    failed.push(gate.name)
    console.log(`\n${outcome.output.trim()}\n`)
    if (gate.repair !== undefined) console.log(`What a machine can put right here: ${gate.repair}\n`)
  }
}
