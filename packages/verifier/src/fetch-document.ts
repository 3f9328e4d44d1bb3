// One document from one address of the issuer, or an error: no redirect is followed (it must come from where the operator
// said), no more than `maxBytes` are read, and everything together takes at most `timeoutMs`.

export interface DocumentRequest {
  readonly uri: string
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  /** Ends the request early. */
  readonly signal: AbortSignal
  /** Media types, as in the header `Accept`; the first word of the answer's must be among them. */
  readonly accept: string
  readonly maxBytes: number
  /** The validator of what is held (RFC 9110 section 13.1.2) and whatever else the request shows. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface FetchedDocument {
  readonly text: string
  readonly etag: string | null
}

/** Fetches what is at an address of the issuer; undefined where what is held (`etag`) is still right. */
export type FetchIssuer = (
  uri: string,
  request: Pick<DocumentRequest, 'accept' | 'maxBytes' | 'headers'> & { readonly etag?: string | null },
) => Promise<FetchedDocument | undefined>

/** Undefined where the issuer answers 304. Rejects with an Error that says what was wrong with the answer. */
export async function fetchDocument(request: DocumentRequest): Promise<FetchedDocument | undefined> {
  const controller = new AbortController()
  const abort = () => controller.abort(request.signal.reason)
  const timer = setTimeout(
    () => controller.abort(new Error(`No answer within ${request.timeoutMs} ms.`)),
    request.timeoutMs,
  )
  request.signal.addEventListener('abort', abort, { once: true })
  if (request.signal.aborted) abort()
  try {
    // The race holds even against a given fetch that does not honour the signal.
    return await Promise.race([readDocument(request, controller.signal), rejectOnAbort(controller.signal)])
  } finally {
    clearTimeout(timer)
    request.signal.removeEventListener('abort', abort)
    controller.abort()
  }
}

async function readDocument(request: DocumentRequest, signal: AbortSignal): Promise<FetchedDocument | undefined> {
  const { accept, headers, maxBytes } = request
  const response = await request.fetch(request.uri, {
    headers: { ...headers, accept },
    redirect: 'error',
    signal,
  })
  if (response.redirected) throw new Error('The answer was redirected.')
  if (response.status === 304 && headers?.['if-none-match'] !== undefined) return undefined
  if (response.status !== 200) {
    throw Object.assign(new Error(`The answer has status ${response.status}.`), { status: response.status })
  }
  const [type = ''] = (response.headers.get('content-type') ?? '').toLowerCase().split(';')
  if (!accept.split(', ').includes(type.trim())) throw new Error(`The answer is not ${accept}.`)
  if (response.body === null) throw new Error('The answer has no body.')
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { text: text + decoder.decode(), etag: response.headers.get('etag') }
    length += value.length
    if (length > maxBytes) throw new Error(`The answer is longer than ${maxBytes} bytes.`)
    text += decoder.decode(value, { stream: true })
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
