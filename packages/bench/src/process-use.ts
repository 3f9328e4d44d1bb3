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
