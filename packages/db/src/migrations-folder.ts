import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** `drizzle`, at the top of the tree that this package stands in: in an image it stands deeper than here, below node_modules. */
export const migrationsFolder = findAbove(import.meta.dirname, 'drizzle')

function findAbove(folder: string, name: string): string {
  const found = join(folder, name)
  if (existsSync(found) || folder === dirname(folder)) return found
  return findAbove(dirname(folder), name)
}
