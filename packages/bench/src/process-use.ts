/** What a process uses, as the operating system tells it on Linux. */

import { readdir, readFile } from 'node:fs/promises'

export async function readResidentBytes(pid: number): Promise<number> {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status does not tell VmRSS.`)
  return Number(kibibytes) * 1024
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
