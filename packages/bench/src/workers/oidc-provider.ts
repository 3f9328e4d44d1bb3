/**
 * oidc-provider as a server that issues RS256 access tokens (RFC 9068) by client credentials. Its adapter keeps everything in
 * memory, so nothing waits for a database.
 */

import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import { answerQuestions } from './answer-questions.ts'

export interface OidcAnswer {
  readonly url: string
}

answerQuestions(async (): Promise<OidcAnswer> => {
  // Its default of five seconds would end the connections while the others have their turn.
  const server = createServer({ keepAliveTimeout: 60_000 })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const handle = createProvider(url).callback()
  server.on('request', (request, response) => void handle(request, response))
  return { url }
})

function createProvider(url: string): Provider {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const resource = 'urn:signet:bench'
  return new Provider(url, {
    clients: [
      {
        client_id: 'bench',
        client_secret: 'bench-secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kty: 'RSA' }] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: () => ({
          scope: '',
          audience: resource,
          accessTokenTTL: 900,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
}
