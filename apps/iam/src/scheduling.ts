/**
 * A hash takes some 15 ms of a core, and every packet that arrives meanwhile interrupts it: Linux lets whoever wakes up go first. As
 * `SCHED_BATCH` (sched(7)) nobody is interrupted: what arrives is served a few milliseconds later, when the slice of whoever runs is
 * over, and several at a time, which costs less. Where a core is free nothing waits (decision 0019).
 */
import { execFile } from 'node:child_process'

/**
 * Node has no call for it. `chrt` of util-linux has, and it takes no rights; where it is missing or fails, all stays as it was.
 * Threads that begin later are of the same kind.
 */
export function letHashesFinish(): void {
  if (process.platform === 'linux') execFile('chrt', ['-a', '-b', '-p', '0', String(process.pid)], () => undefined)
}
