/** Who asks for codes and tells them, and what the tests of codes look at. */
import type { UserId } from '@signet/kernel'
import { type Answer, password, type TestApp } from './test-app.ts'

export interface Device {
  readonly ip: string
  readonly agent: string
}
export const home: Device = { ip: '192.0.2.10', agent: 'the device at home' }
export const stranger: Device = { ip: '198.51.100.7', agent: 'a stranger' }

type Contact = { readonly email: string } | { readonly phone: string }

export function createCodeCallers(a: TestApp) {
  const send = async (url: string, payload: object, { ip, agent }: Device): Promise<Answer> => {
    const headers = { 'user-agent': agent }
    const answer = await a.app.inject({ method: 'POST', url, payload, headers, remoteAddress: ip })
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: answer.json() }
  }
  const ask = (contact: object, device = home) => send('/api/v1/otp/requests', contact, device)
  const tell = (contact: object, code: string, device = home, extra: object = {}) =>
    send('/api/v1/otp/verifications', { ...contact, code, ...extra }, device)
  const register = async (person: object, device = home): Promise<UserId> => {
    const answer = await send('/api/v1/users', { password, ...person }, device)
    if (answer.status !== 201) throw new Error(answer.text)
    return answer.body.id
  }
  const addressOf = (contact: Contact) => ('email' in contact ? contact.email : contact.phone)
  const codeOf = (contact: Contact) => a.codeFor(addressOf(contact))
  const getCode = async (contact: Contact, device = home): Promise<string> => {
    await ask(contact, device)
    return codeOf(contact)
  }
  /** Another one. */
  const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  const isInvalid = (answer: Answer) => answer.status === 400 && answer.body.code === 'invalid-code'
  const claimsOf = (answer: Answer) =>
    JSON.parse(Buffer.from(answer.body.access_token.split('.')[1], 'base64url').toString())

  /** So much later, for everything that limits requests. */
  const wait = (interval: string) =>
    a.asOwner(sql => sql`update account_counters set window_started_at = window_started_at - ${interval}::interval`)
  const queued = async (contact: Contact) =>
    (await a.messagesTo(addressOf(contact))).filter(({ status }) => status === 'queued').length
  const events = (action: string) =>
    a.asOwner(async sql => [
      ...(await sql<
        { after: Record<string, string>; target_id: string | null; tenant_id: string; ip: string; user_agent: string }[]
      >`
        select after, target_id, tenant_id, ip, user_agent from audit_events where action = ${action} order by at, id`),
    ])
  const lastReason = async () => (await events('code.refused')).at(-1)?.after['reason']
  const personOf = (id: string) =>
    a.asOwner(async sql => (await sql`select * from users where id = ${id}`)[0] as Record<string, unknown>)
  const challengeOf = (destination: string) =>
    a.asOwner(async sql => (await sql`select * from otp_challenges where destination = ${destination}`)[0])
  const failuresOf = (subject: string) =>
    a.asOwner(
      async sql =>
        (await sql`select failures from account_counters where subject = ${subject} and kind = 'code'`)[0]?.failures,
    )

  /** What differs from one request to the next, and nothing else. */
  const withoutIds = ({ status, headers, text }: Answer): string => {
    const own = new Set(['date', 'x-request-id', 'ratelimit-remaining', 'ratelimit-reset'])
    const kept = Object.entries(headers).filter(([name]) => !own.has(name))
    return JSON.stringify([status, kept, text.replace(/urn:uuid:[\w-]+/, '')])
  }
  const pool = a.database.db.pool
  const acquire = pool.acquire.bind(pool)
  let statements = 0
  Object.assign(pool, {
    acquire: () => {
      statements += 1
      return acquire()
    },
  })
  const counting = async (work: () => Promise<Answer>): Promise<string> => {
    const before = statements
    const answer = await work()
    return `${statements - before} ${withoutIds(answer)}`
  }

  return {
    send,
    ask,
    tell,
    register,
    addressOf,
    codeOf,
    getCode,
    wrong,
    isInvalid,
    claimsOf,
    wait,
    queued,
    events,
    lastReason,
    personOf,
    challengeOf,
    failuresOf,
    withoutIds,
    counting,
  }
}
