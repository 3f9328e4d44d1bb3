/** Which older systems this program answers for: each is switched by `COMPAT`. */
import type { Database } from '@signet/db'
import type { App } from '@signet/http'
import type { ReplacedSystem } from '@signet/kernel'
import { serveScalableAuth } from './scalable-auth.ts'

interface CompatDeps {
  readonly database: Database
  readonly compat: ReadonlySet<ReplacedSystem>
}

const systems: Partial<Record<ReplacedSystem, (app: App, db: Database) => void>> = {
  'scalable-auth': serveScalableAuth,
}

export function serveCompat(app: App, { database, compat }: CompatDeps): void {
  for (const name of compat) systems[name]?.(app, database)
}
