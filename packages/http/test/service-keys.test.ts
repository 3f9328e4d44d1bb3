import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { newId, type ServiceId } from '@signet/kernel'
import { createVerifier } from '@signet/verifier'
import { signet } from '@signet/verifier/fastify'
import { createTestIssuer } from '@signet/verifier/testing'
import t, { type Test } from 'tap'
import {
  acceptServiceKey,
  type App,
  createServer,
  createServiceKeyring,
  describeApi,
  mintServiceKey,
  requireServiceKey,
  serviceKeyHolderOf,
  type ServiceKeyring,
} from '../src/index.ts'

const former = 'former-0123456789-abcdefghij'
const next = 'next-9876543210-jihgfedcba'
const sealKey = randomBytes(32)
const issuer = createTestIssuer()
const serviceId = newId<ServiceId>()

/** What a database would know, and what it was asked. */
function keptKeys() {
  const kept = new Map<string, Date | null>()
  const asked: string[] = []
  return {
    kept,
    asked,
    async find(hash: Buffer) {
      const name = hash.toString('hex')
      asked.push(name)
      const expiresAt = kept.get(name)
      return expiresAt === undefined ? undefined : { serviceId, serviceName: 'billing', expiresAt }
    },
    issue(expiresAt: Date | null = null): string {
      const { key, hash } = mintServiceKey(sealKey)
      kept.set(hash.toString('hex'), expiresAt)
      return key
    },
  }
}

const keyringOf = (configured: readonly string[]): ServiceKeyring =>
  createServiceKeyring({ configured, sealKey, find: async () => undefined })

async function serverWithKeys(t: Test, keyring: ServiceKeyring): Promise<App> {
  const app = await createServer({ logger: false, trustProxy: [] })
  t.teardown(() => app.close())
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
  await app.register(signet, { verifier, securityScheme: 'bearer', alternative: acceptServiceKey(keyring) })
  await describeApi(app, { title: 'Test', version: '1.0.0', description: '', serverUrl: 'http://localhost', tags: [] })
  app.get(
    '/guarded',
    { config: { access: 'public', serviceKey: true }, onRequest: requireServiceKey(keyring) },
    async request => serviceKeyHolderOf(request),
  )
  app.get(
    '/either',
    { config: { access: { permissions: ['places:read'] }, serviceKey: 'or-bearer' } },
    async request => serviceKeyHolderOf(request) ?? { subject: request.principal.subject },
  )
  app.get('/bearer', { config: { access: {} } }, async request => request.principal.subject)
  app.get('/any', { config: { access: { anyPermission: ['a:read', 'b:read'] } } }, async () => '')
  return app
}

const ask = (app: App, key?: string, url = '/guarded', headers: Record<string, string> = {}) =>
  app.inject({ url, headers: { ...(key === undefined ? {} : { 'x-api-key': key }), ...headers } })

t.test('a service key of the settings', async t => {
  const app = await serverWithKeys(t, keyringOf([former, next]))

  t.test('opens a route, the former one as well as the next', async t => {
    const [byFormer, byNext] = [(await ask(app, former)).json(), (await ask(app, next)).json()]
    t.match(byFormer, { service: null, fingerprint: /^[0-9a-f]{8}$/ })
    t.match(byNext, { service: null, fingerprint: /^[0-9a-f]{8}$/ })
    t.not(byFormer.fingerprint, byNext.fingerprint, 'the audit tells them apart')
  })

  t.test('is refused unless it is one of them, letter by letter', async t => {
    for (const key of [
      undefined,
      '',
      former.slice(0, -1),
      `${former}x`,
      former.toUpperCase(),
      `${former},${next}`,
      'x'.repeat(8_000),
    ]) {
      const answer = await ask(app, key)
      t.equal(answer.statusCode, 401, key?.slice(0, 40) ?? 'none')
      t.equal(answer.json().code, 'invalid-service-key')
      t.equal(answer.headers['www-authenticate'], 'ApiKey', 'no bearer token opens it')
      t.equal(answer.headers['cache-control'], 'no-store')
    }
    const bearer = await app.inject({ url: '/guarded', headers: { authorization: `Bearer ${former}` } })
    t.equal(bearer.json().code, 'invalid-service-key')
  })

  t.test('is refused when it comes twice', async t => {
    const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
    const send = (...lines: string[]) =>
      new Promise<string>((resolve, reject) => {
        const head = ['GET /guarded HTTP/1.1', 'host: x', 'connection: close', ...lines]
        const socket = connect(port, '127.0.0.1', () => socket.write(`${head.join('\r\n')}\r\n\r\n`))
        let answer = ''
        socket.on('data', data => (answer += String(data)))
        socket.on('close', () => resolve(answer))
        socket.on('error', reject)
      })
    t.match(await send(`x-api-key: ${former}`), /^HTTP\/1\.1 200 /)
    for (const second of [former, next, 'wrong', '']) {
      const answer = await send(`x-api-key: ${former}`, `x-api-key: ${second}`)
      t.match(answer, /^HTTP\/1\.1 401 [\s\S]*"code":"invalid-service-key"/, second)
    }
  })
})

t.test('where no key was given to the program, none opens anything', async t => {
  const app = await serverWithKeys(t, keyringOf([]))
  for (const key of [undefined, '', former]) {
    const answer = await ask(app, key)
    t.equal(answer.statusCode, 401)
    t.equal(answer.json().code, 'invalid-service-key')
  }
})

t.test('a route for both', async t => {
  const app = await serverWithKeys(t, keyringOf([former]))
  const bearer = { authorization: `Bearer ${issuer.token({ sub: 'somebody', permissions: ['places:read'] })}` }

  t.test('takes a key or a token, and the key where both are shown', async t => {
    t.match((await ask(app, former, '/either')).json(), { service: null })
    t.strictSame((await ask(app, undefined, '/either', bearer)).json(), { subject: 'somebody' })
    t.match((await ask(app, former, '/either', bearer)).json(), { service: null })
  })

  t.test('refuses a wrong key whatever stands beside it, and nobody', async t => {
    for (const key of ['', 'wrong', `${former},${former}`]) {
      t.equal((await ask(app, key, '/either', bearer)).json().code, 'invalid-service-key', key)
    }
    t.equal((await ask(app, undefined, '/either')).json().code, 'missing-token')
    const lacking = { authorization: `Bearer ${issuer.token({ permissions: [] })}` }
    t.equal((await ask(app, undefined, '/either', lacking)).statusCode, 403)
  })

  t.test('a key opens no other route', async t => {
    t.equal((await ask(app, former, '/bearer')).json().code, 'missing-token')
    t.equal((await ask(app, former, '/any')).json().code, 'missing-token')
  })

  t.test('the API’s document says what each route takes', async t => {
    const { paths, components } = (await app.inject('/openapi.json')).json()
    t.strictSame(components.securitySchemes.serviceKey, { type: 'apiKey', in: 'header', name: 'x-api-key' })
    t.strictSame(paths['/guarded'].get.security, [{ serviceKey: [] }])
    t.strictSame(paths['/either'].get.security, [{ bearer: ['places:read'] }, { serviceKey: [] }])
    t.strictSame(paths['/bearer'].get.security, [{ bearer: [] }])
    t.strictSame(paths['/any'].get.security, [{ bearer: ['a:read'] }, { bearer: ['b:read'] }])
  })
})

t.test('an issued key', async t => {
  const keys = keptKeys()
  let now = Date.now()
  const keyring = createServiceKeyring({
    configured: [former],
    sealKey,
    find: hash => keys.find(hash),
    clock: () => now,
  })
  const asks = () => keys.asked.splice(0).length

  t.test('speaks for its service, and is asked for once in five seconds', async t => {
    const key = keys.issue()
    const found = await Promise.all(Array.from({ length: 16 }, () => keyring.findHolder(key)))
    for (const holder of found) t.match(holder, { service: { id: serviceId, name: 'billing' } })
    t.equal(asks(), 1)
    now += 5_000
    t.ok(await keyring.findHolder(key))
    t.equal(asks(), 1)
  })

  t.test('that is withdrawn stops within five seconds', async t => {
    const key = keys.issue()
    t.ok(await keyring.findHolder(key))
    keys.kept.clear()
    now += 4_999
    t.ok(await keyring.findHolder(key))
    now += 1
    t.equal(await keyring.findHolder(key), undefined)
    asks()
    t.equal(await keyring.findHolder(key), undefined)
    t.equal(asks(), 0, 'a refusal is remembered too')
  })

  t.test('ends when it expires, to the millisecond', async t => {
    const key = keys.issue(new Date(now + 2_000))
    now += 1_999
    t.ok(await keyring.findHolder(key))
    now += 1
    t.equal(await keyring.findHolder(key), undefined)
  })

  t.test('that was never issued costs no question, however many there are', async t => {
    asks()
    const genuine = keys.issue()
    const foreign = mintServiceKey(randomBytes(32)).key
    const forged = Array.from({ length: 2_000 }, () => `sgk_${randomBytes(40).toString('base64url')}`)
    const spelled = [`${genuine}=`, ` ${genuine}`, genuine.slice(0, -1), `${genuine}A`, genuine.slice(4), 'sgk_']
    for (const key of [foreign, ...forged, ...spelled]) t.equal(await keyring.findHolder(key), undefined)
    t.equal(asks(), 0)
    t.ok(await keyring.findHolder(genuine))
  })

  t.test('is asked for again after the database was away', async t => {
    let isAway = true
    const shaky = createServiceKeyring({
      configured: [],
      sealKey,
      find: async hash => {
        if (isAway) throw new Error('away')
        return keys.find(hash)
      },
    })
    const key = keys.issue()
    await t.rejects(shaky.findHolder(key), /away/)
    isAway = false
    t.ok(await shaky.findHolder(key))
  })
})
