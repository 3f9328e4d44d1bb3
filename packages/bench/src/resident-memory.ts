import { readFile } from 'node:fs/promises'

/** What the operating system holds resident for a process, on Linux. */
export async function readResidentBytes(pid: number): Promise<number> {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status does not tell VmRSS.`)
  return Number(kibibytes) * 1024
}
