import cookie from '@fastify/cookie'
import { createMigrationCheck, findServiceKey } from '@signet/db'
import {
  acceptServiceKey,
  type App,
  createServer,
  createServiceKeyring,
  describeApi,
  limitRequests,
  refuseCrossSite,
  type ServerOptions,
  serveHealth,
  speakOAuth,
} from '@signet/http'
import { signet } from '@signet/verifier/fastify'
import { description, tags } from './api-reference.ts'
import { serveRoot } from './compat/root.ts'
import { olderSystems } from './compat/serve-compat.ts'
import { type Deps, longestTokenTtl } from './deps.ts'
import { createBundles, serveBundles } from './modules/bundles/index.ts'
import { serveClientTokens } from './modules/client-tokens/index.ts'
import { serveContacts } from './modules/contacts/index.ts'
import { serveDiscovery } from './modules/discovery/index.ts'
import { createEventHub, serveEvents } from './modules/events/index.ts'
import { askDatabase, createOutboxCheck, serveHealthcheck } from './modules/health/index.ts'
import { serveIntrospection } from './modules/introspection/index.ts'
import { serveMe } from './modules/me/index.ts'
import { serveOtp } from './modules/otp/index.ts'
import { servePassword } from './modules/password/index.ts'
import { serveRefreshKeys } from './modules/refresh-keys/index.ts'
import { serveRegistration } from './modules/registration/index.ts'
import { serveSessions } from './modules/sessions/index.ts'
import { serveSignIn } from './modules/sign-in/index.ts'
import { createStatusLists, serveStatusLists } from './modules/status-lists/index.ts'
import { serveSystemEmails } from './modules/system-emails/index.ts'
import { serveTokens, tokenCookies } from './modules/tokens/index.ts'
import { createOwnVerifier } from './own-verifier.ts'
import { version } from './version.ts'

/** The issuer, ready to listen: knows no environment. */
export async function buildApp(deps: Deps & ServerOptions): Promise<App> {
  const app = await createServer(deps)
  await app.register(cookie)
  refuseCrossSite(app, {
    url: deps.tokens.issuer,
    allowedOrigins: deps.allowedOrigins,
    cookies: tokenCookies(deps.cookies),
    cookieDomain: deps.cookies.domain,
  })
  const verifier = createOwnVerifier(deps)
  const serviceKeys = createServiceKeyring({
    configured: deps.serviceKeys,
    sealKey: deps.keys.serviceKey,
    find: hash => findServiceKey(deps.database, hash),
    clock: deps.clock,
  })
  await app.register(signet, { verifier, securityScheme: 'bearer', alternative: acceptServiceKey(serviceKeys) })
  const limitChecks = await limitRequests(app, deps.limits)
  await describeApi(app, {
    title: 'Signet issuer',
    version,
    description,
    serverUrl: deps.tokens.issuer,
    tags: [...tags, ...olderSystems.tags(deps)],
  })
  serveHealth(app, {
    version,
    checks: {
      database: () => askDatabase(deps.database),
      migrations: createMigrationCheck(deps.database),
      keys: () => (deps.signingKeys.isCurrent() ? 'ok' : 'degraded'),
      outbox: createOutboxCheck(deps.database),
      ...limitChecks,
    },
  })
  serveHealthcheck(app, () => askDatabase(deps.database))
  serveDiscovery(app, deps)
  serveRegistration(app, deps)
  serveSignIn(app, deps)
  serveOtp(app, deps)
  serveTokens(app, deps)
  serveSessions(app, deps)
  servePassword(app, deps)
  serveContacts(app, deps)
  const hub = createEventHub(deps.database, longestTokenTtl(deps))
  app.addHook('onReady', async () => hub.open(app.log))
  app.addHook('onClose', () => hub.close())
  serveStatusLists(app, createStatusLists(deps, hub))
  serveBundles(app, deps, createBundles(deps))
  serveEvents(app, deps, hub, serviceKeys)
  serveSystemEmails(app, deps, serviceKeys)
  serveClientTokens(app, deps)
  serveRefreshKeys(app, deps)
  serveRoot(app, deps)
  await olderSystems.serve(app, deps, serviceKeys)
  await app.register(async scope => {
    await speakOAuth(scope)
    serveIntrospection(scope, deps, verifier, serviceKeys)
  })
  await app.register(async scope => {
    // RFC 7396: a merge patch has a media type of its own, which means nothing to the other routes.
    scope.addContentTypeParser(
      'application/merge-patch+json',
      { parseAs: 'string' },
      scope.getDefaultJsonParser('error', 'error'),
    )
    serveMe(scope, deps)
  })
  return app
}
