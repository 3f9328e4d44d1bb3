import { Type } from 'typebox'

const Jwk = Type.Object({
  kty: Type.Literal('RSA'),
  kid: Type.String({ description: 'RFC 7638 thumbprint' }),
  use: Type.Literal('sig'),
  alg: Type.Literal('RS256'),
  n: Type.String(),
  e: Type.String(),
})

export const JwkSet = Type.Object({ keys: Type.Array(Jwk) }, { description: 'JWK set (RFC 7517)' })

export const IssuerMetadata = Type.Object(
  {
    issuer: Type.String(),
    jwks_uri: Type.String(),
    introspection_endpoint: Type.String(),
    introspection_endpoint_auth_methods_supported: Type.Array(Type.String()),
    revocation_endpoint: Type.String(),
    revocation_endpoint_auth_methods_supported: Type.Array(Type.String()),
    service_documentation: Type.String(),
    response_types_supported: Type.Array(Type.String()),
    grant_types_supported: Type.Array(Type.String()),
  },
  { description: 'Authorization server metadata (RFC 8414)' },
)
