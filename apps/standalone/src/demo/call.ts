/** One JSON request, and an error that shows the answer when it is not the one that was expected. */

export interface Call {
  readonly token?: string
  readonly body?: object
  /** The status that is right. */
  readonly expect: number
}

/** The members of an answer; a missing one is undefined and is found out where it is used. */
export type Answer = Readonly<Record<string, unknown>>

const timeoutMs = 10_000

/** @throws Error that holds status and body of an answer that was not expected */
export async function callApi(method: string, url: string, { token, body, expect }: Call): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const text = await response.text()
  if (response.status !== expect) {
    throw new Error(`${method} ${url} answered ${response.status} instead of ${expect}: ${text.slice(0, 500)}`)
  }
  return text === '' ? {} : (JSON.parse(text) as Answer)
}

/** @throws Error when the member is not a text */
export function textOf(answer: Answer, member: string): string {
  const value = answer[member]
  if (typeof value !== 'string') throw new Error(`The answer has no text "${member}": ${JSON.stringify(answer)}`)
  return value
}
