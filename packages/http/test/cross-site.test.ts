import t from 'tap'
import { type App, createServer, refuseCrossSite } from '../src/index.ts'

const lines: string[] = []

async function appOf(cookieDomain?: string, allowedOrigins: readonly string[] = []): Promise<App> {
  const stream = { write: (line: string) => void lines.push(line) }
  const app = await createServer({ logger: { level: 'info', stream }, trustProxy: ['127.0.0.1'], allowedOrigins })
  refuseCrossSite(app, {
    url: 'https://id.example.com/auth',
    allowedOrigins,
    cookies: ['access_token', 'refresh_token'],
    cookieDomain,
  })
  const route = {
    url: '/',
    config: { access: 'public' as const },
    handler: async () => 'served',
  }
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) app.route({ ...route, method })
  return app
}

const app = await appOf()
const domainApp = await appOf('example.com')
const openApp = await appOf(undefined, ['https://app.example.org', 'http://localhost:5173'])
t.teardown(() => Promise.all([app.close(), domainApp.close(), openApp.close()]))

const cookie = 'theme=dark; access_token=tell-nobody'
type Headers = Record<string, string>
const ask = async (
  headers: Headers,
  {
    method = 'POST',
    body,
    to = app,
  }: { method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; body?: object; to?: App } = {},
) => {
  const answer = await to.inject({ method, url: '/', headers, ...(body === undefined ? {} : { payload: body }) })
  return answer.statusCode === 200 ? 'served' : `${answer.statusCode} ${String(answer.json().code)}`
}
const refused = '403 cross-site-request'

t.test('H-03 a call by cookie that changes something', async t => {
  await t.test('is refused where the browser says that another site sent it', async t => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const)
      t.equal(await ask({ cookie, 'sec-fetch-site': 'cross-site' }, { method }), refused, method)
    t.equal(await ask({ cookie, 'sec-fetch-site': 'cross-site', origin: 'https://id.example.com' }), refused)
    t.equal(await ask({ cookie: 'refresh_token=x', 'sec-fetch-site': 'cross-site' }), refused)
    t.equal(await ask({ cookie: ' refresh_token = x', 'sec-fetch-site': 'cross-site' }), refused)
  })
  await t.test('is refused where the browser says what nobody knows', async t => {
    for (const site of ['', 'Cross-Site', 'same-origin, cross-site', 'elsewhere'])
      t.equal(await ask({ cookie, 'sec-fetch-site': site }), refused, site)
  })
  await t.test('is served from here, and by who is no browser', async t => {
    for (const site of ['same-origin', 'same-site', 'none'])
      t.equal(await ask({ cookie, 'sec-fetch-site': site }), 'served', site)
    t.equal(await ask({ cookie }), 'served')
    t.equal(await ask({ cookie, origin: 'https://id.example.com' }), 'served')
  })
  await t.test('is refused by its origin where a browser says no more than that', async t => {
    for (const origin of [
      'null',
      '',
      'https://evil.example',
      'http://id.example.com',
      'https://id.example.com:8443',
      'https://id.example.com.evil.example',
      'https://app.example.com',
      'https://id.example.com/',
      'HTTPS://ID.EXAMPLE.COM',
    ])
      t.equal(await ask({ cookie, origin }), refused, origin)
  })
  await t.test('is not served because a caller calls us by the name of its own site', async t => {
    const evil = { cookie, origin: 'https://evil.example' }
    t.equal(await ask({ ...evil, host: 'evil.example' }), refused)
    t.equal(await ask({ ...evil, 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }), refused)
  })
  await t.test('is served from the hosts that the cookies are sent to, over https', async t => {
    for (const [origin, expected] of [
      ['https://example.com', 'served'],
      ['https://app.example.com', 'served'],
      ['https://app.example.com:8443', 'served'],
      ['http://app.example.com', refused],
      ['https://notexample.com', refused],
      ['https://example.com.evil.example', refused],
      ['null', refused],
    ] as const)
      t.equal(await ask({ cookie, origin }, { to: domainApp }), expected, origin)
    t.equal(
      await ask({ cookie, origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' }, { to: domainApp }),
      refused,
    )
  })
})

t.test('pages of other origins', async t => {
  const listed = { origin: 'https://app.example.org', 'sec-fetch-site': 'cross-site' }
  const others = ['https://evil.example', 'https://app.example.org.evil.example', 'http://app.example.org', 'null', '*']
  const preflight = (origin: string, to = openApp) =>
    to.inject({
      method: 'OPTIONS',
      url: '/',
      headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'if-match' },
    })
  const corsOf = (headers: Record<string, unknown>) =>
    Object.keys(headers).filter(name => name.startsWith('access-control-'))

  await t.test('that are listed may read and change, by cookies too', async t => {
    t.equal(await ask({ cookie, ...listed }, { to: openApp }), 'served')
    t.equal(await ask(listed, { to: openApp, body: { cookies: true } }), 'served')
    const answer = await openApp.inject({ url: '/', headers: listed })
    t.match(answer.headers, {
      'access-control-allow-origin': 'https://app.example.org',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': /etag.*x-request-id/,
      vary: 'Origin',
    })
  })
  await t.test('that are listed are told so beforehand', async t => {
    const answer = await preflight('http://localhost:5173')
    t.equal(answer.statusCode, 204)
    t.match(answer.headers, {
      'access-control-allow-origin': 'http://localhost:5173',
      'access-control-allow-methods': /PATCH/,
      'access-control-allow-headers': /if-match/,
      'access-control-max-age': '600',
      vary: 'Origin',
    })
    t.notMatch(answer.headers['access-control-allow-headers'], /x-api-key/)
  })
  await t.test('that are not listed are allowed nothing, and caches keep the answers apart', async t => {
    for (const origin of others) {
      t.equal(await ask({ cookie, origin, 'sec-fetch-site': 'cross-site' }, { to: openApp }), refused, origin)
      const read = await openApp.inject({ url: '/', headers: { origin } })
      t.same([corsOf(read.headers), read.headers.vary], [[], 'Origin'], origin)
      const asked = await preflight(origin)
      t.same([asked.statusCode, corsOf(asked.headers)], [404, []], origin)
    }
    t.equal((await openApp.inject('/')).headers.vary, 'Origin', 'also of who is no page')
  })
  await t.test('are all alike where none is listed', async t => {
    const answer = await app.inject({ url: '/', headers: listed })
    t.same([corsOf(answer.headers), answer.headers.vary], [[], undefined])
    t.equal((await preflight('https://app.example.org', app)).statusCode, 404)
  })
  await t.test('read failures, too', async t => {
    const answer = await openApp.inject({ method: 'POST', url: '/nowhere', headers: listed })
    t.equal(answer.statusCode, 404)
    t.equal(answer.headers['access-control-allow-origin'], 'https://app.example.org')
  })
})

t.test('what is not by cookie, or changes nothing, is not looked at', async t => {
  const crossSite = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  t.equal(await ask({ cookie, ...crossSite }, { method: 'GET' }), 'served')
  t.equal(await ask(crossSite), 'served')
  t.equal(await ask({ cookie: 'theme=dark; my_access_token=x; access_token_2=y', ...crossSite }), 'served')
  t.equal(await ask({ cookie, authorization: 'Bearer tell-nobody', ...crossSite }), 'served')
  t.equal(await ask({ cookie, authorization: 'Basic YTpi', ...crossSite }), refused, 'a browser may add this by itself')
})

t.test('H-03 who asks for cookies from another site gets none', async t => {
  const crossSite = { 'sec-fetch-site': 'cross-site' }
  t.equal(await ask(crossSite, { body: { cookies: true } }), refused)
  t.equal(await ask({ ...crossSite, authorization: 'Bearer tell-nobody' }, { body: { cookies: true } }), refused)
  t.equal(await ask(crossSite, { body: { cookies: false } }), 'served')
  t.equal(await ask({ 'sec-fetch-site': 'same-origin' }, { body: { cookies: true } }), 'served')
  t.equal(await ask({}, { body: { cookies: true } }), 'served')
})

t.test('the log says who was refused, and no cookie', async t => {
  t.ok(lines.some(line => /"level":30.*"site":"cross-site".*refused what another site sent/.test(line)))
  t.ok(lines.some(line => /"origin":"https:\/\/evil\.example"/.test(line)))
  t.notMatch(lines.join(''), /tell-nobody|refresh_token|theme=dark/)
})
