/** Which older systems this program answers for, each switched by `COMPAT` and in a scope of its own, with its own form of failure. */
import type { App, ServiceKeyring } from '@signet/http'
import type { ReplacedSystem } from '@signet/kernel'
import type { Deps } from '../deps.ts'
import { serveChatAuth } from './chat-auth.ts'
import { serveEngIdentity } from './eng-identity.ts'
import { serveRoot } from './root.ts'
import { serveScalableAuth } from './scalable-auth.ts'

type ServeSystem = (scope: App, deps: Deps, serviceKeys: ServiceKeyring) => void | Promise<void>

/** Of iam-rs256 all routes here are the native ones. */
const systems: Partial<Record<ReplacedSystem, ServeSystem>> = {
  'chat-auth': serveChatAuth,
  'eng-identity': serveEngIdentity,
  'scalable-auth': serveScalableAuth,
}

export async function serveCompat(app: App, deps: Deps, serviceKeys: ServiceKeyring): Promise<void> {
  serveRoot(app, deps)
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
