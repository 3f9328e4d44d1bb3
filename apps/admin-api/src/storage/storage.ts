/** Where images are kept: bytes under a key that the program draws. No path and no name of a caller ever gets here. */
import { randomUUID } from 'node:crypto'

export interface ImageStorage {
  /** Nothing is there under the key before, and all of it or nothing afterwards. */
  readonly put: (key: string, png: Uint8Array) => Promise<void>
  /** Undefined where there is none. */
  readonly get: (key: string) => Promise<Uint8Array | undefined>
  /** Nothing happens where there is none. */
  readonly remove: (key: string) => Promise<void>
  /** @throws Error that says why no image can be kept here */
  readonly check: () => Promise<void>
}

/** Keys become part of a path or an address. @throws TypeError for what the program has not drawn */
export function assertKey(key: string): void {
  if (!/^[0-9a-f-]{36}$/.test(key)) throw new TypeError('This is no key of an image.')
}

/** Writes, reads and removes a few bytes: rights that are missing show in no other way. */
export async function tryOut({ put, get, remove }: Pick<ImageStorage, 'put' | 'get' | 'remove'>): Promise<void> {
  const key: string = randomUUID()
  const bytes = new TextEncoder().encode('signet')
  await put(key, bytes)
  const read = await get(key)
  await remove(key)
  if (read === undefined || !Buffer.from(read).equals(bytes)) throw new Error('What was written is not what is read.')
}
