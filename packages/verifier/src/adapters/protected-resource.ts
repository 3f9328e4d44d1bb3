// The metadata of a protected resource (RFC 9728): a client that knows nothing but the address of a service finds out here
// which issuer to ask for a token. It is public, so that pages of every origin may read it.

import type { Answer } from './answer.ts'

export interface ProtectedResourceOptions {
  /** The address by which clients know the service: https, without query and fragment. */
  readonly resource: string
  /** The issuers whose tokens it takes, as in `issuer` of the verifier. */
  readonly authorizationServers: readonly string[]
  readonly scopes?: readonly string[]
  /** For people to read. */
  readonly name?: string
  /** Pages for people: for developers, on what data is used for, on the terms. */
  readonly documentation?: string
  readonly policy?: string
  readonly terms?: string
}

/** Section 2 of the RFC. */
export interface ProtectedResourceDocument {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly bearer_methods_supported: readonly ['header']
  readonly scopes_supported?: readonly string[]
  readonly resource_name?: string
  readonly resource_documentation?: string
  readonly resource_policy_uri?: string
  readonly resource_tos_uri?: string
}

export interface ProtectedResource {
  readonly document: ProtectedResourceDocument
  /** Where the document is served, and what challenges name as `resource_metadata`. */
  readonly url: string
  readonly path: string
}

const wellKnown = '/.well-known/oauth-protected-resource'
const knownOptions = ['resource', 'authorizationServers', 'scopes', 'name', 'documentation', 'policy', 'terms']
// What is only on this machine needs no certificate.
const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** @throws TypeError that names the option */
export function protectedResourceMetadata(options: ProtectedResourceOptions): ProtectedResource {
  for (const name of Object.keys(options)) {
    if (!knownOptions.includes(name)) throw new TypeError(`protectedResourceMetadata has no option ${name}`)
  }
  const { resource, authorizationServers, scopes, name, documentation, policy, terms } = options
  const { origin, pathname } = readResource(resource)
  assertList('authorizationServers', authorizationServers)
  for (const issuer of authorizationServers) readUrl('authorizationServers', issuer)
  if (scopes !== undefined) assertList('scopes', scopes)
  for (const [key, page] of Object.entries({ documentation, policy, terms })) {
    if (page !== undefined) readUrl(key, page)
  }
  // Section 3.1: the well-known part goes between the host and the path.
  const path = `${wellKnown}${pathname === '/' ? '' : pathname}`
  return Object.freeze({
    document: Object.freeze({
      resource,
      authorization_servers: Object.freeze([...authorizationServers]),
      bearer_methods_supported: Object.freeze(['header'] as const),
      ...(scopes !== undefined && { scopes_supported: Object.freeze([...scopes]) }),
      ...(name !== undefined && { resource_name: name }),
      ...(documentation !== undefined && { resource_documentation: documentation }),
      ...(policy !== undefined && { resource_policy_uri: policy }),
      ...(terms !== undefined && { resource_tos_uri: terms }),
    }),
    url: `${origin}${path}`,
    path,
  })
}

export function describeResource({ document }: ProtectedResource): Answer {
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
    },
    body: JSON.stringify(document),
  }
}

function readResource(resource: unknown): URL {
  const url = readUrl('resource', resource)
  if (url.protocol !== 'https:' && !loopback.has(url.hostname)) throw new TypeError('resource must be an https URL')
  // Looked for in the text: an empty query or fragment leaves no trace in the URL.
  if (/[?#]/.test(resource as string)) throw new TypeError('resource must have no query and no fragment')
  return url
}

function readUrl(name: string, value: unknown): URL {
  if (typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol))
    return new URL(value)
  throw new TypeError(`${name} must be an http or https URL`)
}

function assertList(name: string, value: unknown): void {
  if (Array.isArray(value) && value.length > 0 && value.every(item => typeof item === 'string' && item !== '')) return
  throw new TypeError(`${name} must be a list that is not empty`)
}
