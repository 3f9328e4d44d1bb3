/** The map of `/admin/v1/gateway/routes`, as far as a reverse proxy needs it, and what is read of it before it is believed. */

export interface GatewayItem {
  readonly prefix: string
  readonly isExact: boolean
  readonly methods: readonly string[]
  readonly service: string
  readonly baseUrl: string
}

/** A service and the servers that answer for it, `host:port`. */
export interface Upstream {
  readonly service: string
  readonly servers: readonly string[]
  readonly isEncrypted: boolean
}

export class GatewayMapError extends Error {
  override readonly name = 'GatewayMapError'
}

// Services register themselves. What they say becomes a line of a configuration file, so nothing else than this is written there.
const prefixPattern = /^\/[A-Za-z0-9._~@:+=,!*/-]*$/
const servicePattern = /^[A-Za-z0-9][A-Za-z0-9_-]*$/
const methodPattern = /^[A-Z]+$/
const baseUrlPattern = /^https?:\/\/[A-Za-z0-9.:[\]-]+$/

/** @throws GatewayMapError for what is no map, or cannot be written into a configuration */
export function parseGatewayMap(document: unknown): GatewayItem[] {
  const items = isObject(document) ? document['items'] : undefined
  if (!Array.isArray(items) || items.length === 0) throw new GatewayMapError('This is no map of routes.')
  return items.map(readItem)
}

function readItem(item: unknown): GatewayItem {
  const { prefix, is_exact: isExact, methods, service, base_url: baseUrl } = isObject(item) ? item : {}
  const isRead =
    isText(prefix, prefixPattern) &&
    typeof isExact === 'boolean' &&
    Array.isArray(methods) &&
    methods.length > 0 &&
    methods.every(method => isText(method, methodPattern)) &&
    isText(service, servicePattern) &&
    isText(baseUrl, baseUrlPattern)
  if (!isRead) throw new GatewayMapError(`This route cannot be written for a gateway: ${JSON.stringify(item)}`)
  return { prefix, isExact, methods: answeredMethods(methods), service, baseUrl }
}

/** Whoever answers GET answers HEAD. */
function answeredMethods(methods: readonly string[]): string[] {
  return [...new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : [])])].toSorted()
}

/**
 * The services of the map.
 * @param nodes several servers in the place of a base URL, by the service's name
 */
export function listUpstreams(
  items: readonly GatewayItem[],
  nodes: ReadonlyMap<string, readonly string[]>,
): Upstream[] {
  const baseUrls = new Map(items.map(({ service, baseUrl }) => [service, new URL(baseUrl)]))
  return [...baseUrls]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([service, url]) => {
      const isEncrypted = url.protocol === 'https:'
      const address = `${url.hostname}:${url.port === '' ? (isEncrypted ? 443 : 80) : url.port}`
      return { service, servers: nodes.get(service) ?? [address], isEncrypted }
    })
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
