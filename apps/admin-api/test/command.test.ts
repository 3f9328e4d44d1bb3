/** `pnpm admin` as a process, against the administration on a real port. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { linesOf, readNdjson } from './ndjson.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, staff, member, cast, company, app, call } = world
await app.listen({ host: '127.0.0.1', port: 0 })
const adminUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
const program = fileURLToPath(new URL('../src/main-admin.ts', import.meta.url))
const folder = t.testdir()

async function run(words: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [program, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
  })
  const [out, err] = [text(child.stdout), text(child.stderr)]
  const [code] = await once(child, 'close')
  return { code: Number(code), out: await out, err: await err }
}

const withToken = (token: string) => ['--admin-url', adminUrl, '--token', token]
const fileOf = (name: string, people: readonly (object | string)[]) => {
  const path = join(folder, name)
  writeFileSync(path, linesOf(people))
  return path
}

t.test('imports a file, tells how far it is, and says which lines failed', async t => {
  const people = Array.from({ length: 1_300 }, (_, index) => ({ username: `command-${index}` }))
  const file = fileOf('users.ndjson', [
    ...people,
    { username: 'command-x', language: 'xx', external_id: 'old' },
    'broken',
  ])
  const dry = await run(['import', file, '--dry-run', ...withToken(admin.token)])
  t.match(dry, { code: 1, out: '', err: /100 % {2}1302 lines {2}\d+\/s {2}would_create 1300 {2}failed 2\n/ })
  t.equal((await call(admin, 'GET', 'users?q=command-&count=true')).body.total, 0)
  const done = await run(['import', file, '--admin-url', adminUrl], { SIGNET_TOKEN: admin.token })
  t.match(done, { code: 1, err: /created 1300 {2}failed 2\n/ })
  t.match(done.err, `What failed is in ${file}.failed`)
  t.match(readNdjson(readFileSync(`${file}.failed`, 'utf8')), [
    { line: 1301, external_id: 'old', errors: [{ pointer: '/language' }] },
    { line: 1302, errors: [{ message: 'is not JSON' }] },
  ])
  t.equal((await call(admin, 'GET', 'users?q=command-&count=true')).body.total, 1_300)
  const clean = fileOf('clean.ndjson', people)
  t.match(await run(['import', clean, ...withToken(admin.token)]), { code: 0, err: /exists 1300\n$/ })
  t.notOk(existsSync(`${clean}.failed`))
})

t.test('exports what it can import', async t => {
  const tenant = await cast.addTenant('command')
  const owner = await cast.addActor(tenant, { roles: ['admin'], email: 'command-owner@example.test' })
  const { code, out } = await run(['export', ...withToken(owner.token)])
  t.equal(code, 0)
  t.match(readNdjson(out), [{ email: 'command-owner@example.test', roles: ['admin'], external_id: owner.userId }])
})

t.test('signs in as the first administrator, into the company or the tenant that is named', async t => {
  const visiting = await cast.signIn(staff, company)
  const asked: { path: string | undefined; body: Record<string, unknown>; authorization: string | undefined }[] = []
  const issuer = createServer((request, response) => {
    void text(request).then(body => {
      asked.push({ path: request.url, body: JSON.parse(body), authorization: request.headers.authorization })
      const token = request.url === '/api/v1/tokens/tenant' ? visiting.token : staff.token
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ access_token: token }))
    })
  })
  issuer.listen(0, '127.0.0.1')
  await once(issuer, 'listening')
  t.teardown(() => void issuer.close())
  const iamUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`
  const home = join(folder, 'home')
  mkdirSync(home)
  const file = { email: 'admin@example.com', password: 'a quiet green harbour', tenant_id: company }
  writeFileSync(join(home, 'first-admin.json'), JSON.stringify({ ...file, iam_url: iamUrl, admin_url: adminUrl }))
  const people = fileOf('first.ndjson', [{ email: 'by-first@example.test', email_verified: true }])
  t.match(await run(['import', people], { SIGNET_HOME: home }), { code: 0, err: /created 1\n$/ })
  t.match(asked, [
    { path: '/api/v1/tokens', body: { email: file.email, password: file.password } },
    { path: '/api/v1/tokens/tenant', body: { tenant_id: company }, authorization: `Bearer ${staff.token}` },
  ])
  t.equal((await call(admin, 'GET', 'users?email=by-first@example.test&count=true')).body.total, 1)
  asked.length = 0
  const tenant = ['--tenant', company, '--iam-url', iamUrl]
  t.match(await run(['import', people, ...tenant, ...withToken(staff.token)]), { code: 0, err: /exists 1\n$/ })
  t.match(asked, [{ path: '/api/v1/tokens/tenant', authorization: `Bearer ${staff.token}` }])
})

t.test('says what is wrong, and what to do', async t => {
  const file = fileOf('one.ndjson', [{ username: 'nobody.yet' }])
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  silent.close()
  await once(silent, 'close')
  const cases: [words: string[], code: number, said: RegExp][] = [
    [['import', 'missing.ndjson', ...withToken(admin.token)], 1, /no file missing\.ndjson/],
    [
      ['import', file, ...withToken(member.token)],
      1,
      /answered 403: Not allowed\. This needs the permission users:create/,
    ],
    [['export', ...withToken(member.token)], 1, /answered 403.*users:list/],
    [['import', file, ...withToken('none')], 1, /answered 401/],
    [
      ['export', '--admin-url', `http://127.0.0.1:${port}`, '--token', 'x'],
      1,
      /does not answer \(.*\)\. Is it running\?/,
    ],
    [['import', file, '--admin-url', `http://127.0.0.1:${port}`, '--token', 'x'], 1, /does not answer/],
    [['export', '--admin-url', adminUrl], 1, /Give --token or SIGNET_TOKEN: there is no .*first-admin\.json/],
    [['import'], 2, /import needs one file/],
    [['export', 'file'], 2, /takes neither/],
    [['remove'], 2, /no command remove/],
    [[], 2, /Usage: pnpm admin/],
    [['import', file, '--dry'], 2, /--dry/],
  ]
  for (const [words, code, said] of cases) {
    const { code: ended, out, err } = await run(words)
    t.equal(ended, code, `${words.join(' ').slice(0, 60)}: ${err}`)
    t.match(err, said)
    t.equal(out, '')
    t.notMatch(err, / {4}at /, 'without a stack')
  }
  t.match(await run(['--help']), { code: 0, out: /^Usage: pnpm admin/, err: '' })
})
