/** One JSON file a message, for a machine on which nothing is to leave. Whole or not there at all: others may look on. */
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transport } from '../transport.ts'

/** @param folder made where there is none, readable by its owner alone: codes stand in it */
export function createFileTransport(folder: string): Transport {
  return {
    send: async ({ id, channel, to, subject, text, html, createdAt }) => {
      const message = { id, channel, to, subject, text, html, created_at: createdAt.toISOString() }
      const draft = join(folder, `.${id}.draft`)
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        const file = await open(draft, 'w', 0o600)
        try {
          await file.writeFile(`${JSON.stringify(message, null, 2)}\n`)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(draft, join(folder, `${id}.json`))
      } catch (error) {
        await rm(draft, { force: true }).catch(() => undefined)
        throw new Error(`The message could not be written (${(error as NodeJS.ErrnoException).code}).`, {
          cause: error,
        })
      }
    },
    close: async () => undefined,
  }
}
