/**
 * What Prometheus reads: on a port of its own, which nobody needs a token for and which nothing else listens on, so that no gateway
 * shows it by mistake. The library is loaded where that port is set; elsewhere nothing is counted.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MetricRegistry } from './metric-registry.ts'
import { type Metrics, silentMetrics } from './metrics.ts'

export interface MetricsListener {
  /** In a process with several programs their metrics differ by the label `program`. */
  of(program: string): Metrics
  /** Where Prometheus finds them; undefined where they are off. */
  readonly url: string | undefined
  close(): Promise<void>
}

/** @param port 0 for any that is free; undefined for no metrics */
export async function openMetrics(host: string, port: number | undefined): Promise<MetricsListener> {
  if (port === undefined) return { of: () => silentMetrics, url: undefined, close: async () => undefined }
  const { createRegistry } = await import('./metric-registry.ts')
  const registry = createRegistry()
  const server = serve(registry)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  const { port: taken } = server.address() as AddressInfo
  return {
    of: program => registry.of(program),
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/metrics`,
    close: async () => {
      registry.close()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function serve(registry: MetricRegistry): Server {
  return createServer({ requestTimeout: 10_000, headersTimeout: 8_000 }, (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    registry.render().then(
      text => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
}
