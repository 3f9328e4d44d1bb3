// Runs a tool of node_modules/.bin to its end, so that each gate sees the same environment whoever started it.
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'

export interface Outcome {
  /** The exit code; a signal counts as 1. */
  readonly code: number
  /** What the tool wrote to both streams, in order. */
  readonly output: string
  readonly seconds: number
}

/** Starts `command` in the current folder and collects what it says. Rejects when it cannot be started. */
export async function runCommand(command: readonly string[]): Promise<Outcome> {
  const [program = '', ...args] = command
  const path = [join(process.cwd(), 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  const color = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }
  const startedAt = performance.now()
  const child = spawn(program, args, {
    // redocly asks the network for a newer version of itself unless it is told not to.
    env: { ...process.env, ...color, PATH: path, REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // On Windows the tools are .cmd files, which only a shell can start.
    shell: process.platform === 'win32',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', exitCode => resolve(exitCode ?? 1))
  })
  return { code, output, seconds: (performance.now() - startedAt) / 1000 }
}
