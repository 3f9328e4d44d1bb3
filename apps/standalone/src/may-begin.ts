import { parseArgs } from 'node:util'

/** For a command without options but `--help`. False where all is said already: the exit code is set. */
export function mayBegin(args: readonly string[], help: string): boolean {
  try {
    const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' } } })
    if (values.help !== true) return true
    process.stdout.write(help)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${help}`)
    process.exitCode = 2
  }
  return false
}
