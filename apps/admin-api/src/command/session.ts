/** Where the administration is, and a token for it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommonOptions } from './options.ts'

export interface Session {
  readonly adminUrl: string
  readonly token: string
}

/** Something that whoever runs the command can mend. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
}

interface FirstAdmin {
  readonly email: string
  readonly password: string
  readonly tenant_id?: string
  readonly iam_url?: string
  readonly admin_url?: string
}

/** @throws CommandFailure */
export async function openSession(
  options: CommonOptions,
  { token: given, home }: { readonly token: string | undefined; readonly home: string },
): Promise<Session> {
  const path = join(home, 'first-admin.json')
  const admin = await readFirstAdmin(path)
  const iamUrl = options.iamUrl ?? admin?.iam_url ?? 'http://localhost:4000'
  const adminUrl = options.adminUrl ?? admin?.admin_url ?? 'http://localhost:4001'
  const own = options.token ?? given
  if (own !== undefined) return { adminUrl, token: await enter(iamUrl, own, options.tenant) }
  if (admin === undefined) throw new CommandFailure(`Give --token or SIGNET_TOKEN: there is no ${path}.`)
  const { email, password } = admin
  const { access_token } = await post(`${iamUrl}/api/v1/tokens`, { email, password })
  return { adminUrl, token: await enter(iamUrl, String(access_token), options.tenant ?? admin.tenant_id) }
}

async function enter(iamUrl: string, token: string, tenant: string | undefined): Promise<string> {
  if (tenant === undefined) return token
  const { access_token } = await post(`${iamUrl}/api/v1/tokens/tenant`, { tenant_id: tenant }, token)
  return String(access_token)
}

async function readFirstAdmin(path: string): Promise<FirstAdmin | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CommandFailure(`${path} cannot be read: ${(error as Error).message}`)
  }
  try {
    return JSON.parse(text) as FirstAdmin
  } catch {
    throw new CommandFailure(`${path} is not JSON.`)
  }
}

async function post(url: string, body: object, token?: string): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : bearer(token)) }
  const answer = await reach(url, () => fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }))
  if (!answer.ok) throw new CommandFailure(describeRefusal(url, answer.status, await answer.text()))
  return (await answer.json()) as Record<string, unknown>
}

export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` }
}

/** @throws CommandFailure where nobody answers */
export async function reach<T>(url: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    const { message, cause } = error as Error
    const why = cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : message
    throw new CommandFailure(`${new URL(url).origin} does not answer (${why}). Is it running?`)
  }
}

/** In the words of the problem document, where there is one. */
export function describeRefusal(url: string, status: number, text: string): string {
  const { pathname } = new URL(url)
  try {
    const { title, detail } = JSON.parse(text) as { title?: string; detail?: string }
    return `${pathname} answered ${status}: ${title ?? ''}. ${detail ?? ''}`
  } catch {
    return `${pathname} answered ${status}.`
  }
}
