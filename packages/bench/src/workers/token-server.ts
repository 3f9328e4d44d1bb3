/**
 * A program that stands on packages/http as ours do, and issues tokens with no database behind it: what is left of issuing is the
 * signature, JSON and HTTP.
 */

import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer, serveHealth, startProgram } from '@signet/http'
import { runProgram } from '@signet/http/run-program'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
const header = encode({ alg: 'RS256', typ: 'at+jwt', kid: 'bench' })
/** As large as the claims of an ordinary access token. */
const claims = { iss: 'http://localhost:4000', aud: 'signet', sub: 'person', padding: 'x'.repeat(300) }

await runProgram({
  name: 'token-server',
  readConfig: ({ PORT, WORKER_COUNT }) => ({
    HOST: '127.0.0.1',
    port: Number(PORT),
    WORKER_COUNT: Number(WORKER_COUNT),
    LOG_LEVEL: 'info' as const,
    LOG_FORMAT: 'json' as const,
  }),
  prepare: async () => undefined,
  load: async () => undefined,
  serve: async ({ HOST: host, port }, { logger }, resources) => {
    const app = await createServer({ logger, trustProxy: [] })
    serveHealth(app, { version: '0', checks: {} })
    app.get('/token', { config: { access: 'public' } }, async () => {
      const input = `${header}.${encode({ ...claims, iat: Date.now() })}`
      const signature = sign('RSA-SHA256', Buffer.from(input), privateKey).toString('base64url')
      return { access_token: `${input}.${signature}`, token_type: 'Bearer' }
    })
    app.get('/process', { config: { access: 'public' } }, async () => ({ id: process.pid }))
    const program = await startProgram(app, { host, port })
    resources.defer(() => program.stop())
  },
})
