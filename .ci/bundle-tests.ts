// Test files are run from one bundle of them all: Node would find and read two thousand files anew for each of them: in
// those that start our programs a fifth to a quarter of their work.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { bundleFiles } from '@signet/bundle/files'

/** What asks for the place of another package says so by this, and is run from its source. */
const asksForPlaces = /\bimport\.meta\.resolve\b/

/** One tap for the whole process; and tools that read what stands beside them. */
const apart = /^(tap|tap-parser|playwright-core|dependency-cruiser|typescript|esbuild)$/

export interface TestBundle {
  /** Whoever is done with it removes it. */
  readonly folder: string
  /** Where each file that is in the bundle stands there. */
  readonly bundled: ReadonlyMap<string, string>
}

export async function bundleTests(files: readonly string[]): Promise<TestBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-bundle-'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const entries: Record<string, string> = {}
  const bundled = new Map<string, string>()
  for (const file of files) {
    if (asksForPlaces.test(readFileSync(file, 'utf8'))) continue
    const name = relative('.', file).replaceAll(sep, '.').replace(/\.ts$/, '')
    entries[name] = resolve(file)
    bundled.set(file, join(folder, `${name}.js`))
  }
  try {
    await bundleFiles({ entries, folder, apart })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return { folder, bundled }
}
