/** The machine that is measured: what it is, and which two of its cores the programs are held to. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'

/** Comes with Linux distributions (util-linux); nothing is pinned where it is missing. */
const taskset = 'taskset'

/** A core's number, or several in the kernel's notation; undefined where programs cannot be held to one. */
export type Core = number | string | undefined

export interface Machine {
  /** What the measured program runs on. */
  readonly programCore: Core
  /** What its database and the load that calls it run on. */
  readonly loadCore: Core
  /** All there are, for what is held to none: a child of this process would stay on the core of the load. */
  readonly everyCore: Core
  readonly description: readonly string[]
}

export function inspectMachine(): Machine {
  const allowed = listAllowedCores()
  const [programCore, loadCore] = chooseCores(parseCoreList(allowed ?? ''))
  return {
    programCore,
    loadCore,
    everyCore: allowed,
    description: [describeMachine(), describePinning(programCore, loadCore)],
  }
}

/** The machine as it is: where faults are made, nothing is measured that would need a core for itself. */
export function wholeMachine(): Machine {
  return { programCore: undefined, loadCore: undefined, everyCore: undefined, description: [describeMachine()] }
}

function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `${model}, ${availableParallelism()} cores for this process, Node ${process.version}, ${process.platform}`
}

/** The command that runs `command` on one core. taskset replaces itself by it: the process id is the command's own. */
export function onCore(core: Core, command: string, args: readonly string[]): readonly [string, ...string[]] {
  return core === undefined ? [command, ...args] : [taskset, '-c', String(core), command, ...args]
}

/** Keeps this process, which reads the measured program's log, off the measured core. */
export function leaveProgramCore({ loadCore }: Machine): void {
  if (loadCore === undefined) return
  const { status, stderr } = spawnSync(taskset, ['-a', '-c', '-p', String(loadCore), String(process.pid)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`taskset could not move this process to core ${loadCore}: ${stderr}`)
}

function listAllowedCores(): string | undefined {
  if (!existsSync('/proc/self/status') || spawnSync(taskset, ['--version']).status !== 0) return undefined
  return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
}

function chooseCores(allowed: readonly number[]): readonly [number | undefined, number | undefined] {
  const [first] = allowed
  if (first === undefined) return [undefined, undefined]
  // Two threads of one core slow each other down: the second is taken from another core where there is one.
  const siblings = siblingsOf(first)
  return [first, allowed.find(core => !siblings.includes(core)) ?? allowed[1]]
}

function siblingsOf(core: number): readonly number[] {
  const file = `/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`
  return existsSync(file) ? parseCoreList(readFileSync(file, 'utf8')) : [core]
}

/** The kernel's notation: `0-3,8`. */
export function parseCoreList(text: string): readonly number[] {
  return text
    .trim()
    .split(',')
    .filter(range => range !== '')
    .flatMap(range => {
      const [from = 0, to = from] = range.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, offset) => from + offset)
    })
}

function describePinning(programCore: Core, loadCore: Core): string {
  if (programCore === undefined) return 'Nothing is pinned: there is no taskset here. Ratios scatter more then.'
  if (loadCore === undefined)
    return `Everything is pinned to core ${programCore}, the only one: server figures are too low.`
  return `Pinned: the measured program to core ${programCore}, its database and the load to core ${loadCore}`
}
