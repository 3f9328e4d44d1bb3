/**
 * All that this service knows of identity: whose tokens it takes. What a caller needs, each route says in
 * `config.access`; a route that says nothing stops the boot.
 */
import type { App } from '@signet/http'
import { createVerifier, type Verifier, type VerifierOptions } from '@signet/verifier'
import { signet } from '@signet/verifier/fastify'

export async function protect(app: App, options: VerifierOptions): Promise<Verifier> {
  const verifier = createVerifier(options)
  await app.register(signet, { verifier, securityScheme: 'bearer' })
  app.addHook('onClose', async () => verifier.close())
  return verifier
}
