// Listens to what an issuer says (server-sent events, HTML Living Standard section 9.2): connects again, with a growing and
// random pause, whenever the stream ends or has been silent for too long.

export interface EventStreamOptions {
  readonly url: string
  readonly fetch: typeof fetch
  readonly serviceKey: string | undefined
  /** Aborted when the verifier is closed. */
  readonly closing: AbortSignal
  /** Connected, for the first time or again: what came before may have been missed. */
  readonly opened: () => void
  /** The data of an event, as it was sent. */
  readonly received: (event: string, data: string) => void
}

/** Three heartbeats of the issuer. */
const silenceMs = 45_000
/** A stream that ends sooner was none: who cuts it, or answers something else, is not asked again at once. */
const settledMs = 10_000
const maxPauseMs = 30_000
const maxLineChars = 65_536

/** Never rejects; ends when the verifier is closed. */
export async function listenToEvents(options: EventStreamOptions): Promise<void> {
  const { closing } = options
  const place: Place = { lastEventId: undefined, retryMs: 1_000 }
  for (let failures = 0; !closing.aborted; failures++) {
    const startedAt = performance.now()
    await followStream(options, place)
    // It ended because of a restart: then everybody comes back soon, but not at the same moment.
    if (performance.now() - startedAt > settledMs) failures = 0
    await pause(Math.random() * Math.min(place.retryMs * 2 ** Math.min(failures, 10), maxPauseMs), closing)
  }
}

interface Place {
  lastEventId: string | undefined
  retryMs: number
}

/** Until it ends, or at once where it cannot be opened. */
async function followStream(options: EventStreamOptions, place: Place): Promise<void> {
  const { closing, fetch, opened, received, serviceKey, url } = options
  const controller = new AbortController()
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  const abort = () => {
    controller.abort()
    // A given fetch that does not honour the signal is hung up on all the same.
    reader?.cancel().catch(() => undefined)
  }
  closing.addEventListener('abort', abort, { once: true })
  let silence = setTimeout(abort, silenceMs)
  try {
    const response = await fetch(url, {
      headers: {
        accept: 'text/event-stream',
        ...(serviceKey !== undefined && { 'x-api-key': serviceKey }),
        ...(place.lastEventId !== undefined && { 'last-event-id': place.lastEventId }),
      },
      redirect: 'error',
      signal: controller.signal,
    })
    const type = response.headers.get('content-type') ?? ''
    if (response.status !== 200 || response.body === null || !type.startsWith('text/event-stream')) return
    reader = response.body.getReader()
    const decoder = new TextDecoder()
    const parser = new EventParser(place, received)
    opened()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(silence)
      silence = setTimeout(abort, silenceMs)
      parser.take(decoder.decode(value, { stream: true }))
    }
  } catch {
    // Whatever it was, the next attempt tells.
  } finally {
    clearTimeout(silence)
    closing.removeEventListener('abort', abort)
    controller.abort()
  }
}

/** Lines to events. Lines end with LF, CR or both; a comment says only that the issuer is there. */
class EventParser {
  readonly #place: Place
  readonly #received: EventStreamOptions['received']
  #rest = ''
  #event = ''
  #data = ''

  constructor(place: Place, received: EventStreamOptions['received']) {
    this.#place = place
    this.#received = received
  }

  take(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > maxLineChars) throw new Error('The issuer sends lines without an end.')
    for (const line of lines) this.#takeLine(line)
  }

  #takeLine(line: string): void {
    if (line === '') {
      if (this.#data !== '') this.#received(this.#event, this.#data)
      this.#event = ''
      this.#data = ''
      return
    }
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#data += this.#data === '' ? value : `\n${value}`
    else if (field === 'id') this.#place.lastEventId = value
    else if (field === 'retry' && /^\d{1,6}$/.test(value)) this.#place.retryMs = Number(value)
  }
}

function pause(ms: number, closing: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    closing.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
