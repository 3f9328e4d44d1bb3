/**
 * What an OpenAPI 3 document says of a service: paths, methods, and the permissions that its operations need. The document is
 * sent to us and nothing that it refers to is fetched.
 */
import type { ServiceRoute } from '@signet/db'
import { type InputFault, problem } from '@signet/kernel'

export interface ApiDescription {
  readonly routes: readonly ServiceRoute[]
  /** What each permission is for: the summary of the first operation that needs it. */
  readonly meanings: ReadonlyMap<string, string>
}

interface Rules {
  readonly path: RegExp
  readonly permission: RegExp
  readonly mostRoutes: number
}

type Members = Readonly<Record<string, unknown>>

const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const
const mostFaults = 20

/** @throws Problem `invalid-api-description` with each fault and where it is */
export function readApiDescription(document: unknown, rules: Rules): ApiDescription {
  const faults: InputFault[] = []
  const refuse = (pointer: string, message: string) => {
    if (faults.length < mostFaults) faults.push({ pointer: `/openapi${pointer}`, message })
  }
  const root = membersOf(document)
  if (!/^3\.\d+\.\d+$/.test(textOf(root['openapi']))) refuse('/openapi', 'must be a version 3 of OpenAPI')
  const base = basePathOf(root)
  const needs = { schemes: membersOf(membersOf(root['components'])['securitySchemes']), common: root['security'] }
  const routes: ServiceRoute[] = []
  const meanings = new Map<string, string>()

  for (const [path, value] of Object.entries(membersOf(root['paths']))) {
    const at = `/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const item = membersOf(value)
    if (path.startsWith('x-')) continue
    if (!rules.path.test(base + path)) refuse(at, 'is not a path that a gateway can be told')
    if ('$ref' in item) refuse(`${at}/$ref`, 'is not followed: send the document bundled')
    for (const method of methods) {
      if (item[method] === undefined) continue
      const operation = membersOf(item[method])
      const listed = [item['x-permissions'] ?? [], operation['x-permissions'] ?? []].flat()
      const { access, codes } = accessOf(operation['security'] ?? needs.common, needs.schemes, listed.map(String))
      for (const code of codes) {
        if (!rules.permission.test(code)) refuse(`${at}/${method}`, `needs ${code}, which is no permission`)
        else if (!meanings.has(code)) meanings.set(code, textOf(operation['summary']).slice(0, 500))
      }
      routes.push({ path: base + path, methods: [method.toUpperCase()], access })
    }
  }
  if (routes.length === 0) refuse('/paths', 'has no operation')
  if (routes.length > rules.mostRoutes) refuse('/paths', `has more than ${rules.mostRoutes} operations`)
  if (faults.length > 0) throw problem('invalid-api-description', undefined, { errors: faults })
  return { routes: joinMethods(routes), meanings }
}

/**
 * Of several requirements one is enough (OpenAPI 3.1 section 4.8.30), so what each of them asks for is what is needed. What is
 * entered without a token of ours (by a key, say) is open as far as a gateway can tell: the service itself looks.
 */
function accessOf(
  security: unknown,
  schemes: Members,
  listed: readonly string[],
): { readonly access: ServiceRoute['access']; readonly codes: readonly string[] } {
  const requirements = Array.isArray(security) ? security.map(membersOf) : []
  const ways = requirements.map(requirement => scopesOf(requirement, schemes))
  const tokens = ways.filter(way => way !== undefined)
  const codes = [...new Set([...listed, ...tokens.flat()])].toSorted()
  const isOpen = tokens.length < ways.length || (ways.length === 0 && listed.length === 0)
  if (isOpen) return { access: 'public', codes }
  const [first = [], ...others] = tokens
  const common = first.filter(code => others.every(way => way.includes(code)))
  return { access: { permissions: [...new Set([...listed, ...common])].toSorted() }, codes }
}

/** The scopes of a requirement that a token meets; undefined for one that is met without a token. */
function scopesOf(requirement: Members, schemes: Members): string[] | undefined {
  const named = Object.entries(requirement).filter(([name]) => isOfTokens(membersOf(schemes[name])))
  if (named.length === 0) return undefined
  return named.flatMap(([, scopes]) => (Array.isArray(scopes) ? scopes.map(String) : []))
}

function isOfTokens({ type, scheme }: Members): boolean {
  return type === 'oauth2' || type === 'openIdConnect' || (type === 'http' && /^bearer$/i.test(String(scheme)))
}

/** Paths are relative to the first server's (section 4.8.5). */
function basePathOf(root: Members): string {
  const [server] = Array.isArray(root['servers']) ? root['servers'].map(membersOf) : []
  const url = textOf(server?.['url'])
  return URL.canParse(url, 'http://service') ? new URL(url, 'http://service').pathname.replace(/\/+$/, '') : ''
}

function joinMethods(routes: readonly ServiceRoute[]): ServiceRoute[] {
  const joined = new Map<string, ServiceRoute>()
  for (const { path, methods: own, access } of routes) {
    const name = JSON.stringify([path, access])
    joined.set(name, { path, methods: [...(joined.get(name)?.methods ?? []), ...own], access })
  }
  return [...joined.values()]
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}
}
