/** The commands of a guide as somebody pastes them: into one shell, in their order. */
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'

export interface Pasted {
  readonly stdout: string
  /** What each call of curl was answered with, in their order. */
  readonly statuses: readonly number[]
}

/** The shell blocks of `docs/<name>.md`. */
export function shellBlocksOf(name: string): string[] {
  const guide = readFileSync(new URL(`../docs/${name}.md`, import.meta.url), 'utf8')
  return [...guide.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block)
}

/** The first of the tools that a guide needs and this machine lacks, as a reason to skip; false when all are there. */
export function isWithout(...tools: string[]): string | false {
  const missing = tools.find(tool => spawnSync(tool, ['--version']).error !== undefined)
  return missing === undefined ? false : `there is no ${missing}`
}

/** `%{stderr}` sends what follows it there: what a command pipes on stays as it is. */
const countingCurl = `curl() { command curl -sS -w '%{stderr}status %{http_code}\\n' "$@"; }\n`

/**
 * @param address where the administration listens; the guide's own address is replaced by it, and `ADMIN` is set to it
 * @param folder where the commands run
 * @throws Error when the shell fails, or names a variable that is not set
 */
export async function paste(
  blocks: readonly string[],
  { address, folder, variables }: { address: string; folder: string; variables: Readonly<Record<string, string>> },
): Promise<Pasted> {
  const script = `set -u\n${countingCurl}${blocks.join('').replaceAll('http://localhost:4001', address)}`
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', script], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ADMIN: address, ...variables },
    timeout: 20_000,
  })
  return { stdout, statuses: [...stderr.matchAll(/^status (\d+)$/gm)].map(([, status]) => Number(status)) }
}
