import type { TokenSettings } from '../../deps.ts'

/** Authorization server metadata (RFC 8414), of what exists alone. */
export interface IssuerMetadata {
  readonly issuer: string
  readonly jwks_uri: string
  readonly introspection_endpoint: string
  readonly introspection_endpoint_auth_methods_supported: readonly string[]
  readonly revocation_endpoint: string
  readonly revocation_endpoint_auth_methods_supported: readonly string[]
  /** draft-ietf-oauth-status-list section 9.1. */
  readonly status_list_aggregation_endpoint: string
  readonly service_documentation: string
  readonly response_types_supported: readonly string[]
  readonly grant_types_supported: readonly string[]
}

/** There is no authorization endpoint: `response_types_supported`, which has to be there, is empty. */
export function describeIssuer({ issuer }: TokenSettings): IssuerMetadata {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    introspection_endpoint: `${issuer}/oauth2/introspect`,
    introspection_endpoint_auth_methods_supported: ['x-api-key'],
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    status_list_aggregation_endpoint: `${issuer}/status-lists`,
    service_documentation: `${issuer}/docs`,
    response_types_supported: [],
    grant_types_supported: [],
  }
}
