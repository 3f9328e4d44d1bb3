/**
 * A whole configuration of nginx (1.18 or later, no module beside its own). It logs no requests: some of the replaced systems'
 * paths carry a secret.
 */
import type { GatewayItem, Upstream } from './gateway-map.ts'

/** The system's bundle, where Debian and Alpine keep it. */
const authorities = '/etc/ssl/certs/ca-certificates.crt'

export function writeNginx(items: readonly GatewayItem[], upstreams: readonly Upstream[], listen: string): string {
  return `# Written by \`pnpm gateway\` from /admin/v1/gateway/routes: a change here is lost with the next one there.
worker_processes auto;
pid /tmp/signet-nginx.pid;
error_log stderr warn;

events {
  worker_connections 4096;
}

http {
  client_body_temp_path /tmp/signet-nginx-body;
  proxy_temp_path /tmp/signet-nginx-proxy;
  fastcgi_temp_path /tmp/signet-nginx-fastcgi;
  uwsgi_temp_path /tmp/signet-nginx-uwsgi;
  scgi_temp_path /tmp/signet-nginx-scgi;
  server_tokens off;
  map_hash_bucket_size 256;

  # The programs log their requests, without the secrets that some paths carry.
  access_log off;
  # What goes wrong with a request, such as a node that is not there, would be said together with the path.
  error_log stderr emerg;

  # The first that fits counts; $uri is decoded, and has neither // nor dots.
  map "$request_method $uri" $signet_service {
    default "";
${items.map(item => `    "~^(?:${item.methods.join('|')}) ${patternOf(item)}" ${item.service};`).join('\n')}
  }

  map $signet_service $signet_url {
${upstreams.map(({ service, isEncrypted }) => `    ${service} ${isEncrypted ? 'https' : 'http'}://signet-${service};`).join('\n')}
  }
${writeServerNames(upstreams)}
${upstreams.map(writeUpstream).join('\n')}
  server {
    listen ${listen};
    # Each program has its own limit of what it takes, and of how long it waits.
    client_max_body_size 0;

    location / {
      if ($signet_service = "") {
        return 404;
      }
      proxy_pass $signet_url;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      # Events are told when they happen, and an import is read while it comes.
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_connect_timeout 5s;
      proxy_read_timeout 300s;
${writeEncryption(upstreams)}    }
  }
}
`
}

/** A dot means a dot, and so does all that means something else in a pattern. */
function patternOf({ prefix, isExact }: GatewayItem): string {
  return `${prefix.replace(/[.+*]/g, '[$&]')}${isExact ? '\\z' : ''}`
}

function writeUpstream({ service, servers }: Upstream): string {
  // A server that does not answer is left out for some seconds, and the request goes to the next one.
  const lines = servers.map(server => `    server ${server} max_fails=1 fail_timeout=5s;`)
  return `
  upstream signet-${service} {
${lines.join('\n')}
    keepalive 32;
  }`
}

/** The name that an encrypted service shows a certificate for. */
function writeServerNames(upstreams: readonly Upstream[]): string {
  const encrypted = upstreams.filter(({ isEncrypted }) => isEncrypted)
  if (encrypted.length === 0) return ''
  const lines = encrypted.map(({ service, servers: [first = ''] }) => `    ${service} ${first.replace(/:\d+$/, '')};`)
  return `
  map $signet_service $signet_server_name {
    default "";
${lines.join('\n')}
  }
`
}

function writeEncryption(upstreams: readonly Upstream[]): string {
  if (!upstreams.some(({ isEncrypted }) => isEncrypted)) return ''
  return `      proxy_ssl_server_name on;
      proxy_ssl_name $signet_server_name;
      proxy_ssl_verify on;
      proxy_ssl_trusted_certificate ${authorities};
`
}
