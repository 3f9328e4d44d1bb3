import { connect } from 'node:net'
import t from 'tap'
import { type App, createServer, describeApi, fingerprintOfServiceKey, requireServiceKey } from '../src/index.ts'

const former = 'former-0123456789-abcdefghij'
const next = 'next-9876543210-jihgfedcba'

async function serverWithKeys(keys: readonly string[]): Promise<App> {
  const app = await createServer({ logger: false, trustProxy: [] })
  await describeApi(app, { title: 'Test', version: '1.0.0', description: '', serverUrl: 'http://localhost', tags: [] })
  app.get(
    '/guarded',
    { config: { access: 'public', serviceKey: true }, onRequest: requireServiceKey(keys) },
    async request => fingerprintOfServiceKey(request),
  )
  return app
}

const ask = (app: App, key?: string) =>
  app.inject({ url: '/guarded', headers: key === undefined ? {} : { 'x-api-key': key } })

t.test('a service key', async t => {
  const app = await serverWithKeys([former, next])
  t.teardown(() => app.close())

  t.test('opens a route, the former one as well as the next', async t => {
    const [byFormer, byNext] = [await ask(app, former), await ask(app, next)]
    t.equal(byFormer.statusCode, 200)
    t.equal(byNext.statusCode, 200)
    t.match(byFormer.body, /^[0-9a-f]{8}$/)
    t.not(byFormer.body, byNext.body, 'the audit tells them apart')
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

  t.test('is in the API’s document', async t => {
    const document = (await app.inject('/openapi.json')).json()
    t.strictSame(document.paths['/guarded'].get.security, [{ serviceKey: [] }])
    t.strictSame(document.components.securitySchemes.serviceKey, { type: 'apiKey', in: 'header', name: 'x-api-key' })
  })
})

t.test('where no key was given to the program, none opens anything', async t => {
  const app = await serverWithKeys([])
  t.teardown(() => app.close())
  for (const key of [undefined, '', former]) {
    const answer = await ask(app, key)
    t.equal(answer.statusCode, 401)
    t.equal(answer.json().code, 'invalid-service-key')
  }
})
