import type { Database } from '@signet/db'
import { type Program, type ServerOptions, startProgram } from '@signet/http'
import type { ReplacedSystem } from '@signet/kernel'
import { buildApp } from './app.ts'

export interface PlacesOptions extends ServerOptions {
  /** Its login may become `signet_places`. Closing it stays with the caller. */
  readonly database: Database
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  readonly issuer: string
  readonly audience: string
  /** The older systems whose callers are served. */
  readonly compat: ReadonlySet<ReplacedSystem>
  /** Where the issuer's keys are fetched, when not at the issuer's own address. */
  readonly keysUri?: string
}

/** Builds the app and listens. */
export async function startPlaces(options: PlacesOptions): Promise<Program> {
  const { issuer, audience, keysUri, host, port } = options
  const tokens = {
    issuer,
    audience,
    revocation: { mode: 'push' } as const,
    ...(keysUri === undefined ? {} : { keys: { uri: keysUri } }),
  }
  const app = await buildApp({ ...options, tokens, url: `http://${host}:${port}` })
  return startProgram(app, { host, port })
}
