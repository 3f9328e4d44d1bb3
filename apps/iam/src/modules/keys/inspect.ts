import type { KeyFolder } from './key-administration.ts'
import { assertPrivate, readPrivateKey } from './key-files.ts'
import { activeKey, isPublished, nextKeys } from './ring.ts'
import { readRing } from './ring-store.ts'

export interface KeysFacts {
  readonly activeKid: string
  readonly activeForMs: number
  /** Published already, so that a rotation meets no verifier unprepared. */
  readonly hasNext: boolean
  readonly published: number
}

/**
 * Looks at a folder as a start would, and changes nothing in it.
 * @returns undefined where there are no keys yet
 * @throws KeyFolderError, or the system's error where the folder cannot be read
 */
export async function inspectKeys({ folder, tokenLifeMs, clock }: KeyFolder): Promise<KeysFacts | undefined> {
  const ring = await readRing(folder)
  if (ring === undefined) return undefined
  await assertPrivate(folder)
  const active = activeKey(ring)
  const next = nextKeys(ring)
  await readPrivateKey(folder, active.kid, 'pnpm keys rotate')
  for (const { kid } of next) await readPrivateKey(folder, kid, `pnpm keys remove ${kid}`)
  return {
    activeKid: active.kid,
    activeForMs: clock() - Date.parse(active.activated_at ?? active.created_at),
    hasNext: next.length > 0,
    published: ring.keys.filter(key => isPublished(key, clock(), tokenLifeMs)).length,
  }
}
