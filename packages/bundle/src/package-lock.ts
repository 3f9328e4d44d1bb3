import { existsSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'

/** Which versions of which packages are installed: pnpm writes it anew with every change of them. One at most. */
export function findPackageLock(entry: string): string[] {
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const lock = join(folder, 'node_modules/.pnpm/lock.yaml')
    if (existsSync(lock)) return [lock]
    if (folder === dirname(folder)) return []
  }
}

/**
 * What the package of a file in this tree says of itself: its `exports` decide which of its files an import means. One at most;
 * none of an installed package, of which the lock says enough.
 */
export function findManifest(file: string): string[] {
  if (file.includes(`${sep}node_modules${sep}`)) return []
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest)) return [manifest]
    if (folder === dirname(folder)) return []
  }
}
