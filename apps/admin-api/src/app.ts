import { createMigrationCheck, findServiceKey } from '@signet/db'
import {
  acceptServiceKey,
  type App,
  createServer,
  createServiceKeyring,
  describeApi,
  type ServerOptions,
  serveHealth,
} from '@signet/http'
import { problem } from '@signet/kernel'
import type { Verifier } from '@signet/verifier'
import { signet } from '@signet/verifier/fastify'
import { description, tags } from './api-reference.ts'
import { refuseForeignPages } from './compat/cookies.ts'
import { olderSystems } from './compat/serve-compat.ts'
import type { Deps } from './deps.ts'
import { serveAdvisors } from './modules/advisors/index.ts'
import { serveAudit } from './modules/audit/index.ts'
import { type GatewayAddresses, serveGateway } from './modules/gateway/index.ts'
import { serveServiceKeys } from './modules/service-keys/index.ts'
import { serveServices, readOwnRoutes } from './modules/services/index.ts'
import { serveBootstrap } from './modules/bootstrap/index.ts'
import { serveBrands } from './modules/brands/index.ts'
import { serveClients, serveSubClients } from './modules/clients/index.ts'
import { serveDashboard } from './modules/dashboard/index.ts'
import { serveDirectory } from './modules/directory/index.ts'
import { serveImages } from './modules/images/index.ts'
import { serveImports } from './modules/imports/index.ts'
import { serveDecisions, serveImpact } from './modules/decisions/index.ts'
import { serveMemberships } from './modules/memberships/index.ts'
import { checkDatabase, serveOperations, type ShownSettings } from './modules/operations/index.ts'
import { serveOrgUnits } from './modules/org-units/index.ts'
import { servePermissions } from './modules/permissions/index.ts'
import { servePolicies } from './modules/policies/index.ts'
import { servePolicyAttachments } from './modules/policy-attachments/index.ts'
import { servePlacements } from './modules/placements/index.ts'
import { servePositions } from './modules/positions/index.ts'
import { serveRoles } from './modules/roles/index.ts'
import { serveSessions } from './modules/sessions/index.ts'
import { serveTenants } from './modules/tenants/index.ts'
import { serveUsers } from './modules/users/index.ts'
import { version } from './version.ts'

export interface AppDeps extends Deps, ServerOptions {
  readonly verifier: Verifier
  /** Keys of the settings; those that services were issued count beside them. */
  readonly serviceKeys: readonly string[]
  /** Where callers reach it, for the API reference. */
  readonly url: string
  /** Where a gateway reaches Signet's own programs. */
  readonly addresses: GatewayAddresses
  /** What `/config` shows. */
  readonly settings: ShownSettings
}

/** The administration, ready to listen: knows no environment. */
export async function buildApp(deps: AppDeps): Promise<App> {
  const app = await createServer(deps)
  const serviceKeys = createServiceKeyring({
    configured: deps.serviceKeys,
    sealKey: deps.keys.serviceKey,
    find: hash => findServiceKey(deps.db, hash),
  })
  await app.register(signet, {
    verifier: deps.verifier,
    alternative: acceptServiceKey(serviceKeys),
    securityScheme: 'bearer',
  })
  const { issuer } = deps.settings
  refuseForeignPages(app, { ...deps, issuerUrl: typeof issuer === 'string' ? issuer : undefined })
  await describeApi(app, {
    title: 'Signet administration',
    version,
    description,
    serverUrl: deps.url,
    tags: [...tags, ...olderSystems.tags(deps)],
  })
  serveHealth(app, {
    version,
    checks: {
      database: () => checkDatabase(deps),
      migrations: createMigrationCheck(deps.db),
      keys: () => deps.verifier.warmUp(),
    },
  })
  serveOperations(app, deps, deps.settings)
  serveDecisions(app, deps, deps.url)
  await app.register(scope => serveAdministration(scope, deps), { prefix: '/admin/v1' })
  await olderSystems.serve(app, deps, serviceKeys)
  return app
}

async function serveAdministration(scope: App, deps: AppDeps): Promise<void> {
  const parse = scope.getDefaultJsonParser('error', 'error')
  // RFC 7396: a merge patch has a media type of its own, which means nothing to the other methods.
  scope.addContentTypeParser<string>('application/merge-patch+json', { parseAs: 'string' }, (request, body, done) => {
    if (request.method === 'PATCH') void parse(request, body, done)
    else done(problem('unsupported-media-type'))
  })
  serveBootstrap(scope, deps)
  serveTenants(scope, deps)
  serveUsers(scope, deps)
  serveSessions(scope, deps)
  serveClients(scope, deps)
  serveSubClients(scope, deps)
  await serveImages(scope, deps)
  serveImports(scope, deps)
  serveMemberships(scope, deps)
  serveRoles(scope, deps)
  serveImpact(scope, deps)
  servePermissions(scope, deps)
  servePolicies(scope, deps)
  servePolicyAttachments(scope, deps)
  serveAdvisors(scope, deps)
  serveDashboard(scope, deps)
  serveBrands(scope, deps)
  serveOrgUnits(scope, deps)
  servePositions(scope, deps)
  servePlacements(scope, deps)
  serveDirectory(scope, deps)
  serveAudit(scope, deps)
  const registry = { ...deps, ownRoutes: readOwnRoutes(() => scope.swagger()) }
  serveServices(scope, registry)
  serveServiceKeys(scope, deps)
  serveGateway(scope, registry)
}
