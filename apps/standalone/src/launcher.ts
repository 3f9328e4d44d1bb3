/**
 * Started by a package runner (`npx pnpm start`), this program ends with it: whoever kills the runner means what it runs.
 * A program that an ordinary shell or a service manager started stays when those go.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

interface Ancestor {
  readonly pid: number
  readonly parent: number
  /** Tells a process from a later one of the same id. */
  readonly startedAt: string
  readonly command: readonly string[]
}

const everyMs = 1_000

/**
 * Calls `onGone` once, within about a second after a launcher has ended.
 * @param isScript whether a package runner says that it runs this as a script: then the parent is a launcher everywhere,
 *   also where processes cannot be looked at
 */
export function watchLauncher(isScript: boolean, onGone: () => void): void {
  const parent = process.ppid
  const launchers = findLaunchers()
  if (!isScript && launchers.length === 0) return
  const timer = setInterval(() => {
    const isParentGone = isScript && (process.ppid !== parent || !isAlive(parent))
    if (!isParentGone && launchers.every(isStillThere)) return
    clearInterval(timer)
    onGone()
  }, everyMs)
  timer.unref()
}

/** The runners right above this process, with the shells between them; none where there is no /proc. */
function findLaunchers(): Ancestor[] {
  const found: Ancestor[] = []
  let shells: Ancestor[] = []
  for (let next = readProcess(process.ppid); next !== undefined; next = readProcess(next.parent)) {
    if (isRunner(next.command)) {
      found.push(...shells, next)
      shells = []
    } else if (isShellOfACommand(next.command)) shells.push(next)
    else break
  }
  return found
}

const runners = /^(npm|npx|pnpm|pnpx)(-cli)?(\.c?js|\.mjs)?$/

/** npm replaces its command line by a title, `npm exec pnpm start`. */
function isRunner([program = '', script = '']: readonly string[]): boolean {
  const name = basename(program.split(' ')[0] ?? '')
  return runners.test(name) || (/^node(js)?$/.test(name) && runners.test(basename(script)))
}

function isShellOfACommand([program = '', option = '']: readonly string[]): boolean {
  return /^(ba|da|z|k)?sh$/.test(basename(program)) && option === '-c'
}

/** See proc(5): the name in parentheses may hold anything, so fields are counted behind its end. */
function readProcess(pid: number): Ancestor | undefined {
  try {
    const [state, parent, ...rest] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    if (state === 'Z' || state === 'X') return undefined
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return { pid, parent: Number(parent), startedAt: rest[17] ?? '', command }
  } catch {
    return undefined
  }
}

function isStillThere({ pid, startedAt }: Ancestor): boolean {
  return readProcess(pid)?.startedAt === startedAt
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
