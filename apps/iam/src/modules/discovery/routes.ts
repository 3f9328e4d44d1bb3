import { createHash } from 'node:crypto'
import type { App } from '@signet/http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { matchesValidator } from '../../http-caching.ts'
import { IssuerMetadata, JwkSet } from './schema.ts'
import { describeIssuer } from './service.ts'

const tags = ['Keys and metadata']
/** Long enough to spare us questions, short enough for a rotation. */
const cacheControl = 'public, max-age=300'

/** What verifiers need: keys and metadata, all of it public and cacheable. */
export function serveDiscovery(app: App, { signingKeys, tokens }: Pick<Deps, 'signingKeys' | 'tokens'>): void {
  const config = { access: 'public' as const, isVital: true }
  const metadata = JSON.stringify(describeIssuer(tokens))
  const json = 'application/json; charset=utf-8'

  app.get(
    '/.well-known/jwks.json',
    {
      config,
      schema: {
        tags,
        operationId: 'readKeySet',
        summary: 'The public keys (RFC 7517)',
        description: 'Of the next, the active and the retired keys whose tokens may still be valid.',
        response: { 200: JwkSet, 304: Type.Null() },
      },
    },
    async (request, reply) => {
      const { body, etag } = signingKeys.keySet()
      return sendCached(request, reply, json, body, etag)
    },
  )
  app.get(
    '/.well-known/public-key.pem',
    {
      config,
      schema: {
        tags,
        operationId: 'readPublicKey',
        summary: 'The active public key as PEM',
        description: 'For consumers that read one key from a file. It changes at each rotation.',
        response: {
          200: {
            description: 'SubjectPublicKeyInfo',
            content: {
              'application/x-pem-file': {
                schema: Type.String({
                  examples: [
                    '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A…\n-----END PUBLIC KEY-----\n',
                  ],
                }),
              },
            },
          },
          304: Type.Null(),
        },
      },
    },
    async (request, reply) => {
      const pem = signingKeys.publicKeyPem()
      return sendCached(request, reply, 'application/x-pem-file', pem, tagOf(pem))
    },
  )
  app.get(
    '/.well-known/oauth-authorization-server',
    {
      config,
      schema: {
        tags,
        operationId: 'readIssuerMetadata',
        summary: 'Issuer metadata (RFC 8414)',
        description: 'Where the keys and the status lists are, and where tokens are asked about and ended.',
        response: { 200: IssuerMetadata, 304: Type.Null() },
      },
    },
    async (request, reply) => sendCached(request, reply, json, metadata, tagOf(metadata)),
  )
}

/** The body is text already: its validator is made of these very bytes. */
function sendCached(
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  body: string,
  etag: string,
): FastifyReply {
  reply.header('cache-control', cacheControl).header('etag', etag)
  if (matchesValidator(request.headers['if-none-match'], etag)) return reply.code(304).send()
  return reply.type(type).serializer(String).send(body)
}

function tagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url')}"`
}
