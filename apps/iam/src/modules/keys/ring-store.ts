/**
 * The ring is one file a version, `ring-<version>.json`, and the highest counts. A new version comes into being by a hard
 * link, which exactly one of several writers gets (link(2)): no lock that a killed program could leave behind.
 */
import { randomUUID } from 'node:crypto'
import { link, open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { assertPrivate, KeyFolderError } from './key-files.ts'
import { assertRing, type Ring } from './ring.ts'

const form = /^ring-([1-9]\d{0,14})\.json$/
/** Older versions that stay, to look back at. */
const keptVersions = 2

/** The versions that are stored, lowest first. */
export async function listRingVersions(folder: string): Promise<number[]> {
  const names = await readdir(folder)
  return names
    .flatMap(name => form.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)
}

/**
 * The ring that counts; undefined where there is none yet.
 * @throws KeyFolderError naming the file and what mends it
 */
export async function readRing(folder: string): Promise<Ring | undefined> {
  const version = (await listRingVersions(folder)).at(-1)
  if (version === undefined) return undefined
  const path = pathOf(folder, version)
  try {
    await assertPrivate(path)
    const ring: unknown = JSON.parse(await readFile(path, 'utf8'))
    assertRing(ring)
    return ring
  } catch (error) {
    // Whoever cleared old versions away did so because there is a newer one.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return readRing(folder)
    if (error instanceof KeyFolderError) throw error
    throw new KeyFolderError(
      `${path} cannot be read: ${(error as Error).message}. Restore the folder from your backup.`,
    )
  }
}

/** Stores `ring` as the version that it says. False where another writer was first: read again and begin anew. */
export async function storeRing(folder: string, ring: Ring): Promise<boolean> {
  const draft = join(folder, `.ring-${randomUUID()}.tmp`)
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(ring, null, 2)}\n`)
    await file.sync()
    await link(draft, pathOf(folder, ring.version))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await file.close()
    await unlink(draft)
  }
  const versions = await listRingVersions(folder)
  // A writer that slept through several versions may find its number free again: it was not first.
  if (versions.at(-1) !== ring.version) {
    await unlink(pathOf(folder, ring.version))
    return false
  }
  for (const old of versions.slice(0, -1 - keptVersions)) await unlink(pathOf(folder, old)).catch(() => undefined)
  return true
}

function pathOf(folder: string, version: number): string {
  return join(folder, `ring-${version}.json`)
}
