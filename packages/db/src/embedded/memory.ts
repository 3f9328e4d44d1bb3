/** How much of its data the server keeps in its own memory. */

import { totalmem } from 'node:os'

const bytesPerMb = 2 ** 20
/** PostgreSQL's documentation says a quarter for a server that has the machine to itself. */
const share = 1 / 16
const leastMb = 64
const mostMb = 1_024

/**
 * `shared_buffers`. Of it some 3 % are taken at the start, the rest as data is read.
 *
 * @param memory of this machine or of the container, in bytes
 */
export function chooseSharedBuffers(memory = memoryHere()): string {
  return `${Math.min(mostMb, Math.max(leastMb, Math.floor((memory * share) / bytesPerMb)))}MB`
}

function memoryHere(): number {
  // 0 where nothing is constrained.
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
}
