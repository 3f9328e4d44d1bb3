/** Older systems are switched one by one, and are no way around the limits of the native routes. */
import { SettingsError } from '@signet/kernel'
import t from 'tap'
import { readConfig, toIamOptions } from '../src/config.ts'
import { longestTokenTtl } from '../src/deps.ts'
import { password, testApp } from './test-app.ts'

const compatOf = (text?: string) =>
  toIamOptions(
    readConfig({ DATABASE_URL: 'postgres://x@localhost/x', ...(text === undefined ? {} : { COMPAT: text }) }),
  ).compat

t.test('COMPAT names the systems', async t => {
  t.same(compatOf(), new Set(['eng-identity', 'pm-identity-api', 'iam-rs256', 'scalable-auth', 'chat-auth']))
  t.same(compatOf('chat-auth, Eng-Identity'), new Set(['eng-identity', 'chat-auth']))
  t.same(compatOf('none'), new Set())
  const error = t.throws(() => compatOf('chat-auth,chatauth')) as unknown as SettingsError
  t.ok(error instanceof SettingsError)
  t.match(error.faults, [/COMPAT knows .*, not "chatauth"/])
})

t.test('a system that is not named has no routes and no tag', async t => {
  const a = await testApp(t, { deps: { compat: new Set(['chat-auth']) } })
  for (const [method, url] of [
    ['GET', '/'],
    ['POST', '/auth/request-otp'],
    ['POST', '/auth/logout'],
    ['POST', '/api/v1/advisor/request-client-token'],
    ['POST', '/user/access/regeneratetoken/1234'],
  ] as const)
    t.match(await a.call(method, url), { status: 404, body: { code: 'route-not-found' } }, url)
  t.equal((await a.post('/register', { name: 'Ada', username: 'ada', password })).status, 201)
  const { tags = [] } = a.app.swagger() as { tags?: { name: string }[] }
  t.same(
    tags.map(({ name }) => name).filter(name => name.includes('-')),
    ['chat-auth'],
  )
  const none = await testApp(t, { deps: { compat: new Set() } })
  t.equal((await none.post('/register', {})).status, 404)
  t.equal(longestTokenTtl(a.deps), 1_800, 'keys and status lists outlive its tokens')
  t.equal(longestTokenTtl(none.deps), 900)
})

t.test('the limits are those of the native routes, counted together', async t => {
  const a = await testApp(t, { deps: { limits: { redisUrl: undefined, factor: 1 } } })
  const email = 'limited@example.com'
  for (let count = 0; count < 15; count += 1) {
    t.equal((await a.post('/auth/request-otp', { email })).status, 200)
    t.equal((await a.post('/api/v1/otp/requests', { email })).status, 202)
  }
  t.match(await a.post('/auth/request-otp', { email }), { status: 429, body: { ok: false } })
  t.match(await a.post('/api/v1/otp/requests', { email }), { status: 429, body: { code: 'too-many-requests' } })
  t.equal((await a.messagesTo(email)).length, 1, 'and one code a minute')
})

t.test('signing in by a cookie is refused to what another site sends', async t => {
  const a = await testApp(t)
  const answer = await a.app.inject({
    method: 'POST',
    url: '/auth/verify-otp',
    headers: { 'sec-fetch-site': 'cross-site' },
    payload: { email: 'ada@example.com', code: '000000' },
  })
  t.equal(answer.statusCode, 403)
  t.match(answer.json(), { ok: false, error: String })
  t.equal(answer.headers['set-cookie'], undefined)
})
