/**
 * What other services of the installation know of an advisor. Whatever one of them does, the answer is there in time: all are asked
 * side by side, one deadline ends all of them, and one that is slow, endless, wrong or gone is `unavailable` while the others are heard.
 * The service key goes to the configured addresses alone: no redirect is followed.
 */
import { Agent, request } from 'undici'

/** `data` as the service sent it. Why there is none is for the log of that service, not for an advisor. */
export type ServiceAnswer =
  | { readonly status: 'ok'; readonly data: Readonly<Record<string, unknown>> }
  | { readonly status: 'unavailable' }

export interface ServiceClient {
  /** One answer for each service, within the deadline. Of an advisor without an address no service knows anything. */
  askAll(advisorEmail: string | null): Promise<Readonly<Record<string, ServiceAnswer>>>
  close(): Promise<void>
}

export interface ServiceClientOptions {
  /** Addresses without a slash at the end, by the names of the services. */
  readonly urls: Readonly<Record<string, string>>
  /** Shown to each of them as `x-api-key`. */
  readonly key: string | undefined
  readonly deadlineMs?: number
}

/** With what the database takes, the dashboard stays below two seconds. */
const defaultDeadlineMs = 1_500
const largestAnswerBytes = 1024 * 1024
const largestHeaderBytes = 16 * 1024
const connectionsAService = 8

/** What each is asked. Those that are not named here are asked for their own part of the dashboard. */
const paths: Readonly<Record<string, string>> = {
  lifecycle: '/api/v1/clients',
  billing: '/api/v1/tokens/balance',
}
const unavailable: ServiceAnswer = { status: 'unavailable' }
const ownPath = '/api/v1/dashboard'

export function createServiceClient({
  urls,
  key,
  deadlineMs = defaultDeadlineMs,
}: ServiceClientOptions): ServiceClient {
  const agent = new Agent({
    connections: connectionsAService,
    connect: { timeout: deadlineMs },
    headersTimeout: deadlineMs,
    bodyTimeout: deadlineMs,
    maxResponseSize: largestAnswerBytes,
    maxHeaderSize: largestHeaderBytes,
  })
  const headers = { accept: 'application/json', ...(key === undefined ? {} : { 'x-api-key': key }) }

  async function ask(name: string, url: string, email: string, signal: AbortSignal): Promise<ServiceAnswer> {
    const asking = `${url}${paths[name] ?? ownPath}?advisor_email=${encodeURIComponent(email)}`
    const answer = await request(asking, { dispatcher: agent, headers, signal })
    const type = String(answer.headers['content-type'] ?? '')
    if (answer.statusCode !== 200 || !/^application\/json\s*(;|$)/i.test(type)) {
      // The rest of it is not read: the connection ends.
      answer.body.on('error', () => undefined).destroy()
      return unavailable
    }
    const data: unknown = JSON.parse(await answer.body.text())
    const isObject = typeof data === 'object' && data !== null && !Array.isArray(data)
    return isObject ? { status: 'ok', data: { ...data } } : unavailable
  }

  return {
    askAll: async email => {
      const signal = AbortSignal.timeout(deadlineMs)
      // The deadline holds even where something does not listen to the signal.
      const late = new Promise<ServiceAnswer>(resolve =>
        signal.addEventListener('abort', () => resolve(unavailable), { once: true }),
      )
      const answers = await Promise.all(
        Object.entries(urls).map(async ([name, url]) => {
          if (email === null) return [name, unavailable] as const
          const asked = ask(name, url, email, signal).catch(() => unavailable)
          return [name, await Promise.race([asked, late])] as const
        }),
      )
      return Object.fromEntries(answers)
    },
    close: () => agent.destroy(),
  }
}
