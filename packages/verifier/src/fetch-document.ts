// One JSON document from one address, or an error: no redirect is followed (the set must come from where the operator
// said), no more than `maxBytes` are read, and everything together takes at most `timeoutMs`.

const maxBytes = 65_536
const jsonType = /^application\/(?:jwk-set\+)?json\s*(?:;|$)/i

export interface DocumentRequest {
  readonly uri: string
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  /** Ends the request early. */
  readonly signal: AbortSignal
}

/** Fetches and parses a JSON document. Rejects with an Error that says what was wrong with the answer. */
export async function fetchDocument(request: DocumentRequest): Promise<unknown> {
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

async function readDocument(request: DocumentRequest, signal: AbortSignal): Promise<unknown> {
  const response = await request.fetch(request.uri, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal,
  })
  if (response.redirected) throw new Error('The answer was redirected.')
  if (response.status !== 200) throw new Error(`The answer has status ${response.status}.`)
  if (!jsonType.test(response.headers.get('content-type') ?? '')) throw new Error('The answer is not JSON.')
  if (response.body === null) throw new Error('The answer has no body.')
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.length
    if (length > maxBytes) throw new Error(`The answer is longer than ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
