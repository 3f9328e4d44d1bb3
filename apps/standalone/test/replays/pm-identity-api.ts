/**
 * The document of pm-identity-api from top to bottom, as its caller would, with nothing changed but the base URLs: over HTTP, on
 * processes that were started without standalone.
 */
import { plantCanary, plantSecretsOf } from '@signet/testkit'
import type { Test } from 'tap'
import { type Replay, testCompleteness } from '../replay.ts'

/** What the issuer answers; the rest of the document is the administration's. */
const ofIssuer = /^(\/verify_password|\/users\/me\/|\/users\/password-reset\/)/

interface Sent {
  readonly token?: string | undefined
  readonly bearer?: string
  readonly body?: unknown
  readonly form?: FormData
  readonly params?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}
interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what came over the wire
  readonly body: any
}

const founder = { email: 'founder@acme.example', password: 'a long walk to the station' }

const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

function formOf(field: string, bytes: Uint8Array): FormData {
  const form = new FormData()
  form.append(field, new Blob([new Uint8Array(bytes)], { type: 'image/png' }), 'picture.png')
  return form
}

/** @param setupToken makes the first administrator */
export function walkPmIdentityApi(t: Test, replay: Replay, setupToken: string): void {
  const { walked, readMail } = replay
  const { iam, admin } = replay.addresses
  // A proxy on this machine makes everybody local, so that behind one nobody is, and the first administrator takes the token.
  const isBehindProxy = iam === admin
  const atTheMachine: Sent = isBehindProxy ? { bearer: setupToken } : {}

  async function call(
    method: string,
    route: string,
    { token, bearer, body, form, params = {}, headers }: Sent = {},
  ): Promise<Answer> {
    walked.add(`${method} ${route}`)
    const path = route.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? `{${name}}`)
    const response = await fetch(`${ofIssuer.test(path) ? iam : admin}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { cookie: `access_token=${token}` }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(form === undefined ? (body === undefined ? {} : { body: JSON.stringify(body) }) : { body: form }),
    })
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    const answer = isJson ? await response.json() : Buffer.from(await response.arrayBuffer())
    if (isJson) plantSecretsOf(answer)
    return { status: response.status, headers: response.headers, body: answer }
  }

  t.test('system endpoints', async t => {
    t.match(await call('GET', '/health'), {
      status: 200,
      body: {
        status: 'healthy',
        service: String,
        timestamp: String,
        version: String,
        environment: 'local',
        checks: { database: { healthy: true, message: String, response_time_ms: Number } },
      },
    })
    const { version } = (await call('GET', '/version')).body
    t.match(version, /^\d+\.\d+\.\d+$/)
    t.equal((await call('GET', '/config')).status, 401)
  })

  t.test('init-db', async t => {
    t.same((await call('GET', '/init-db')).body, { initialized: false })
    await t.test('is nobody else’s but of whoever sits at the machine or has the token', async t => {
      const headers = { 'x-forwarded-for': '203.0.113.7' }
      for (const sent of isBehindProxy ? [{ headers }, {}] : [{ headers }])
        t.match(await call('POST', '/init-db', { body: {}, ...sent }), { status: 401, body: { message: String } })
    })
    t.match(await call('POST', '/init-db', { ...atTheMachine, body: { company: { name: 'Acme' } } }), {
      status: 400,
      body: { message: "'company' and 'user' data are required." },
    })
    t.match(await call('POST', '/init-db', { ...atTheMachine, body: { company: {}, user: { email: 'x' } } }), {
      status: 400,
      body: { message: 'Validation error', errors: { 'company.name': [String], 'user.password': [String] } },
    })
    const made = await call('POST', '/init-db', {
      bearer: setupToken,
      body: {
        company: { name: 'Acme Mobility', description: 'Charges what drives', unknown: 1 },
        organization_unit: { name: 'Head office' },
        position: { title: 'Director' },
        user: { ...founder, first_name: 'Ada', last_name: 'Lovelace' },
      },
    })
    t.match(made, {
      status: 201,
      body: {
        company: { name: 'Acme Mobility', description: 'Charges what drives', website: null },
        organization_unit: { name: 'Head office', parent_id: null, level: 0 },
        position: { title: 'Director', organization_unit_id: made.body.organization_unit?.id },
        user: { email: founder.email, first_name: 'Ada', company_id: made.body.company?.id, is_active: true },
      },
    })
    company = made.body.company.id
    people.set('founder', made.body.user.id)
    t.same((await call('GET', '/init-db')).body, { initialized: true })
    t.match(await call('POST', '/init-db', { body: {} }), {
      status: 403,
      body: { message: 'Identity already initialized' },
    })
  })

  let company = ''
  /** The ids of those who were made. */
  const people = new Map<string, string>()
  const idOf = (name: string) => people.get(name) ?? 'nobody'

  /** The older system left tokens to a service beside it, which asked /verify_password; here they are of the issuer. */
  async function signIn(email: string, password: string): Promise<string> {
    const answer = await fetch(`${iam}/api/v1/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    })
    const tokens = (await answer.json()) as { access_token: string }
    plantSecretsOf(tokens)
    return tokens.access_token
  }

  const stranger = '0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b'
  const secret = 'seven quiet herons over'
  let token = ''

  t.test('users', async t => {
    token = await signIn(founder.email, founder.password)
    await t.test('are nobody’s without a token, by a cookie or a bearer', async t => {
      t.match(await call('GET', '/users'), { status: 401, body: { message: String } })
      t.match(await call('GET', '/users', { token: 'x.y.z' }), { status: 401, body: { message: String } })
      t.equal((await call('GET', '/users', { token })).status, 200)
      t.equal((await call('GET', '/users', { bearer: token })).status, 200)
      t.equal(
        (await call('POST', '/users', { token, body: {}, headers: { 'sec-fetch-site': 'cross-site' } })).status,
        403,
      )
    })
    await t.test('are created', async t => {
      const body = {
        email: 'Grace@Acme.example',
        password: secret,
        first_name: 'Grace',
        last_name: 'Hopper',
        phone_number: '+33 6 12 34 56 78',
        language: 'fr',
        company_id: company,
        unknown: true,
      }
      const made = await call('POST', '/users', { token, body })
      t.match(made, {
        status: 201,
        body: {
          email: 'grace@acme.example',
          first_name: 'Grace',
          last_name: 'Hopper',
          phone_number: '+33612345678',
          avatar_url: null,
          has_avatar: false,
          is_active: true,
          is_verified: false,
          language: 'fr',
          last_login_at: null,
          company_id: company,
          position_id: null,
          created_at: String,
          updated_at: String,
        },
      })
      t.notMatch(Object.keys(made.body), ['password'])
      people.set('grace', made.body.id)
      t.match(await call('POST', '/users', { token, body }), { status: 409, body: { message: String } })
      t.match(await call('POST', '/users', { token, body: { email: 'x', password: 'y' } }), {
        status: 400,
        body: { message: 'Validation error', errors: { email: [String] } },
      })
      t.match(await call('POST', '/users', { token, body: { ...body, email: 'a@b.example', company_id: stranger } }), {
        status: 403,
        body: { message: String },
      })
    })
    await t.test('are listed as a bare array, of the company alone', async t => {
      const { body } = await call('GET', '/users', { token })
      t.ok(Array.isArray(body))
      t.match(body, [{ id: idOf('grace') }, { id: idOf('founder'), first_name: 'Ada' }])
    })
    await t.test('are read', async t => {
      const params = { user_id: idOf('grace') }
      t.match(await call('GET', '/users/{user_id}', { token, params }), { status: 200, body: { id: params.user_id } })
      t.match(await call('GET', '/users/{user_id}', { token, params: { user_id: idOf('founder') } }), {
        status: 200,
        body: { email: founder.email, last_login_at: String, position_id: String, company_id: company },
      })
      t.match(await call('GET', '/users/{user_id}', { token, params: { user_id: stranger } }), {
        status: 404,
        body: { message: 'User not found' },
      })
      t.equal((await call('GET', '/users/{user_id}', { token, params: { user_id: 'x' } })).status, 400)
    })
    await t.test('are changed, wholly or in part', async t => {
      const params = { user_id: idOf('grace') }
      t.match(
        await call('PUT', '/users/{user_id}', { token, params, body: { first_name: 'Amazing', last_name: '' } }),
        {
          status: 200,
          body: { first_name: 'Amazing', last_name: null, language: 'fr' },
        },
      )
      const change = { last_name: 'Hopper', language: 'en', is_active: false, unknown: 1 }
      t.match(await call('PATCH', '/users/{user_id}', { token, params, body: change }), {
        status: 200,
        body: { first_name: 'Amazing', last_name: 'Hopper', language: 'en', is_active: false },
      })
      t.match(await call('PATCH', '/users/{user_id}', { token, params, body: { is_active: true } }), {
        body: { is_active: true },
      })
      t.match(await call('PATCH', '/users/{user_id}', { token, params, body: { phone_number: 'none' } }), {
        status: 400,
        body: { message: 'Validation error', errors: { phone_number: [String] } },
      })
      t.match(await call('PATCH', '/users/{user_id}', { token, params, body: { password: 'x' } }), {
        status: 400,
        body: { errors: { password: [String] } },
      })
      t.match(await call('PUT', '/users/{user_id}', { token, params, body: { email: founder.email } }), { status: 409 })
      t.equal((await call('PUT', '/users/{user_id}', { token, params: { user_id: stranger }, body: {} })).status, 404)
      t.equal((await call('PATCH', '/users/{user_id}', { token, params: { user_id: stranger }, body: {} })).status, 404)
    })
    await t.test('who may nothing hear 403', async t => {
      const mine = await signIn('grace@acme.example', secret)
      for (const [method, route] of [
        ['GET', '/users'],
        ['GET', '/companies'],
        ['GET', '/organization_units'],
        ['GET', '/positions'],
        ['GET', '/customers'],
        ['GET', '/subcontractors'],
        ['GET', '/config'],
      ] as const)
        t.match(await call(method, route, { token: mine }), { status: 403, body: {} }, route)
      t.match(await call('DELETE', '/users/{user_id}', { token: mine, params: { user_id: stranger } }), {
        status: 403,
        body: { message: String },
      })
    })
    await t.test('have their password verified', async t => {
      const verified = await call('POST', '/verify_password', {
        body: { email: 'grace@acme.example', password: secret },
      })
      t.match(verified, {
        status: 200,
        body: {
          valid: true,
          user: { id: idOf('grace'), company_id: company },
          id: idOf('grace'),
          last_login_at: String,
        },
      })
      t.match(await call('POST', '/verify_password', { body: { password: secret } }), {
        status: 400,
        body: { message: 'Email is required' },
      })
      t.match(await call('POST', '/verify_password', { body: { email: 'grace@acme.example' } }), {
        status: 400,
        body: { message: 'Password is required' },
      })
      for (const email of ['grace@acme.example', 'nobody@acme.example'])
        t.match(await call('POST', '/verify_password', { body: { email, password: 'wrong' } }), {
          status: 403,
          body: { message: 'User or password invalid' },
        })
    })
  })

  t.test('roles of a person', async t => {
    const native = { headers: { authorization: `Bearer ${token}` } }
    const { items } = (await (await fetch(`${admin}/admin/v1/roles`, native)).json()) as {
      items: { id: string; name: string }[]
    }
    const role = items.find(({ name }) => name === 'advisor')?.id
    const params = { user_id: idOf('grace'), role_id: '' }
    const before = await call('GET', '/users/{user_id}/roles', { token, params })
    t.match(before, { status: 200, body: { roles: [{ id: String, user_id: params.user_id, role_id: String }] } })
    t.match(await call('POST', '/users/{user_id}/roles', { token, params, body: {} }), {
      status: 400,
      body: { message: 'Role ID field is required' },
    })
    const made = await call('POST', '/users/{user_id}/roles', { token, params, body: { role_id: role } })
    t.match(made, { status: 201, body: { id: String, user_id: params.user_id, role_id: role } })
    t.match(await call('POST', '/users/{user_id}/roles', { token, params, body: { role_id: role } }), { status: 409 })
    t.match(await call('POST', '/users/{user_id}/roles', { token, params, body: { role_id: stranger } }), {
      status: 404,
      body: { message: 'Role not found' },
    })
    for (const role_id of [role ?? '', made.body.id])
      t.strictSame(
        (await call('GET', '/users/{user_id}/roles/{role_id}', { token, params: { ...params, role_id } })).body,
        made.body,
      )
    const withdraw = () =>
      call('DELETE', '/users/{user_id}/roles/{role_id}', { token, params: { ...params, role_id: made.body.id } })
    t.equal((await withdraw()).status, 204)
    t.match(await withdraw(), { status: 404, body: { message: 'Role not found' } })
    t.strictSame((await call('GET', '/users/{user_id}/roles', { token, params })).body, before.body)
    const founders = { params: { user_id: idOf('founder') } }
    t.match(await call('GET', '/users/{user_id}/roles', { token, ...founders }), { body: { roles: [{ id: String }] } })
    t.match(await call('GET', '/users/{user_id}/policies', { token, params }), { status: 200, body: { policies: [] } })
    t.match(await call('GET', '/users/{user_id}/permissions', { token, params }), {
      status: 200,
      body: { permissions: [] },
    })
  })

  t.test('avatars', async t => {
    const mine = await signIn('grace@acme.example', secret)
    const params = { user_id: idOf('grace') }
    const route = '/users/{user_id}/avatar'
    t.match(await call('GET', route, { token, params }), { status: 404, body: { message: 'User has no avatar' } })
    t.match(await call('POST', route, { token: mine, params, form: new FormData() }), {
      status: 400,
      body: { message: 'No avatar file provided' },
    })
    t.match(await call('POST', route, { token: mine, params, form: formOf('avatar', Buffer.from('no image')) }), {
      status: 400,
      body: { message: String },
    })
    t.equal((await call('POST', route, { token, params, form: formOf('avatar', pixel) })).status, 403, 'not another’s')
    t.equal((await call('POST', route, { params, form: formOf('avatar', pixel) })).status, 401)
    const sent = await call('POST', route, { token: mine, params, form: formOf('avatar', pixel) })
    t.match(sent, {
      status: 201,
      body: { message: 'Avatar uploaded successfully', file_id: String, avatar_file_id: String, has_avatar: true },
    })
    t.match((await call('GET', '/users/{user_id}', { token, params })).body, {
      has_avatar: true,
      avatar_url: `/users/${params.user_id}/avatar`,
    })
    const picture = await call('GET', route, { token, params })
    t.equal(picture.headers.get('content-type'), 'image/png')
    t.match(picture.body.subarray(1, 4).toString(), 'PNG')
    t.equal((await call('DELETE', route, { token, params })).status, 403)
    t.equal((await call('DELETE', route, { token: mine, params })).status, 204)
    t.equal((await call('DELETE', route, { token: mine, params })).status, 404)
    t.equal((await call('GET', '/users/{user_id}', { token, params })).body.has_avatar, false)
  })

  t.test('passwords', async t => {
    const email = 'grace@acme.example'
    const params = { user_id: idOf('grace') }

    await t.test('are reset by an administrator, and changed by their owner before anything else', async t => {
      const reset = await call('POST', '/users/{user_id}/admin-reset-password', { token, params })
      const temporary: string = reset.body.temporary_password
      t.match(reset, {
        status: 200,
        body: {
          message: 'Password reset successful',
          temporary_password: /^.{12,}$/,
          password_reset_required: true,
          note: 'User must change password on next login. This is the only time the temporary password will be shown.',
        },
      })
      plantCanary('temporary password', temporary)
      t.match(await call('POST', '/users/{user_id}/admin-reset-password', { token, params: { user_id: stranger } }), {
        status: 404,
        body: { message: 'User not found' },
      })
      const mine = await signIn(email, temporary)
      const change = (body: object) => call('PATCH', '/users/me/change-password', { token: mine, body })
      t.equal((await call('PATCH', '/users/me/change-password', { body: {} })).status, 401)
      t.match(await change({}), { status: 400, body: { message: 'current_password and new_password are required' } })
      t.match(await change({ current_password: 'wrong', new_password: 'eight calm swans below' }), {
        status: 400,
        body: { message: 'Current password is incorrect' },
      })
      t.match(await change({ current_password: temporary, new_password: 'short' }), {
        status: 400,
        body: { message: 'New password must be at least 8 characters' },
      })
      t.match(await change({ current_password: temporary, new_password: 'eight calm swans below' }), {
        status: 200,
        body: { message: 'Password changed successfully', password_reset_required: false },
      })
      t.type(await signIn(email, 'eight calm swans below'), 'string')
    })

    await t.test('are reset by a code that is mailed', async t => {
      const requested = 'If an account with this email exists, a password reset code has been sent.'
      for (const address of [email, 'nobody@acme.example', 'no address', undefined])
        t.match(await call('POST', '/users/password-reset/request', { body: { email: address } }), {
          status: 200,
          body: { message: requested },
        })
      const code = await readMail(email, /\b(\d{6})\b/)
      const confirm = (body: object) => call('POST', '/users/password-reset/confirm', { body })
      const right = { email, otp_code: code, new_password: 'nine bold cranes above' }
      t.match(await confirm({}), { status: 400, body: { message: 'email, otp_code, and new_password are required' } })
      t.match(await confirm({ ...right, otp_code: code === '000000' ? '111111' : '000000' }), {
        status: 400,
        body: { message: 'Invalid or expired OTP code' },
      })
      t.match(await confirm({ ...right, new_password: 'short' }), {
        status: 400,
        body: { message: 'New password must be at least 8 characters' },
      })
      t.match(await confirm(right), { status: 200, body: { message: 'Password reset successful' } })
      t.match(await confirm(right), { status: 400, body: { message: 'Invalid or expired OTP code' } })
      t.type(await signIn(email, right.new_password), 'string')
    })
  })

  t.test('companies', async t => {
    t.match(await call('GET', '/companies', { token }), { status: 200, body: [{ name: String }] })
    const params = { company_id: company }
    t.match(await call('GET', '/companies/{company_id}', { token, params }), { status: 200, body: { id: company } })
    t.match(await call('GET', '/companies/{company_id}', { token, params: { company_id: 'x' } }), { status: 400 })
    t.match(await call('GET', '/companies/{company_id}', { token, params: { company_id: stranger } }), {
      status: 404,
      body: { message: 'Company not found' },
    })
    const all = {
      name: 'Acme Energy',
      description: 'Charges what drives',
      website: 'https://acme.example',
      phone_number: '+33 1 23',
      email: 'contact@acme.example',
      address: '1 rue de la Paix',
      postal_code: '75002',
      city: 'Paris',
      country: 'France',
    }
    t.match(await call('PUT', '/companies/{company_id}', { token, params, body: all }), { status: 200, body: all })
    t.match(await call('PATCH', '/companies/{company_id}', { token, params, body: { city: null, website: '' } }), {
      status: 200,
      body: { ...all, city: null, website: null },
    })
    const other = await call('POST', '/companies', { token, body: { name: 'Globex', city: 'Lyon' } })
    t.match(other, { status: 201, body: { name: 'Globex', city: 'Lyon', logo_url: null, has_logo: false } })
    t.match(await call('POST', '/companies', { token, body: { name: 'Globex' } }), { status: 409 })
    t.match(await call('POST', '/companies', { token, body: {} }), {
      status: 400,
      body: { errors: { name: [String] } },
    })
    const gone = { company_id: other.body.id }
    t.equal((await call('DELETE', '/companies/{company_id}', { token, params: gone })).status, 204)
    t.equal((await call('DELETE', '/companies/{company_id}', { token, params: gone })).status, 404)
    t.match(await call('DELETE', '/companies/{company_id}', { token, params }), { status: 409 })
    const logo = '/companies/{company_id}/logo'
    t.match(await call('GET', logo, { token, params }), { status: 404, body: { message: 'Company has no logo' } })
    t.match(await call('POST', logo, { token, params, form: formOf('logo', pixel) }), {
      status: 201,
      body: { message: 'Logo uploaded successfully', file_id: String, has_logo: true },
    })
    t.equal((await call('GET', logo, { token, params })).headers.get('content-type'), 'image/png')
    t.equal((await call('DELETE', logo, { token, params })).status, 204)
  })

  /** The five things that are done with each kind of resource, and what each of them answers. */
  async function walkResource(
    t: Test,
    [path, id]: readonly [string, string],
    body: Readonly<Record<string, unknown>>,
    required: string,
    missing: string,
  ): Promise<string> {
    const one = `${path}/{${id}}`
    t.equal((await call('GET', path)).status, 401)
    const made = await call('POST', path, { token, body: { ...body, unknown: 1 } })
    t.match(made, { status: 201, body: { ...body, company_id: company } })
    t.match(await call('POST', path, { token, body: {} }), { status: 400, body: { errors: { [required]: [String] } } })
    t.equal((await call('POST', path, { token, body: { ...body, company_id: stranger } })).status, 403)
    const params = { [id]: made.body.id }
    t.ok((await call('GET', path, { token })).body.some((row: { id: string }) => row.id === made.body.id))
    t.strictSame((await call('GET', one, { token, params })).body, made.body)
    t.match(await call('PUT', one, { token, params, body: { ...body, [required]: 'Put' } }), {
      status: 200,
      body: { [required]: 'Put' },
    })
    t.match(await call('PATCH', one, { token, params, body: { [required]: 'Patched' } }), {
      status: 200,
      body: { ...body, [required]: 'Patched' },
    })
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const change = method === 'GET' || method === 'DELETE' ? {} : { body: {} }
      t.match(await call(method, one, { token, params: { [id]: stranger }, ...change }), {
        status: 404,
        body: { message: missing },
      })
      t.equal((await call(method, one, { token, params: { [id]: 'x' }, ...change })).status, 400)
    }
    t.equal((await call('DELETE', one, { token, params })).status, 204)
    t.equal((await call('GET', one, { token, params })).status, 404)
    return (await call('POST', path, { token, body })).body.id
  }

  t.test('organization units and positions', async t => {
    const unit = await walkResource(
      t,
      ['/organization_units', 'unit_id'],
      { name: 'Sales', description: 'Sells', parent_id: null },
      'name',
      'Organization unit not found',
    )
    const child = await call('POST', '/organization_units', { token, body: { name: 'North', parent_id: unit } })
    t.match(child.body, { parent_id: unit, level: 1, path: `${unit}/${child.body.id}` })
    t.match(await call('POST', '/organization_units', { token, body: { name: 'North', parent_id: unit } }), {
      status: 409,
    })
    const params = { unit_id: unit }
    t.match(await call('GET', '/organization_units/{unit_id}/children', { token, params }), { body: [child.body] })
    t.match(await call('DELETE', '/organization_units/{unit_id}', { token, params }), { status: 409 })

    const position = await walkResource(
      t,
      ['/positions', 'position_id'],
      { title: 'Head', description: 'Leads', level: 3, organization_unit_id: unit },
      'title',
      'Position not found',
    )
    const made = await call('POST', '/organization_units/{unit_id}/positions', {
      token,
      params,
      body: { title: 'Clerk' },
    })
    t.match(made, { status: 201, body: { title: 'Clerk', organization_unit_id: unit } })
    const listed = await call('GET', '/organization_units/{unit_id}/positions', { token, params })
    t.match(listed.body, [{ id: position }, { id: made.body.id }])
    t.match(await call('GET', '/organization_units/{unit_id}/positions', { token, params: { unit_id: stranger } }), {
      status: 404,
    })

    const grace = { user_id: idOf('grace') }
    const move = (position_id: string | null) =>
      call('PATCH', '/users/{user_id}', { token, params: grace, body: { position_id } })
    t.match(await move(position), { status: 200, body: { position_id: position } })
    const holders = () => call('GET', '/positions/{position_id}/users', { token, params: { position_id: position } })
    t.match(await holders(), { status: 200, body: [{ id: idOf('grace'), position_id: position }] })
    t.match(await call('DELETE', '/positions/{position_id}', { token, params: { position_id: position } }), {
      status: 409,
    })
    t.match(await move(stranger), { status: 404, body: { message: 'Position not found' } })
    t.match(await move(null), { status: 200, body: { position_id: null } })
    t.strictSame((await holders()).body, [])
  })

  t.test('customers and subcontractors', async t => {
    const contact = {
      name: 'Rivière',
      email: 'contact@riviere.example',
      contact_person: 'Jeanne',
      phone_number: '+33 1 23 45',
      address: '1 rue A',
    }
    await walkResource(t, ['/customers', 'customer_id'], contact, 'name', 'Customer not found')
    const described = { ...contact, description: 'Installs stations' }
    await walkResource(t, ['/subcontractors', 'subcontractor_id'], described, 'name', 'Subcontractor not found')
  })

  t.test('users are deleted', async t => {
    const params = { user_id: idOf('grace') }
    t.equal((await call('DELETE', '/users/{user_id}', { token, params })).status, 204)
    t.equal((await call('DELETE', '/users/{user_id}', { token, params })).status, 404)
    t.match(await call('POST', '/verify_password', { body: { email: 'grace@acme.example', password: secret } }), {
      status: 403,
    })
    t.match(await call('GET', '/config', { token }), {
      status: 200,
      body: { env: 'local', debug: false, database_url: 'postgresql://***' },
    })
  })

  testCompleteness(t, replay, ['pm-identity-api', 51], text =>
    [...text.matchAll(/^\| (GET|POST|PUT|PATCH|DELETE) +\| `?(\/[^\s|`]*)`? +\|/gm)].map(
      ([, method, path]) => `${method} ${path}`,
    ),
  )
}

/** After the walk, at an administration whose storage is switched off. */
export async function walkWithoutStorage(t: Test, { iam, addresses }: Replay): Promise<void> {
  const { body: tokens } = await iam('POST', '/api/v1/tokens', { body: founder })
  const { body: me } = await iam('GET', '/api/v1/me', { token: tokens.access_token })
  for (const method of ['GET', 'POST', 'DELETE']) {
    const answer = await fetch(`${addresses.admin}/users/${me.id}/avatar`, {
      method,
      headers: { cookie: `access_token=${tokens.access_token}` },
      ...(method === 'POST' ? { body: formOf('avatar', pixel) } : {}),
    })
    t.match(
      { status: answer.status, body: await answer.json() },
      { status: 503, body: { message: 'Storage Service disabled' } },
    )
  }
}
