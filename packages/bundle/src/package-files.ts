/** Files that decide what an import means, beside the one that it leads to. */
import { existsSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'

/** Which versions of which packages are installed: pnpm writes it anew with every change of them. One at most. */
export function findPackageLock(entry: string): string[] {
  return findAbove(entry, 'node_modules/.pnpm/lock.yaml')
}

/**
 * What the package of a file in this tree says of itself: its `exports` decide which of its files an import means. One at most;
 * none of an installed package, of which the lock says enough.
 */
export function findManifest(file: string): string[] {
  return file.includes(`${sep}node_modules${sep}`) ? [] : findAbove(file, 'package.json')
}

/** In the folder of the file, or the nearest above it that has one. */
function findAbove(file: string, name: string): string[] {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const found = join(folder, name)
    if (existsSync(found)) return [found]
    if (folder === dirname(folder)) return []
  }
}
