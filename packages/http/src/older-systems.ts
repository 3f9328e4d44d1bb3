/**
 * The older systems that a program answers for: each is switched by `COMPAT`, registered in a scope of its own, with its own form
 * of failure, and has a tag of its own in the API reference.
 */
import type { ReplacedSystem } from '@signet/kernel'
import type { App } from './server.ts'
import type { ServiceKeyring } from './service-keys.ts'

interface Switched {
  /** Those that are served. */
  readonly compat: ReadonlySet<ReplacedSystem>
}

export interface OlderSystems<Deps extends Switched> {
  serve(app: App, deps: Deps, serviceKeys: ServiceKeyring): Promise<void>
  tags(deps: Switched): { readonly name: string; readonly description: string }[]
}

const description = 'Routes of an older system, for callers that have only the base URL changed'

/** @param table what registers the routes of each system in the scope that it is given */
export function describeOlderSystems<Deps extends Switched>(
  table: Partial<Record<ReplacedSystem, (scope: App, deps: Deps, serviceKeys: ServiceKeyring) => void | Promise<void>>>,
): OlderSystems<Deps> {
  const names = Object.keys(table) as ReplacedSystem[]
  const servedOf = ({ compat }: Switched) => names.filter(name => compat.has(name))
  return {
    async serve(app, deps, serviceKeys) {
      for (const name of servedOf(deps)) await app.register(async scope => table[name]?.(scope, deps, serviceKeys))
    },
    tags: deps => servedOf(deps).map(name => ({ name, description })),
  }
}
