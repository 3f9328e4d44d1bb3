import type { Database } from '@signet/db'
import { type App, createServer, describeApi, type ServerOptions, serveHealth } from '@signet/http'
import type { ReplacedSystem } from '@signet/kernel'
import type { VerifierOptions } from '@signet/verifier'
import { serveCompat } from './compat/serve-compat.ts'
import { assertReadable, servePlaces } from './modules/places/index.ts'
import { protect } from './protect.ts'
import { version } from './version.ts'

export interface PlacesDeps extends ServerOptions {
  readonly database: Database
  readonly tokens: VerifierOptions
  /** The older systems whose callers are served. */
  readonly compat: ReadonlySet<ReplacedSystem>
  /** Where callers reach it, for the API reference. */
  readonly url: string
}

const description =
  'A map directory of charging and battery-swap stations. It knows nothing of identity but @signet/verifier.'

/** The map directory, ready to listen. */
export async function buildApp(deps: PlacesDeps): Promise<App> {
  const { database, tokens, url } = deps
  const app = await createServer(deps)
  const verifier = await protect(app, tokens)
  const tags = [
    { name: 'Places', description: 'Charging and swap stations. Each operation names the permission that it wants.' },
    {
      name: 'Operations',
      description: 'For probes: restart what fails `/livez`, send nothing to what fails `/readyz`.',
    },
    {
      name: 'scalable-auth',
      description: 'A route of an older system, for callers that have only the base URL changed',
    },
  ]
  await describeApi(app, { title: 'Signet places', version, description, serverUrl: url, tags })
  serveHealth(app, {
    version,
    checks: {
      database: () => assertReadable(database),
      keys: () => verifier.warmUp(),
    },
  })
  servePlaces(app, database)
  serveCompat(app, deps)
  return app
}
