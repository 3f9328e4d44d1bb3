import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundleFiles } from './bundle-files.ts'
import { type BundlePlace, type BundleRecord, describeInput, type InputState } from './find-bundle.ts'
import { findManifest, findPackageLock } from './package-files.ts'

/** A program that runs may still read a part of the bundle that it was started from. */
const keptForMs = 24 * 60 * 60 * 1_000

/** Several may do so at a time: each makes its own, and the last one stays. @returns the URL of its first file */
export async function makeBundle({ entry, folder, record }: BundlePlace): Promise<string> {
  const name = basename(entry, '.ts')
  await mkdir(folder, { recursive: true })
  const bundle = await mkdtemp(join(folder, `${name}-`))
  // Each as it was before it was read: what is changed meanwhile is found to be another at the next start.
  const inputs: Record<string, InputState> = {}
  const note = (file: string) => {
    inputs[relative(folder, file)] ??= describeInput(file) ?? [0, 0]
  }
  const noteWithManifest = (file: string) => {
    for (const each of [file, ...findManifest(file)]) note(each)
  }
  try {
    for (const lock of findPackageLock(entry)) note(lock)
    await bundleFiles({ entries: { [name]: entry }, folder: bundle, note: noteWithManifest })
    const first = relative(folder, join(bundle, `${name}.js`))
    await writeFile(join(bundle, 'record'), JSON.stringify({ first, inputs } satisfies BundleRecord))
    await rename(join(bundle, 'record'), record)
    await removeOld(folder, name, bundle)
    return pathToFileURL(join(folder, first)).href
  } catch (error) {
    await rm(bundle, { recursive: true, force: true })
    throw error
  }
}

async function removeOld(folder: string, name: string, current: string): Promise<void> {
  for (const each of await readdir(folder)) {
    const path = join(folder, each)
    if (!/^-\w{6}$/.test(each.slice(name.length)) || !each.startsWith(name) || path === current) continue
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs > keptForMs) await rm(path, { recursive: true, force: true })
  }
}
