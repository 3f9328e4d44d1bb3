/** A company runs its people with the API alone: units, business accounts, a policy, and why a decision is as it is. */
import { randomBytes } from 'node:crypto'
import type { Addresses } from '../addresses.ts'
import type { FirstAdmin } from '../credentials-file.ts'
import type { Step } from '../steps.ts'
import { type Answer, callApi, textOf } from './call.ts'

export async function tellAdministration({ iam, admin }: Addresses, first: FirstAdmin, step: Step): Promise<void> {
  const run = randomBytes(4).toString('hex')
  const password = `willow harbour ${randomBytes(6).toString('hex')}`
  const signIn = async (email: string, secret = password) =>
    callApi('POST', `${iam}/api/v1/tokens`, { body: { email, password: secret }, expect: 200 })
  const call = (method: string, path: string, token: string, expect: number, body?: object) =>
    callApi(method, `${admin}${path}`, { token, expect, ...(body === undefined ? {} : { body }) })
  const made = async (token: string, path: string, body: object) =>
    textOf(await call('POST', `/admin/v1${path}`, token, 201, body), 'id')

  const staff = textOf(await signIn(first.email, first.password), 'access_token')
  const keeper = { email: `kofi-${run}@example.com`, password }
  await step('a company has a unit, a position, and somebody in it', async () => {
    const unit = await made(staff, '/org-units', { name: `Sales ${run}` })
    const position = await made(staff, '/positions', { title: 'Head of sales', org_unit_id: unit })
    const person = await made(staff, '/users', keeper)
    await call('PUT', `/admin/v1/positions/${position}/users/${person}`, staff, 204)
  })
  const role = await made(staff, '/roles', { name: `reader ${run}`, permissions: ['places:read'] })
  const client = await step('the administrator makes a client', async () => {
    const email = `client-${run}@example.com`
    return { email, id: await made(staff, '/clients', { email, password, role_ids: [role] }) }
  })
  const clientToken = textOf(await signIn(client.email), 'access_token')
  const below = await step('the client makes a sub-client', async () => {
    const email = `below-${run}@example.com`
    return { email, id: await made(clientToken, '/sub-clients', { email, password, role_ids: [role] }) }
  })
  await step('but hands on nothing that it lacks', async () => {
    const strong = await made(staff, '/roles', { name: `keeper ${run}`, permissions: ['users:delete'] })
    const body = { email: `strong-${run}@example.com`, role_ids: [strong] }
    await call('POST', '/admin/v1/sub-clients', clientToken, 403, body)
  })

  const ask = async () => {
    const subject = { type: 'user', id: below.id }
    const resource = { type: 'Place', id: '7', properties: { is_public: false } }
    const body = { subject, action: { name: 'places:read' }, resource, context: { explain: true } }
    return call('POST', '/access/v1/evaluation', staff, 200, body)
  }
  await step('may the sub-client read a place? Yes: by its role', async () => expectReason(await ask(), true, 'role'))
  const policy = await step('a policy forbids it what is not public', async () => {
    const source = [
      'forbid (principal in ?principal, action == Action::"places:read", resource is Place)',
      'when { !resource.is_public };',
    ].join('\n')
    const id = await made(staff, '/policies', { name: `public only ${run}`, source })
    await call('PUT', `/admin/v1/users/${below.id}/policies/${id}`, staff, 204)
    return id
  })
  await step('now it may not, and the answer names the policy and its line', async () => {
    const { policy: named, line } = expectReason(await ask(), false, 'forbid')
    if (line !== 1 || (named as Answer)['id'] !== policy) throw new Error('Another policy, or another line, is named.')
  })

  const tokens = await signIn(below.email)
  await step('the administrator suspends the client', () =>
    call('POST', `/admin/v1/clients/${client.id}/suspend`, staff, 200),
  )
  await step('which ends the sessions of its sub-clients', () =>
    callApi('POST', `${iam}/api/v1/tokens/refresh`, {
      body: { refresh_token: textOf(tokens, 'refresh_token') },
      expect: 401,
    }),
  )
}

/** @throws Error when the decision is another one, or its first reason is of another type */
function expectReason(answer: Answer, decision: boolean, type: string): Answer {
  const [reason] = ((answer['context'] as Answer | undefined)?.['reasons'] ?? []) as Answer[]
  if (answer['decision'] !== decision || reason?.['type'] !== type) {
    throw new Error(`Not the decision that was expected: ${JSON.stringify(answer)}`)
  }
  return reason
}
