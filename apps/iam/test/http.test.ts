import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { audience, issuer, password, testApp } from './test-app.ts'

const a = await testApp(t, { trustProxy: ['127.0.0.1'] })
const person = await a.register({ email: 'ada@example.com' })

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Record<
    string,
    { readonly content?: Record<string, { readonly schema?: { readonly properties?: Record<string, unknown> } }> }
  >
}
const { paths } = a.app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> }
const operations = Object.entries(paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${url}`, url, operation })),
)

t.test('H-01 nobody tells us who we are', async t => {
  const poisoned = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'gopher',
    'x-forwarded-port': '6666',
    'x-forwarded-prefix': '/evil.example',
    'x-original-url': '/evil.example',
    'x-host': 'evil.example',
    forwarded: 'host=evil.example;proto=gopher',
    origin: issuer,
  }
  const ask = (url: string, headers: Record<string, string> = {}, payload?: object) =>
    a.app.inject({ method: payload === undefined ? 'GET' : 'POST', url, headers, ...(payload && { payload }) })

  await t.test('metadata, keys and the API’s document are the same by whatever name we are called', async t => {
    for (const url of ['/.well-known/oauth-authorization-server', '/.well-known/jwks.json', '/openapi.json', '/']) {
      const [plain, answer] = [await ask(url), await ask(url, poisoned)]
      t.equal(answer.statusCode, plain.statusCode, url)
      const text = ({ body }: { body: string }) => body.replace(/urn:uuid:[\w-]+/, '')
      t.equal(text(answer), text(plain), url)
      t.notMatch(JSON.stringify(answer.headers), /evil|gopher/, url)
    }
    t.notMatch((await ask('/docs', poisoned)).headers.location ?? '', /evil|gopher/)
    const metadata = (await ask('/.well-known/oauth-authorization-server', poisoned)).json()
    t.equal(metadata.issuer, issuer)
  })
  await t.test('tokens name their issuer and audience as ever', async t => {
    const answer = await ask('/api/v1/tokens', poisoned, { email: 'ada@example.com', password })
    const [, payload = ''] = answer.json().access_token.split('.')
    t.match(JSON.parse(Buffer.from(payload, 'base64url').toString()), { iss: issuer, aud: audience, sub: person.id })
    t.notMatch(answer.body + JSON.stringify(answer.headers), /evil|gopher/)
  })
  await t.test('messages know nothing of the request', async t => {
    const answer = await ask('/api/v1/otp/requests', poisoned, { email: 'ada@example.com' })
    t.equal(answer.statusCode, 202)
    const [message] = await a.messagesTo('ada@example.com')
    t.match(message?.data, { code: /^\d{6}$/ })
    t.notMatch(JSON.stringify(message), /evil|gopher/)
  })
  await t.test('cookies are for the host that sets them, not for the one that was named', async t => {
    const body = { email: 'ada@example.com', password, cookies: true }
    const answer = await ask('/api/v1/tokens', poisoned, body)
    t.equal(answer.statusCode, 200)
    t.notMatch([answer.headers['set-cookie']].flat().join(), /evil|gopher|domain/i)
  })
})

t.test('H-04 no secret stands in an address but on the routes that compat.md lists', async t => {
  const compat = fileURLToPath(new URL('../docs/compat.md', import.meta.url))
  const listed = existsSync(compat) ? readFileSync(compat, 'utf8') : ''
  const secret = /token|code|otp|secret|password|key|credential|cookie|jwt/i
  const found = operations.filter(({ operation }) =>
    operation.parameters?.some(parameter => parameter.in !== 'header' && secret.test(parameter.name)),
  )
  for (const { url, name } of found) t.ok(listed.includes(url.split('{')[0] ?? url), name)
  t.ok(operations.length > 15)
})

t.test('H-04 no token is read from an address', async t => {
  const { access_token: token, refresh_token: refresh } = await a.signIn('ada@example.com')
  for (const name of ['access_token', 'token', 'authorization', 'bearer']) {
    const answer = await a.app.inject({ method: 'GET', url: `/api/v1/me?${name}=${token}` })
    t.match(answer.json(), { status: 401, code: 'missing-token' }, name)
  }
  const answer = await a.app.inject({ method: 'POST', url: `/api/v1/tokens/refresh?refresh_token=${refresh}` })
  t.match(answer.json(), { status: 401, code: 'invalid-refresh-token' })
})

t.test('H-04 every answer with tokens says no-store, and so does every refusal of one', async t => {
  const { access_token: token, refresh_token: refresh } = await a.signIn('ada@example.com')
  await a.post('/api/v1/otp/requests', { email: 'grace@example.com' })
  const administrator = await a.signIn(a.administrator.email)
  const asks: Record<string, () => ReturnType<typeof a.post>> = {
    'POST /api/v1/tokens': () => a.post('/api/v1/tokens', { email: 'ada@example.com', password }),
    'POST /api/v1/tokens/refresh': () => a.post('/api/v1/tokens/refresh', { refresh_token: refresh }),
    'POST /api/v1/tokens/tenant': () =>
      a.post('/api/v1/tokens/tenant', { tenant_id: a.company }, administrator.access_token),
    'POST /api/v1/otp/verifications': async () =>
      a.post('/api/v1/otp/verifications', { email: 'grace@example.com', code: await a.codeFor('grace@example.com') }),
  }
  const answering = operations
    .filter(({ operation }) =>
      Object.values(operation.responses['200']?.content ?? {}).some(({ schema }) =>
        Object.keys(schema?.properties ?? {}).some(member => /^(access|refresh)_token$/.test(member)),
      ),
    )
    .map(({ name }) => name)
  t.ok(Object.keys(asks).every(name => answering.includes(name)))
  for (const name of answering) {
    const [method = '', url = ''] = name.split(' ')
    const refused = await a.call(method as 'POST', url, { token, body: {} })
    t.ok(refused.status >= 400, name)
    t.equal(refused.headers['cache-control'], 'no-store', name)
    const answer = await asks[name]?.()
    if (answer === undefined) continue
    t.equal(answer.status, 200, name)
    t.equal(answer.headers['cache-control'], 'no-store', name)
    t.match(answer.body, { access_token: /^ey/ })
  }
})
