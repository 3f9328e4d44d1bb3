/** The examples of the API reference, each sent as it stands by somebody who may; what has to exist beforehand is made here. */
import { inTenant } from '@signet/db'
import { type MembershipId, newId, type TenantId } from '@signet/kernel'
import { type ApiReference, type ExampleCall, listExampleCalls, listMisfits } from '@signet/testkit'
import t from 'tap'
import { createTokenCallers } from './client-token-callers.ts'
import { testApp, type Tokens } from './test-app.ts'

const serviceKey = 'a key of another service'
const a = await testApp(t, { deps: { serviceKeys: [serviceKey], adminEmail: 'ops@example.com' } })
const { claimsOf, giveRole, assign } = createTokenCallers(a)
const staff = await a.signIn(a.administrator.email)
const reference = a.app.swagger() as unknown as ApiReference
const calls = listExampleCalls(reference)

/** As the examples call her. */
const ada = { email: 'ada@example.com', username: 'ada', phone: '+919876543210' }
const password = 'correct horse battery staple'

/** What the test puts in the place of an example that has to be somebody's own, and how it shows who calls. */
interface Given {
  readonly params?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  readonly token?: string
  readonly cookie?: string
  readonly serviceKey?: true
}

/** Nobody has the names of the examples any more, and no code was asked for: the next example begins as the first did. */
const freeNames = () =>
  a.asOwner(async sql => {
    await sql`update users set email = id || '@example.test', username = null, phone = null`
    await sql`delete from otp_challenges`
    await sql`delete from account_counters where kind like '%.%'`
  })

async function makeAda(
  person: object = { email: ada.email, username: ada.username },
): Promise<Tokens & { id: string }> {
  const { id } = await a.register({ ...person, password })
  return { id, ...(await a.signIn(ada.username, { password })) }
}

const withToken = async (): Promise<Given> => ({ token: (await makeAda()).access_token })
const withCookie = async (): Promise<Given> => ({ cookie: `refresh_token=${(await makeAda()).refresh_token}` })
const withRefreshToken = async (): Promise<Given> => ({ body: { refresh_token: (await makeAda()).refresh_token } })
const withKey = async (): Promise<Given> => ({ serviceKey: true })
const asIs = async (): Promise<Given> => ({})
const withAccount = async (): Promise<Given> => (await makeAda(), {})

async function withCode(ask: string, ...members: readonly string[]): Promise<Given> {
  const { access_token: token } = await makeAda()
  await a.post(ask, { email: ada.email }, token)
  const code = await a.codeFor(ada.email)
  return { token, body: Object.fromEntries(members.map(member => [member, code])) }
}

async function asAdministrator(): Promise<Given> {
  const { id, access_token: token } = await makeAda()
  await giveRole(id, 'admin')
  await freeNames()
  return { token }
}

async function asAdvisor() {
  const advisor = await makeAda()
  await giveRole(advisor.id, 'advisor')
  await freeNames()
  const client = await makeAda()
  await assign(advisor.id, client.id)
  const made = await a.post('/api/v1/advisor/client-tokens', { user_id: client.id }, advisor.access_token)
  return { token: advisor.access_token, client, made: made.body }
}

/** Of a client or sub-client whose name is that of the examples. */
async function withBusinessAccount(kind: 'client' | 'sub_client'): Promise<Given> {
  const { id } = await makeAda()
  const parent = kind === 'client' ? null : (await a.register({ email: `${newId()}@example.test` })).id
  await inTenant(a.database.db, a.company, async ({ sql }) => {
    if (parent !== null) await sql`update users set kind = 'client' where id = ${parent}`
    await sql`update users set kind = ${kind}, parent_id = ${parent} where id = ${id}`
  })
  return {}
}

async function invite(): Promise<Given> {
  const { access_token: token } = await makeAda()
  await a.asOwner(sql => sql`update users set email_verified_at = now() where email = ${ada.email}`)
  const [tenant, id] = [newId<TenantId>(), newId<MembershipId>()]
  await inTenant(a.database.db, tenant, async ({ sql }) => {
    await sql`insert into tenants (id, slug, name) values (${tenant}, 'globex', 'Globex')`
    await sql`insert into memberships (tenant_id, id, invited_email, status) values (${tenant}, ${id}, ${ada.email}, 'invited')`
  })
  return { token, params: { id } }
}

async function withRefreshKey(): Promise<Given> {
  const { access_token: token } = await makeAda()
  await a.call('PUT', '/api/v1/me/refresh-key', { token, body: { key: 'seven quiet herons over the weir' } })
  return {}
}

/** For whoever's access token has expired. */
async function withSessionKey(key: string): Promise<Given> {
  const { access_token: token } = await makeAda()
  await a.call('POST', `/user/access/setrefreshkey/${key}`, { token })
  a.clock.shift(931_000)
  return { token }
}

/** Each operation, with what its example needs. One that is missing here fails the test. */
const needs: Readonly<Record<string, () => Promise<Given>>> = {
  'GET /livez': asIs,
  'GET /readyz': asIs,
  'GET /version': asIs,
  'GET /api/v1/healthcheck': asIs,
  'GET /.well-known/jwks.json': asIs,
  'GET /.well-known/public-key.pem': asIs,
  'GET /.well-known/oauth-authorization-server': asIs,
  'POST /api/v1/users': asIs,
  'POST /api/v1/tokens': withAccount,
  'POST /api/v1/otp/requests': asIs,
  'POST /api/v1/otp/verifications': () => withCode('/api/v1/otp/requests', 'code'),
  'POST /api/v1/tokens/refresh': withRefreshToken,
  'POST /api/v1/tokens/revoke': withRefreshToken,
  'POST /api/v1/tokens/tenant': async () => ({ ...(await withToken()), body: { tenant_id: a.company } }),
  'GET /api/v1/sessions': withToken,
  'DELETE /api/v1/sessions': withToken,
  'DELETE /api/v1/sessions/{id}': async () => {
    const { access_token: token } = await makeAda()
    return { token, params: { id: claimsOf(await a.signIn(ada.username, { password })).sid } }
  },
  'POST /api/v1/password-resets': withAccount,
  'POST /api/v1/password-resets/confirm': () => withCode('/api/v1/password-resets', 'code'),
  'GET /api/v1/me': withToken,
  'PATCH /api/v1/me': withToken,
  'PUT /api/v1/me/password': withToken,
  'POST /api/v1/me/contacts': withToken,
  'POST /api/v1/me/contacts/confirm': () => withCode('/api/v1/me/contacts', 'code'),
  'POST /api/v1/me/memberships/{id}/accept': invite,
  'PUT /api/v1/me/refresh-key': withToken,
  'DELETE /api/v1/me/refresh-key': withToken,
  'POST /api/v1/tokens/refresh-key': withRefreshKey,
  'GET /status-lists': asIs,
  'GET /status-lists/{id}': withAccount,
  'GET /bundles/{tid}': async () => ({ ...(await withToken()), params: { tid: a.company } }),
  'POST /api/v1/system-emails': withKey,
  'POST /api/v1/advisor/client-tokens': async () => {
    const { token, client } = await asAdvisor()
    return { token, body: { user_id: client.id } }
  },
  'GET /api/v1/advisor/client-tokens': asAdvisor,
  'DELETE /api/v1/advisor/client-tokens/{id}': async () => {
    const { token, made } = await asAdvisor()
    return { token, params: { id: made.id } }
  },
  'POST /auth/client-token': async () => ({ body: { token: (await asAdvisor()).made.token } }),
  'POST /oauth2/introspect': async () => ({ serviceKey: true, body: { token: (await makeAda()).access_token } }),
  'POST /oauth2/revoke': async () => ({ body: { token: (await makeAda()).access_token } }),
  // chat-auth
  'POST /register': asIs,
  'POST /token': withAccount,
  'POST /validate': withToken,
  // eng-identity
  'GET /': asIs,
  'POST /auth/request-otp': asIs,
  'POST /auth/verify-otp': () => withCode('/auth/request-otp', 'code', 'otp'),
  'POST /auth/refresh': withCookie,
  'POST /auth/logout': withCookie,
  'GET /auth/user': withToken,
  'POST /api/v1/advisor/request-client-token': async () => {
    const { token } = await asAdvisor()
    await freeNames()
    return { token }
  },
  'POST /api/v1/send-system-email': withKey,
  // pm-identity-api
  'POST /verify_password': withAccount,
  'PATCH /users/me/change-password': withToken,
  'POST /users/password-reset/request': withAccount,
  'POST /users/password-reset/confirm': () => withCode('/users/password-reset/request', 'otp_code'),
  // scalable-auth
  'POST /auth/otp/sendotp/{number}': asIs,
  'POST /auth/user/login/{number}/{otp}': async () => {
    await a.post(`/auth/otp/sendotp/${encodeURIComponent(ada.phone)}`, {})
    return { params: { otp: await a.codeFor(ada.phone) } }
  },
  'POST /auth/admin/create': async () => ({ token: staff.access_token }),
  'POST /auth/client/create': asAdministrator,
  'POST /auth/subclient/create': async () => {
    const { token = '' } = await asAdministrator()
    const { body } = await a.post('/auth/client/create', { username: 'ada-client', password }, token)
    return { token, body: { client_id: body.id } }
  },
  'POST /auth/admin/login': async () => {
    await giveRole((await makeAda()).id, 'admin')
    return {}
  },
  'POST /auth/client/login': () => withBusinessAccount('client'),
  'POST /auth/subclient/login': () => withBusinessAccount('sub_client'),
  'POST /user/access/setrefreshkey/{new_key}': withToken,
  'POST /user/access/regeneratetoken/{refresh_key}': () => withSessionKey('483920175564'),
}

/** It answers without an end, and is read by verifier-events.test.ts. */
const endless = 'GET /verifier/events'

function send({ method, path, params, query, body, contentType }: ExampleCall, given: Given) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(given.params?.[name] ?? params[name] ?? `{${name}}`),
  )
  const sent = given.body === undefined ? body : { ...(body as object), ...given.body }
  const isForm = contentType === 'application/x-www-form-urlencoded'
  return a.app.inject({
    method,
    url: filled,
    query,
    headers: {
      ...(given.token === undefined ? {} : { authorization: `Bearer ${given.token}` }),
      ...(given.cookie === undefined ? {} : { cookie: given.cookie }),
      ...(given.serviceKey === undefined ? {} : { 'x-api-key': serviceKey }),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    },
    ...(sent === undefined
      ? {}
      : { payload: isForm ? new URLSearchParams(sent as Record<string, string>).toString() : (sent as object) }),
  })
}

t.test('the table holds every operation', async t => {
  t.same([...Object.keys(needs), endless].toSorted(), calls.map(({ name }) => name).toSorted())
})

t.test('each example works, and is answered as the reference says', async t => {
  for (const call of calls.filter(({ name }) => name !== endless)) {
    await freeNames()
    const answer = await send(call, (await needs[call.name]?.()) ?? {})
    const found = { status: answer.statusCode, headers: answer.headers, text: answer.body }
    t.same(listMisfits(reference, call, found), [], call.name)
  }
})
