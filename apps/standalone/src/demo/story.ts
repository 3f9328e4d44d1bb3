/** From the first sign-in to the last: what an administrator and a person do with Signet, over HTTP alone. */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Addresses } from '../addresses.ts'
import type { FirstAdmin } from '../credentials-file.ts'
import type { Step } from '../steps.ts'
import { callApi, textOf } from './call.ts'

export async function tellStory({ iam, admin, places }: Addresses, first: FirstAdmin, step: Step): Promise<void> {
  const run = randomBytes(4).toString('hex')
  const person = { email: `mara-${run}@example.com`, password: `copper lantern ${randomBytes(6).toString('hex')}` }
  const signIn = (who: { email: string; password: string }) =>
    callApi('POST', `${iam}/api/v1/tokens`, { body: { email: who.email, password: who.password }, expect: 200 })
  const administer = (method: string, path: string, token: string, expect: number, body?: object) =>
    callApi(method, `${admin}/admin/v1${path}`, { token, expect, ...(body === undefined ? {} : { body }) })

  const staff = await step('the administrator signs in', async () => textOf(await signIn(first), 'access_token'))
  const tenant = await step('creates a tenant', async () =>
    textOf(await administer('POST', '/tenants', staff, 201, { name: `Tenant ${run}`, slug: `tenant-${run}` }), 'id'),
  )
  const inside = await step('enters it', async () => {
    const body = { tenant_id: tenant }
    return textOf(
      await callApi('POST', `${iam}/api/v1/tokens/tenant`, { token: staff, body, expect: 200 }),
      'access_token',
    )
  })
  const role = await step('creates a role that holds places:read', async () =>
    textOf(await administer('POST', '/roles', inside, 201, { name: 'reader', permissions: ['places:read'] }), 'id'),
  )
  const user = await step('creates a person', async () =>
    textOf(await administer('POST', '/users', inside, 201, person), 'id'),
  )

  const tokens = await step('the person signs in', () => signIn(person))
  await step('places answers 403, with the reason', async () => {
    const token = textOf(tokens, 'access_token')
    const refusal = await callApi('GET', `${places}/places`, { token, expect: 403 })
    if (!textOf(refusal, 'detail').includes('places:read')) throw new Error(`No reason in ${JSON.stringify(refusal)}`)
  })
  await step('the administrator adds the role', () => administer('PUT', `/users/${user}/roles/${role}`, inside, 204))
  const renewed = await step('the person refreshes', () =>
    callApi('POST', `${iam}/api/v1/tokens/refresh`, {
      body: { refresh_token: textOf(tokens, 'refresh_token') },
      expect: 200,
    }),
  )
  await step('places answers 200 to the new token', () =>
    callApi('GET', `${places}/places?limit=1`, { token: textOf(renewed, 'access_token'), expect: 200 }),
  )
  await step('the administrator suspends the person', () => administer('POST', `/users/${user}/suspend`, inside, 200))
  await step('within a second places refuses the token, which has not expired', async () => {
    const deadline = performance.now() + 1_000
    for (;;) {
      try {
        return await callApi('GET', `${places}/places`, { token: textOf(renewed, 'access_token'), expect: 401 })
      } catch (error) {
        if (performance.now() > deadline) throw error
        await pause(20)
      }
    }
  })
  await step('a refresh is refused', () =>
    callApi('POST', `${iam}/api/v1/tokens/refresh`, {
      body: { refresh_token: textOf(renewed, 'refresh_token') },
      expect: 401,
    }),
  )
}
