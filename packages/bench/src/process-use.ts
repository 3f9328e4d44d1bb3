/** What a process uses, as the operating system tells it on Linux. */

import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

export async function readResidentBytes(pid: number): Promise<number> {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status does not tell VmRSS.`)
  return Number(kibibytes) * 1024
}

/** The least of some reads within half a second: a hash that is under way holds 19 MiB, and not in all of them. */
export async function readLeastResidentBytes(pid: number): Promise<number> {
  let least = Infinity
  for (let read = 0; read < 20; read += 1) {
    least = Math.min(least, await readResidentBytes(pid))
    await pause(25)
  }
  return least
}

export async function countDescriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length
}

/** Of proc(5), whatever the kernel's own: what `getconf CLK_TCK` says. */
const ticksPerSecond = 100

/** Milliseconds of processor time since its start, all threads together, also those that have ended. */
export async function readProcessorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is a name in brackets that may hold anything. Of the rest the 12th and the 13th are user and system time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond
}
