import {
  type App,
  networkOf,
  problemResponses,
  requireServiceKey,
  serviceKeyHolderOf,
  type ServiceKeyring,
  type ServerOptions,
  silentMetrics,
} from '@signet/http'
import type { Deps } from '../../deps.ts'
import { watchStreams } from '../../metrics.ts'
import { statusListUri } from '../tokens/index.ts'
import type { EventHub, Revocation } from './hub.ts'
import { EventStream } from './schema.ts'
import { createStreams, type StreamEvent, streamLimits } from './streams.ts'

/** What verifiers are told as it happens, so that they need not ask. */
export function serveEvents(
  app: App,
  {
    signingKeys,
    tokens,
    streams: given,
    metrics = silentMetrics,
  }: Pick<Deps, 'signingKeys' | 'tokens' | 'streams'> & Pick<ServerOptions, 'metrics'>,
  hub: EventHub,
  serviceKeys: ServiceKeyring,
): void {
  const limits = { ...streamLimits, ...given }
  const streams = createStreams(limits, () => hub.isLive())
  watchStreams(
    metrics,
    () => streams.count(),
    () => hub.isLive(),
  )
  const requireKey = requireServiceKey(serviceKeys)
  const toEvent = ({ list, index, at }: Revocation): StreamEvent => ({
    id: at,
    event: 'revoked',
    data: { uri: statusListUri(tokens, list), idx: index },
  })

  // One after the other: after a restart all come back at once, and nobody else would get a connection to the database.
  let turn: Promise<unknown> = Promise.resolve()
  function replayInTurn(since: number): Promise<readonly Revocation[]> {
    const replayed = turn.then(() => hub.replay(since))
    turn = replayed.catch(() => undefined)
    return replayed
  }

  const stopListening = hub.listen({
    revoked: revocation => streams.send(toEvent(revocation), 'all'),
    bundleChanged: ({ tenantId, version }) =>
      streams.send({ id: hub.position(), event: 'bundle', data: { tid: tenantId, version } }, 'services'),
  })
  signingKeys.onChange(() => {
    const kids = signingKeys.keySet().keys.map(({ kid }) => kid)
    streams.send({ id: hub.position(), event: 'keys', data: { kids } }, 'all')
  })
  app.addHook('preClose', async () => {
    stopListening()
    streams.close()
  })

  app.get(
    '/verifier/events',
    {
      config: { access: 'public', isVital: true },
      // A stream has no end that HEAD could tell of.
      exposeHeadRoute: false,
      onRequest: async function requireKeyIfShown(request, reply) {
        if (request.headers['x-api-key'] !== undefined) await requireKey.call(this, request, reply)
      },
      schema: {
        tags: ['Revocations and bundles'],
        operationId: 'listenToEvents',
        summary: 'Hear of revocations and new keys at once',
        description:
          'Sends `revoked`, `keys` and, to whoever shows a service key as `x-api-key`, `bundle` as they happen, to all nodes alike. With `Last-Event-ID` it first repeats what was revoked since. Listen first and then fetch the lists: so nothing is missed.',
        response: {
          200: EventStream,
          ...problemResponses('invalid-service-key', 429, 'too-many-listeners', 'not-ready'),
        },
      },
    },
    async (request, reply) => {
      const isService = serviceKeyHolderOf(request) !== undefined
      const stream = streams.admit({
        network: isService ? undefined : networkOf(request.ip),
        hearsBundles: isService,
      })
      let missed: readonly StreamEvent[]
      try {
        const since = readPosition(request.headers['last-event-id'])
        missed = since === undefined ? [] : (await replayInTurn(since)).map(toEvent)
      } catch (error) {
        stream.leave()
        throw error
      }
      reply.hijack()
      // It may be silent for longer than a connection is allowed to be.
      request.raw.socket.setTimeout(0).setKeepAlive(true, limits.heartbeatMs)
      stream.begin(
        reply.raw,
        {
          ...(reply.getHeaders() as Record<string, string>),
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          // Nginx would hold events back until they fill a buffer.
          'x-accel-buffering': 'no',
          connection: 'close',
        },
        missed,
      )
    },
  )
}

/** Undefined for what is no position of ours: whoever brings it hears of what happens from now on. */
function readPosition(given: string | string[] | undefined): number | undefined {
  return typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : undefined
}
