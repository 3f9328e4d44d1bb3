/** Images as files of one folder, which its owner alone may read. */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { assertKey, type ImageStorage, tryOut } from './storage.ts'

export function createFileStorage(folder: string): ImageStorage {
  function pathOf(key: string): string {
    assertKey(key)
    return join(folder, `${key}.png`)
  }

  /** Named by its key, so that removing the image removes what a crash has left of writing it. */
  const unfinished = (key: string) => `${pathOf(key)}.part`

  async function put(key: string, png: Uint8Array): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(unfinished(key), 'wx', 0o600)
    try {
      await file.writeFile(png)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished(key), pathOf(key))
  }

  async function get(key: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(pathOf(key))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async function remove(key: string): Promise<void> {
    for (const path of [pathOf(key), unfinished(key)]) await rm(path, { force: true })
  }

  return { put, get, remove, check: () => tryOut({ put, get, remove }) }
}
