/** A whole configuration of haproxy (2.2 or later). It logs nothing: some of the replaced systems' paths carry a secret. */
import type { GatewayItem, Upstream } from './gateway-map.ts'

/** Programs of Signet say when they are ready; of the others only a connection is asked. */
const sayWhenReady = new Set(['iam', 'admin-api', 'places'])

export function writeHaproxy(items: readonly GatewayItem[], upstreams: readonly Upstream[], listen: string): string {
  return `# Written by \`pnpm gateway\` from /admin/v1/gateway/routes: a change here is lost with the next one there.
global
  maxconn 4096
  ssl-server-verify required
  ca-base /etc/ssl/certs

defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-request 15s
  timeout http-keep-alive 60s
  option redispatch
  retries 2
  retry-on conn-failure empty-response

frontend signet
  bind ${listen.includes(':') ? listen : `*:${listen}`}
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Proto http
  # Where a node is lost another is asked again for what only reads. What writes may have been done.
  http-request disable-l7-retry unless METH_GET
  # The first that fits counts.
${items.map(writeRoute).join('\n')}
  default_backend nowhere

backend nowhere
  http-request return status 404
${upstreams.map(writeBackend).join('')}`
}

function writeRoute({ prefix, isExact, methods, service }: GatewayItem): string {
  return `  use_backend signet-${service} if { method ${methods.join(' ')} } { ${isExact ? 'path' : 'path_beg'} '${prefix}' }`
}

function writeBackend({ service, servers, isEncrypted }: Upstream): string {
  const isAsked = sayWhenReady.has(service)
  const lines = servers.map((server, index) => {
    const name = server.replace(/:\d+$/, '')
    const encryption = isEncrypted
      ? ` ssl verify required ca-file ca-certificates.crt sni str(${name}) verifyhost ${name}`
      : ''
    // A name that cannot be resolved yet keeps no gateway from starting.
    return `  server node-${index + 1} ${server} check inter 1s fall 2 rise 1 init-addr last,libc,none${encryption}\n`
  })
  return `
backend signet-${service}
  balance roundrobin
${isAsked ? '  option httpchk GET /readyz\n' : ''}${lines.join('')}`
}
