import t from 'tap'
import { password, testApp } from './test-app.ts'

const key = 'a service key of the tests 0123456789'
const limits = { redisUrl: undefined }

t.test('P-08 every public way to change something has its limit, and nothing else has one', async t => {
  const a = await testApp(t, { deps: { serviceKeys: [key], limits } })
  interface Operation {
    readonly security: readonly object[]
    readonly tags: readonly string[]
  }
  const { paths } = a.app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> }
  const limited: Record<string, number> = {}
  const unlimited: string[] = []
  for (const [url, methods] of Object.entries(paths)) {
    for (const [name, { security, tags }] of Object.entries(methods)) {
      const method = name.toUpperCase() as 'GET' | 'POST'
      // It has no end; verifier-events.test.ts takes all its places.
      if (url === '/verifier/events') continue
      const answer = await a.app.inject({
        method,
        url: url.replaceAll(/\{\w+\}/g, a.company),
        headers: { 'x-api-key': key },
        ...(method === 'GET' ? {} : { payload: {} }),
      })
      const limit = answer.headers['ratelimit-limit']
      const isPublic = security.every(scheme => !('bearer' in scheme))
      if (limit !== undefined) limited[`${method} ${url}`] = Number(limit)
      else if (isPublic && method !== 'GET') unlimited.push(`${method} ${url}`)
      // Verifiers behind one address fetch the keys together.
      const isForAll = tags.includes('Discovery') || tags.includes('Operations')
      if (isForAll || !isPublic) t.equal(limit, undefined, `${method} ${url}`)
    }
  }
  t.same(unlimited, ['POST /api/v1/tokens/revoke', 'POST /auth/logout'], 'whoever signs out is let go')
  t.match(limited, {
    'POST /api/v1/users': 20,
    'POST /api/v1/tokens': 60,
    'POST /api/v1/tokens/refresh': 600,
    'POST /api/v1/otp/requests': 30,
    'POST /api/v1/otp/verifications': 60,
    'POST /auth/client-token': 60,
    'POST /api/v1/tokens/refresh-key': 60,
    'POST /api/v1/system-emails': 600,
  })
})

t.test('P-06 one password over a thousand accounts from one network is throttled', { timeout: 60_000 }, async t => {
  const a = await testApp(t, { deps: { limits } })
  const before = a.countHashes()
  const answers = []
  for (let n = 0; n < 1_000; n++) {
    const body = { email: `person-${n}@example.com`, password: 'Summer2026!' }
    answers.push(await a.post('/api/v1/tokens', body))
  }
  const refused = answers.filter(answer => answer.status === 429)
  t.equal(refused.length, 940)
  t.equal(answers.filter(answer => answer.status === 401).length, 60)
  t.equal(a.countHashes() - before, 60, 'what is refused costs no hash')
  t.ok(refused.every(({ body, headers }) => body.code === 'too-many-requests' && Number(headers['retry-after']) > 0))
  t.equal((await a.call('GET', '/.well-known/jwks.json')).status, 200, 'and the keys are there for all')
})

t.test('H-02 the address that a request is counted and recorded under', async t => {
  const addressOf = async (trustProxy: readonly string[], forwarded: string) => {
    const a = await testApp(t, { deps: { limits }, trustProxy })
    const answer = await a.app.inject({
      method: 'POST',
      url: '/api/v1/tokens',
      headers: { 'x-forwarded-for': forwarded, 'x-real-ip': '198.51.100.66', forwarded: 'for=198.51.100.67' },
      payload: { email: 'nobody@example.com', password },
    })
    t.equal(answer.statusCode, 401)
    const [event] = await a.asOwner(
      sql => sql`select ip from audit_events where action = 'sign-in.failed' order by id desc limit 1`,
    )
    return String(event?.['ip'])
  }
  await t.test('is the connection’s where no proxy is configured, or another one', async t => {
    t.equal(await addressOf([], '198.51.100.7'), '127.0.0.1')
    t.equal(await addressOf(['10.0.0.0/8'], '198.51.100.7'), '127.0.0.1')
  })
  await t.test('is what the configured proxy saw, not what its caller claims', async t => {
    t.equal(await addressOf(['127.0.0.1'], '198.51.100.7'), '198.51.100.7')
    t.equal(await addressOf(['127.0.0.1'], '192.0.2.1, 198.51.100.7'), '198.51.100.7')
    t.equal(await addressOf(['127.0.0.1', '10.0.0.0/8'], '192.0.2.1, 198.51.100.7, 10.1.2.3'), '198.51.100.7')
  })
  await t.test('cannot be chosen anew for each request', async t => {
    const a = await testApp(t, { deps: { limits }, trustProxy: ['127.0.0.1'] })
    const left: unknown[] = []
    for (let n = 0; n < 3; n++) {
      const answer = await a.app.inject({
        method: 'POST',
        url: '/api/v1/tokens',
        headers: { 'x-forwarded-for': `192.0.2.${n}, 198.51.100.7` },
        payload: {},
      })
      left.push(answer.headers['ratelimit-remaining'])
    }
    t.same(left, ['59', '58', '57'])
  })
})
