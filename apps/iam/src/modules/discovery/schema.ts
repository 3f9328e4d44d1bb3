import { Type } from 'typebox'

const Jwk = Type.Object({
  kty: Type.Literal('RSA'),
  kid: Type.String({ description: 'RFC 7638 thumbprint', examples: ['NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'] }),
  use: Type.Literal('sig'),
  alg: Type.Literal('RS256'),
  n: Type.String({
    examples: [
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs',
    ],
  }),
  e: Type.String({ examples: ['AQAB'] }),
})

export const JwkSet = Type.Object({ keys: Type.Array(Jwk) }, { description: 'JWK set (RFC 7517)' })

export const IssuerMetadata = Type.Object(
  {
    issuer: Type.String({ examples: ['https://id.example.com'] }),
    jwks_uri: Type.String({ examples: ['https://id.example.com/.well-known/jwks.json'] }),
    introspection_endpoint: Type.String({ examples: ['https://id.example.com/oauth2/introspect'] }),
    introspection_endpoint_auth_methods_supported: Type.Array(Type.String(), { examples: [['none']] }),
    revocation_endpoint: Type.String({ examples: ['https://id.example.com/oauth2/revoke'] }),
    revocation_endpoint_auth_methods_supported: Type.Array(Type.String(), { examples: [['none']] }),
    status_list_aggregation_endpoint: Type.String({ examples: ['https://id.example.com/status-lists'] }),
    service_documentation: Type.String({ examples: ['https://id.example.com/docs'] }),
    response_types_supported: Type.Array(Type.String(), { examples: [[]] }),
    grant_types_supported: Type.Array(Type.String(), { examples: [[]] }),
  },
  { description: 'Authorization server metadata (RFC 8414)' },
)
