/** Which older systems this program answers for, each switched by `COMPAT` and in a scope of its own, with its own form of failure. */
import type { App, ServiceKeyring } from '@signet/http'
import type { ReplacedSystem } from '@signet/kernel'
import type { Deps } from '../deps.ts'
import type { CompatDeps } from './compat-deps.ts'
import { serveEngIdentity } from './eng-identity.ts'
import { serveIamRs256 } from './iam-rs256.ts'

type ServeSystem = (scope: App, deps: CompatDeps, serviceKeys: ServiceKeyring) => void | Promise<void>

const systems: Partial<Record<ReplacedSystem, ServeSystem>> = {
  'eng-identity': serveEngIdentity,
  'iam-rs256': serveIamRs256,
}

export async function serveCompat(app: App, deps: CompatDeps, serviceKeys: ServiceKeyring): Promise<void> {
  for (const [, serve] of servedOf(deps)) await app.register(async scope => serve(scope, deps, serviceKeys))
}

/** Of the API reference: each system has a tag of its own. */
export function compatTags(deps: Pick<Deps, 'compat'>): { readonly name: string; readonly description: string }[] {
  const description = 'Routes of an older system, for callers that have only the base URL changed'
  return servedOf(deps).map(([name]) => ({ name, description }))
}

function servedOf({ compat }: Pick<Deps, 'compat'>): [string, ServeSystem][] {
  return Object.entries(systems).filter(([name]) => compat.has(name as ReplacedSystem))
}
