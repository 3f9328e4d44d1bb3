/** The document of chat-auth from top to bottom, as its callers would, with a chat server that verifies by itself. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createVerifier } from '@signet/verifier'
import { guardWebSockets } from '@signet/verifier/ws'
import type { Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { type Replay, testCompleteness } from '../replay.ts'

export function walkChatAuth(t: Test, replay: Replay): void {
  const { iam, addresses } = replay
  const person = { name: 'Ada Lovelace', username: 'ada', password: 'a quiet green harbour' }
  const credentials = { username: person.username, password: person.password }
  const signIn = async () => String((await iam('POST', '/token', { form: credentials })).body.access_token)

  t.test('POST /register creates an account', async t => {
    const created = await iam('POST', '/register', { body: { ...person, age: 36 } })
    t.equal(created.status, 201)
    t.match(created.body, { id: /^[0-9a-f-]{36}$/, name: person.name, username: person.username })
    t.same(Object.keys(created.body), ['id', 'name', 'username'])
    const again = await iam('POST', '/register', { body: person })
    t.equal(again.status, 409)
    t.same(again.body, { detail: 'User already exists' })
    const faulty = await iam('POST', '/register', { body: { name: 'Bob' } })
    t.equal(faulty.status, 422)
    t.match(faulty.body.detail, [
      { loc: ['body', 'username'], msg: 'is required' },
      { loc: ['body', 'password'], msg: 'is required' },
    ])
    const weak = await iam('POST', '/register', { body: { ...person, username: 'bob', password: 'x' } })
    t.match(weak, { status: 400, body: { detail: String } })
  })

  t.test('POST /token takes the OAuth 2 form', async t => {
    const answer = await iam('POST', '/token', { form: { ...credentials, grant_type: 'password', scope: '' } })
    t.equal(answer.status, 200)
    t.same(Object.keys(answer.body), ['access_token', 'token_type'])
    t.equal(answer.body.token_type, 'bearer')
    const claims = JSON.parse(Buffer.from(String(answer.body.access_token).split('.')[1] ?? '', 'base64url').toString())
    t.equal(claims.exp - claims.iat, 1_800, 'for half an hour')
    for (const form of [
      { ...credentials, password: 'wrong' },
      { ...credentials, username: 'nobody' },
    ]) {
      const refused = await iam('POST', '/token', { form })
      t.equal(refused.status, 401)
      t.match(refused.headers.get('www-authenticate'), /^Bearer/)
      t.same(refused.body, {
        detail: 'Incorrect username or password',
        error: 'invalid_grant',
        error_description: 'Incorrect username or password',
      })
    }
    t.match(await iam('POST', '/token', { form: { username: 'ada' } }), {
      status: 422,
      body: { detail: [{ loc: ['body', 'password'] }], error: 'invalid_request' },
    })
    t.match(await iam('POST', '/token', { body: credentials }), { status: 415, body: { detail: String } })
  })

  t.test('POST /validate says whose token it is', async t => {
    const token = await signIn()
    const valid = await iam('POST', '/validate', { token })
    t.equal(valid.status, 200)
    t.same(valid.body, { username: 'ada', valid: true })
    for (const wrong of [undefined, 'nonsense', `${token.slice(0, -8)}AAAAAAAA`]) {
      const refused = await iam('POST', '/validate', wrong === undefined ? {} : { token: wrong })
      t.equal(refused.status, 401)
      t.same(refused.body, { detail: 'Invalid token' })
    }
  })

  t.test('a chat server lets in whoever shows such a token, without asking /validate', async t => {
    const verifier = createVerifier({
      issuer: addresses.iam,
      audience: 'signet',
      keys: { uri: `${addresses.iam}/.well-known/jwks.json` },
      revocation: { mode: 'off' },
      bundles: false,
    })
    const server = createServer()
    const chat = new WebSocketServer({ noServer: true })
    const guard = guardWebSockets({ verifier, need: {} })
    server.on('upgrade', guard.upgrade(chat))
    chat.on('connection', socket => {
      socket.on('message', (text: Buffer) => socket.send(`${guard.principal(socket).subject} says ${text.toString()}`))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    t.teardown(() => {
      verifier.close()
      chat.close()
      server.close()
    })
    const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    const token = await signIn()
    const { body: me } = await iam('GET', '/api/v1/me', { token })
    const socket = new WebSocket(address, ['signet.bearer', token])
    await once(socket, 'open')
    socket.send('hello')
    const [heard] = await once(socket, 'message')
    t.equal(String(heard), `${me.id} says hello`)
    socket.terminate()
    const stranger = new WebSocket(address)
    const [error] = await once(stranger, 'error')
    t.match(error, { message: /401/ })
  })

  testCompleteness(t, replay, ['chat-auth', 3], text =>
    [...text.matchAll(/^### (GET|POST|PUT|PATCH|DELETE) (\/\S+)$/gm)].map(([, method, path]) => `${method} ${path}`),
  )
}
