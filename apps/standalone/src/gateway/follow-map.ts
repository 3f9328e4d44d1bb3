/** Asks for the map, and writes what a proxy reads. */
import { rename, writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { GatewayMapError, listUpstreams, parseGatewayMap } from './gateway-map.ts'
import { writeHaproxy } from './haproxy.ts'
import { writeNginx } from './nginx.ts'
import type { GatewayOptions } from './options.ts'

const answerTimeoutMs = 10_000

interface Answer {
  readonly configuration: string
  readonly etag: string | null
}

/**
 * The configuration; nothing where the map is the one of `etag`.
 * @throws GatewayMapError where the administration answers with something else
 */
async function askOnce(
  url: string,
  key: string,
  options: GatewayOptions,
  etag: string | null,
): Promise<Answer | undefined> {
  const response = await fetch(`${url}/admin/v1/gateway/routes`, {
    headers: { 'x-api-key': key, ...(etag === null ? {} : { 'if-none-match': etag }) },
    signal: AbortSignal.timeout(answerTimeoutMs),
  })
  if (response.status === 304) return undefined
  if (response.status !== 200)
    throw new GatewayMapError(`${url} answers ${response.status}: is INTERNAL_SERVICE_API_KEY one of its keys?`)
  const items = parseGatewayMap(await response.json())
  const write = options.kind === 'nginx' ? writeNginx : writeHaproxy
  const configuration = write(items, listUpstreams(items, options.nodes), options.listen)
  return { configuration, etag: response.headers.get('etag') }
}

/** Once, or for good where `--watch` says so: a map that cannot be had then leaves the gateway as it is. */
export async function followMap(url: string, key: string, options: GatewayOptions): Promise<void> {
  let etag: string | null = null
  for (;;) {
    try {
      const answer = await askOnce(url, key, options, etag)
      if (answer !== undefined) {
        await publish(options.to, answer.configuration)
        etag = answer.etag
      }
    } catch (error) {
      if (options.watchSeconds === undefined) throw error
      console.error(`The gateway stays as it is. ${describeFailure(error)}`)
    }
    if (options.watchSeconds === undefined) return
    await wait(options.watchSeconds * 1_000)
  }
}

/** A proxy that reads it meanwhile reads all of the old one or all of the new one. */
async function publish(file: string | undefined, configuration: string): Promise<void> {
  if (file === undefined) {
    process.stdout.write(configuration)
    return
  }
  await writeFile(`${file}.new`, configuration)
  await rename(`${file}.new`, file)
  console.log(`${file} is written.`)
}

export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
