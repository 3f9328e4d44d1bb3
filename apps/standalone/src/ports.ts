/** A port that is taken is told before anything is started, with the setting that moves it. */
import { createServer } from 'node:net'

export interface WantedPort {
  readonly setting: string
  readonly host: string
  readonly port: number
}

/** @throws Error with a line for each port that cannot be had */
export async function assertPortsFree(wanted: readonly WantedPort[]): Promise<void> {
  const faults = await Promise.all(wanted.map(findPortFault))
  const lines = faults.filter(fault => fault !== undefined)
  if (lines.length > 0) throw new Error(lines.join('\n'))
}

/** Why a port cannot be had, and what to do; undefined where it is free. */
export function findPortFault({ setting, host, port }: WantedPort): Promise<string | undefined> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE'
          ? 'is taken, perhaps by a Signet that runs already'
          : `cannot be had (${error.message})`
      resolve(`${host}:${port} ${reason}. Stop what holds it, or set ${setting} to another port.`)
    })
    probe.listen(port, host, () => probe.close(() => resolve(undefined)))
  })
}
