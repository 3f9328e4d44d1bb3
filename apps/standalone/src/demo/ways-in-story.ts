/** The other ways in: a code by mail, a lost password, and an advisor who opens a door for a client. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Addresses } from '../addresses.ts'
import type { FirstAdmin } from '../credentials-file.ts'
import type { Step } from '../steps.ts'
import { type Answer, callApi, textOf } from './call.ts'

export async function tellWaysIn(
  { iam, admin }: Addresses,
  outbox: string,
  first: FirstAdmin,
  step: Step,
): Promise<void> {
  const email = `noor-${randomBytes(4).toString('hex')}@example.com`
  const password = `amber ferry ${randomBytes(6).toString('hex')}`
  const post = (path: string, body: object, expect: number, token?: string) =>
    callApi('POST', `${iam}${path}`, { body, expect, ...(token === undefined ? {} : { token }) })
  const administer = (method: string, path: string, token: string, expect: number, body?: object) =>
    callApi(method, `${admin}/admin/v1${path}`, { token, expect, ...(body === undefined ? {} : { body }) })

  const person = await step('somebody new asks for a code, reads it in the mail and is signed in', async () => {
    await post('/api/v1/otp/requests', { email }, 202)
    return post('/api/v1/otp/verifications', { email, code: await codeFor(outbox, email) }, 200)
  })
  await step('a lost password: the code by mail sets a new one', async () => {
    const seen = (await messagesTo(outbox, email)).length
    await post('/api/v1/password-resets', { email }, 200)
    const code = await codeFor(outbox, email, seen)
    await post('/api/v1/password-resets/confirm', { email, code, new_password: password }, 200)
  })
  await step('which ended the session before it', () =>
    post('/api/v1/tokens/refresh', { refresh_token: textOf(person, 'refresh_token') }, 401),
  )
  await step('and signs in', () => post('/api/v1/tokens', { email, password }, 200))

  const staff = textOf(
    await post('/api/v1/tokens', { email: first.email, password: first.password }, 200),
    'access_token',
  )
  const advisor = { email: `ines-${randomBytes(4).toString('hex')}@example.com`, password }
  const [advisorId, clientId] = await step('the administrator makes an advisor and gives them a client', async () => {
    const id = textOf(await administer('POST', '/users', staff, 201, advisor), 'id')
    const client = idOf(await administer('GET', `/users?q=${encodeURIComponent(email)}`, staff, 200))
    const role = idOf(await administer('GET', '/roles?q=advisor', staff, 200))
    await administer('PUT', `/users/${id}/roles/${role}`, staff, 204)
    await administer('PUT', `/advisors/${id}/clients/${client}`, staff, 204)
    return [id, client]
  })
  const key = await step('the advisor makes a token for the client', async () => {
    const token = textOf(await post('/api/v1/tokens', advisor, 200), 'access_token')
    return textOf(await post('/api/v1/advisor/client-tokens', { user_id: clientId }, 201, token), 'token')
  })
  await step('it opens one session, which says who acts in it', async () => {
    const opened = await post('/auth/client-token', { token: key }, 200)
    const claims = textOf(opened, 'access_token').split('.')[1] ?? ''
    const { sub, act } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
      sub: string
      act?: { sub: string }
    }
    if (sub !== clientId || act?.sub !== advisorId)
      throw new Error('The token does not name the client and the advisor.')
  })
  await step('and no second one', () => post('/auth/client-token', { token: key }, 401))
}

function idOf(page: Answer): string {
  const [item] = page['items'] as Answer[]
  if (item === undefined) throw new Error(`Nothing is listed: ${JSON.stringify(page)}`)
  return textOf(item, 'id')
}

const mailTimeoutMs = 10_000

/** The code of the newest of more than `seen` messages to an address, which is sent within moments. */
export async function codeFor(outbox: string, to: string, seen = 0): Promise<string> {
  const deadline = performance.now() + mailTimeoutMs
  for (;;) {
    const messages = await messagesTo(outbox, to)
    const code = messages.length > seen ? /\b\d{6}\b/.exec(messages.at(-1)?.text ?? '')?.[0] : undefined
    if (code !== undefined) return code
    if (performance.now() > deadline) throw new Error(`No code for ${to} has come to ${outbox}.`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

interface Mail {
  readonly to: string
  readonly text: string
  readonly created_at: string
}

async function messagesTo(outbox: string, to: string): Promise<Mail[]> {
  const names = await readdir(outbox).catch(() => [])
  const all = await Promise.all(
    names
      .filter(name => name.endsWith('.json'))
      .map(async name => JSON.parse(await readFile(join(outbox, name), 'utf8')) as Mail),
  )
  return all.filter(mail => mail.to === to).toSorted((a, b) => a.created_at.localeCompare(b.created_at))
}
