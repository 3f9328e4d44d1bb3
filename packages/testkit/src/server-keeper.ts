/**
 * A process of its own that keeps one throw-away PostgreSQL for the test files of a run. Each test file holds a connection
 * to it for as long as it lives; soon after the last has gone, server and data go too. Prints one line of JSON when ready.
 * Argument: the folder for the data, which it removes.
 */

import { rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { startEmbedded } from '@signet/db'

/** Longer than the pause between two test files of a run, also on a busy machine. */
const lingerMs = 4_000

const folder = process.argv[2]
if (folder === undefined) throw new Error('Pass the folder for the data.')

const server = await startEmbedded({ dataDir: folder, isDurable: false })
let clients = 0
let lastCall = setTimeout(() => void leave(), lingerMs * 2)

async function leave(): Promise<void> {
  doorbell.close()
  await server.stop()
  await rm(folder as string, { recursive: true, force: true })
}

const doorbell = createServer(socket => {
  clients += 1
  clearTimeout(lastCall)
  socket.on('error', () => undefined)
  socket.on('close', () => {
    clients -= 1
    if (clients === 0) lastCall = setTimeout(() => void leave(), lingerMs)
  })
  socket.resume()
  socket.write('here\n')
})
doorbell.listen(0, '127.0.0.1', () => {
  const { port } = doorbell.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ doorbell: port, adminUrl: server.adminUrl, superUrl: server.superUrl })}\n`)
})
