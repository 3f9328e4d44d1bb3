/** The document of iam-rs256 from top to bottom, as its callers would. */
import { createVerify } from 'node:crypto'
import type { Test } from 'tap'
import { readFirstAdmin } from '../../src/credentials-file.ts'
import { type Replay, testCompleteness } from '../replay.ts'

export function walkIamRs256(t: Test, replay: Replay): void {
  const { iam, admin, home } = replay
  const person = { email: 'ada@example.com', password: 'a quiet green harbour' }

  t.test('GET /api/v1/healthcheck says that it runs and reaches its database', async t => {
    t.match(await iam('GET', '/api/v1/healthcheck'), { status: 200, body: { status: 'ok', database: 'ok' } })
  })

  t.test('POST /api/v1/users creates an account', async t => {
    const created = await iam('POST', '/api/v1/users', { body: person })
    t.match(created, { status: 201, body: { id: /^[0-9a-f-]{36}$/, email: person.email } })
    t.notMatch(JSON.stringify(created.body), /password|hash/)
    t.match(await iam('POST', '/api/v1/users', { body: person }), { status: 409, body: { detail: String } })
    t.match(await iam('POST', '/api/v1/users', { body: { email: 'nobody' } }), {
      status: 400,
      body: { detail: String },
    })
  })

  t.test('POST /api/v1/tokens gives a token that the public key alone verifies', async t => {
    const answer = await iam('POST', '/api/v1/tokens', { body: person })
    t.match(answer, { status: 200, body: { access_token: String, token_type: 'Bearer' } })
    const [header = '', payload = '', signature = ''] = String(answer.body.access_token).split('.')
    t.match(JSON.parse(Buffer.from(header, 'base64url').toString()), { alg: 'RS256' })
    t.match(JSON.parse(Buffer.from(payload, 'base64url').toString()), { roles: ['member'] })
    const { body: pem } = await iam('GET', '/.well-known/public-key.pem')
    const check = createVerify('RSA-SHA256').update(`${header}.${payload}`)
    t.ok(check.verify(String(pem), signature, 'base64url'))
    const wrong = await iam('POST', '/api/v1/tokens', { body: { ...person, password: 'wrong' } })
    t.match(wrong, { status: 401, body: { detail: String } })
  })

  t.test('GET /api/v1/me verifies the token and tells of its person', async t => {
    const { body } = await iam('POST', '/api/v1/tokens', { body: person })
    t.match(await iam('GET', '/api/v1/me', { token: body.access_token }), {
      status: 200,
      body: { email: person.email, roles: ['member'] },
    })
    t.match(await iam('GET', '/api/v1/me'), { status: 401, body: { detail: String } })
  })

  t.test('POST /api/v1/roles creates a role, for administrators', async t => {
    const first = await readFirstAdmin(home.adminFile)
    const signIn = async (body: object) => String((await iam('POST', '/api/v1/tokens', { body })).body.access_token)
    const administrator = await signIn({ email: first?.email, password: first?.password })
    const editor = { name: 'editor', description: 'Edits articles', level: 3 }
    t.match(await admin('POST', '/api/v1/roles', { body: editor, token: administrator }), {
      status: 201,
      body: { id: /^[0-9a-f-]{36}$/, name: 'editor', description: 'Edits articles', permissions: [] },
    })
    t.match(await admin('POST', '/api/v1/roles', { body: editor, token: administrator }), {
      status: 409,
      body: { detail: String },
    })
    t.match(await admin('POST', '/api/v1/roles', { body: {}, token: administrator }), { status: 400 })
    t.match(await admin('POST', '/api/v1/roles', { body: editor, token: await signIn(person) }), { status: 403 })
    t.match(await admin('POST', '/api/v1/roles', { body: editor }), { status: 401, body: { detail: String } })
  })

  // The document writes ME where it means GET.
  testCompleteness(t, replay, ['iam-rs256', 5], text =>
    [...text.matchAll(/^\| `(\w+)` +\| `(\/\S+)`/gm)].map(
      ([, method, path]) => `${method === 'ME' ? 'GET' : method} ${path}`,
    ),
  )
}
