/** Ends a process that this one started, by its id, and waits until it is gone. */

import type { ChildProcess } from 'node:child_process'

/** Longer than a program of ours takes at most, which waits for its balancer and for requests that hang. */
const graceMs = 25_000

export async function endProcess(child: ChildProcess): Promise<void> {
  const gone = signalProcess(child, 'SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await gone
  clearTimeout(timer)
}

/** kill -9: it has no moment to put anything away. */
export function killProcess(child: ChildProcess): Promise<void> {
  return signalProcess(child, 'SIGKILL')
}

async function signalProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>(resolve => {
    child.once('exit', () => resolve())
  })
  child.kill(signal)
  await gone
}
