/**
 * Server-sent events (HTML Standard section 9.2) to as many verifiers as one process bears. Every wait ends: whoever reads too
 * slowly is cut, whoever comes when all places are taken is told to come back, and a stop ends all of them at once. A heartbeat
 * says that the database is listened to: where it is not, streams end, so that verifiers go and fetch lists.
 */
import type { ServerResponse } from 'node:http'
import { problem } from '@signet/kernel'
import type { StreamLimits } from '../../deps.ts'

/** What a stream needs of a request. */
export interface Reader {
  /** Who shares a limit with whom; undefined for services, which share networks with each other. */
  readonly network: string | undefined
  /** Services alone hear of bundles. */
  readonly hearsBundles: boolean
}

export const streamLimits: StreamLimits = {
  mostStreams: 2_000,
  mostPerNetwork: 200,
  mostBufferedBytes: 1_048_576,
  mostBehindMs: 5_000,
  heartbeatMs: 15_000,
}

export interface Streams {
  /** @throws Problem `too-many-requests`, `too-many-listeners`, `not-ready` */
  admit(reader: Reader): Stream
  /** One event to all, or to those alone who hear of bundles. */
  send(event: StreamEvent, to: 'all' | 'services'): void
  count(): number
  /** Ends all of them, and admits nobody any more. */
  close(): void
}

/** A place that was taken. Until it is begun events wait for it; give it back where nothing comes of it. */
export interface Stream {
  begin(response: ServerResponse, headers: Readonly<Record<string, string>>, first: readonly StreamEvent[]): void
  leave(): void
}

export interface StreamEvent {
  readonly id: number
  readonly event: 'revoked' | 'keys' | 'bundle'
  readonly data: unknown
}

const comeBackSeconds = 5
/** About 16 kB, which is what a socket takes without a word. */
const eventsAtOnce = 150

export function createStreams(limits: StreamLimits, isLive: () => boolean): Streams {
  const streams = new Set<OpenStream>()
  const perNetwork = new Map<string, number>()
  let isClosed = false

  const heartbeat = setInterval(() => {
    if (!isLive()) endAll()
    else for (const stream of streams) write(stream, ': still here\n\n')
  }, limits.heartbeatMs)
  heartbeat.unref()

  /** Waits here rather than in the socket: the texts are shared by all who wait, and the socket would copy them. */
  function write(stream: OpenStream, text: string): void {
    stream.waiting.push(text)
    stream.waitingBytes += text.length
    flush(stream)
    // Many sessions may end at once: that is much to read for everybody. Slow is who stays behind.
    if (stream.waitingBytes <= limits.mostBufferedBytes) stream.behindSince = undefined
    else stream.behindSince ??= performance.now()
    if (performance.now() - (stream.behindSince ?? Infinity) <= limits.mostBehindMs) return
    leave(stream)
    stream.response?.destroy()
  }

  function flush(stream: OpenStream): void {
    const { response, waiting } = stream
    if (response === undefined || response.destroyed) return
    let taken = 0
    while (!response.writableNeedDrain && taken < waiting.length) {
      const part = waiting.slice(taken, taken + eventsAtOnce).join('')
      taken += eventsAtOnce
      stream.waitingBytes -= part.length
      response.write(part)
    }
    waiting.splice(0, taken)
  }

  function admit(reader: Reader): Stream {
    if (isClosed || !isLive()) throw problem('not-ready', undefined, { retryAfterSeconds: comeBackSeconds })
    if (streams.size >= limits.mostStreams) {
      throw problem('too-many-listeners', undefined, { retryAfterSeconds: comeBackSeconds })
    }
    const { network } = reader
    const taken = network === undefined ? 0 : (perNetwork.get(network) ?? 0)
    if (taken >= limits.mostPerNetwork) {
      throw problem('too-many-requests', undefined, { retryAfterSeconds: comeBackSeconds })
    }
    if (network !== undefined) perNetwork.set(network, taken + 1)
    const stream: OpenStream = { reader, response: undefined, waiting: [], waitingBytes: 0, behindSince: undefined }
    streams.add(stream)
    return {
      leave: () => leave(stream),
      begin(response, headers, first) {
        // Everything ended while this one was being prepared.
        if (!streams.has(stream)) {
          response.destroy()
          return
        }
        response.once('close', () => leave(stream)).on('error', () => leave(stream))
        response.on('drain', () => flush(stream))
        response.writeHead(200, headers)
        const later = stream.waiting.splice(0)
        stream.waitingBytes = 0
        stream.response = response
        for (const text of ['retry: 1000\n: what happens from now on\n\n', ...first.map(format), ...later]) {
          write(stream, text)
        }
      },
    }
  }

  function leave(stream: OpenStream): void {
    if (!streams.delete(stream)) return
    const { network } = stream.reader
    if (network === undefined) return
    const left = (perNetwork.get(network) ?? 1) - 1
    if (left > 0) perNetwork.set(network, left)
    else perNetwork.delete(network)
  }

  function endAll(): void {
    for (const stream of streams) {
      leave(stream)
      stream.response?.end()
    }
  }

  return {
    admit,
    send(event, to) {
      if (streams.size === 0) return
      const text = format(event)
      for (const stream of streams) if (to === 'all' || stream.reader.hearsBundles) write(stream, text)
    },
    count: () => streams.size,
    close() {
      isClosed = true
      clearInterval(heartbeat)
      endAll()
    },
  }
}

interface OpenStream {
  readonly reader: Reader
  response: ServerResponse | undefined
  readonly waiting: string[]
  waitingBytes: number
  /** When it began to have too much waiting for it. */
  behindSince: number | undefined
}

function format({ id, event, data }: StreamEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
