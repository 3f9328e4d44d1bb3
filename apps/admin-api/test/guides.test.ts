/** The commands of the guides work as they stand there. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { plantCanary, testDatabase } from '@signet/testkit'
import t from 'tap'
import { buildApp } from '../src/index.ts'
import { isWithout, paste, shellBlocksOf } from './guide-shell.ts'
import { linesOf, readNdjson } from './ndjson.ts'
import { plain } from './pictures.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { app, cast, company, admin, staff, call } = world
const address = await app.listen({ host: '127.0.0.1', port: 0 })
const folder = t.testdir()
const inFolder = (name: string) => join(folder, name)
const pasteGuide = (name: string, variables: Readonly<Record<string, string>>) =>
  paste(shellBlocksOf(name), { address, folder, variables })

t.test('images.md', { skip: isWithout('curl') }, async t => {
  writeFileSync(inFolder('photo.jpg'), await plain(40).jpeg().toBuffer())
  writeFileSync(inFolder('logo.webp'), await plain(40).webp().toBuffer())
  const { statuses } = await pasteGuide('images', { TOKEN: admin.token, USER_ID: admin.userId, TENANT_ID: company })
  t.same(statuses, [204, 200, 204, 204])
  t.same(readFileSync(inFolder('avatar.png')).subarray(1, 4).toString(), 'PNG')
})

t.test('advisors.md', { skip: isWithout('curl', 'jq') }, async t => {
  const advisor = await cast.addActor(company, { roles: ['advisor'] })
  const { userId } = await cast.addPerson(company)
  const { statuses, stdout } = await pasteGuide('advisors', {
    TOKEN: admin.token,
    ADVISOR_TOKEN: advisor.token,
    ADVISOR_ID: advisor.userId,
    USER_ID: userId,
    TENANT_ID: company,
  })
  t.same(statuses, [204, 201, 204, 200, 200])
  t.match(stdout, '"brand":{')
  t.match(stdout, 'Harbour Advice')
})

t.test('gateway.md', { skip: isWithout('curl', 'jq') }, async t => {
  const document = {
    openapi: '3.1.0',
    info: { title: 'Billing', version: '1' },
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    paths: { '/invoices/{id}': { get: { security: [{ bearer: ['invoices:read'] }], responses: {} } } },
  }
  writeFileSync(inFolder('openapi.json'), JSON.stringify(document))
  const { statuses, stdout } = await pasteGuide('gateway', { TOKEN: staff.token })
  t.same(statuses, [201, 201, 200, 200, 200])
  t.match(stdout, '"added":["invoices:read"]')
  t.match(stdout, /^ {2}"~\^\(GET\|HEAD\) \/invoices\/" http:\/\/billing:5002;$/m)
  t.match(stdout, /^use_backend billing if \{ method GET HEAD \} \{ path_beg \/invoices\/ \}$/m)
})

t.test('audit.md', { skip: isWithout('curl') }, async t => {
  await call(admin, 'POST', 'roles', { name: 'of the guide', permissions: ['roles:read'] })
  const { statuses, stdout } = await pasteGuide('audit', { TOKEN: admin.token })
  t.same(statuses, [200, 200])
  t.match(stdout, '"action":"role.created"')
  t.match(readNdjson(readFileSync(inFolder('events.ndjson'), 'utf8')), [{ action: 'role.created' }])
})

t.test('people.md', { skip: isWithout('curl', 'jq') }, async t => {
  const { statuses, stdout } = await pasteGuide('people', { TOKEN: admin.token })
  t.same(statuses, [201, 201, 200])
  t.match(stdout, '"status":"suspended"')
})

// Its lines for the tables of other systems are run where both programs are, by replay.test.ts of apps/standalone.
t.test('import.md', { skip: isWithout('curl') }, async t => {
  writeFileSync(inFolder('users.ndjson'), linesOf([{ username: 'by-curl' }]))
  const sending = shellBlocksOf('import').filter(block => block.startsWith('curl'))
  const { statuses, stdout } = await paste(sending, { address, folder, variables: { TOKEN: admin.token } })
  t.same(statuses, [200])
  t.match(readNdjson(stdout), [{ line: 1, status: 'would_create' }, { summary: { would_create: 1 } }])
})

t.test('structure.md', { skip: isWithout('curl', 'sed') }, async t => {
  const { stdout } = await pasteGuide('structure', { TOKEN: admin.token })
  t.match(stdout, /"level":1,"path":\[\{"id":"[^"]+","name":"Sales"\},\{"id":"[^"]+","name":"North"\}\]/)
  t.match(
    stdout,
    /"items":\[\{[^}]*"name":"Sales"[^}]*"level":0\},\{[^}]*"name":"North"[^}]*"level":1\}\],"is_complete":true/,
  )
  t.match(stdout, /"parent_id":null,"level":0,"path":\[\{"id":"[^"]+","name":"North"\}\]/)
  t.match(
    stdout,
    /"email":"ada\.structure@example\.com".*"position":\{"id":"[^"]+","title":"Head of sales"\},"org_unit":\{"id":"[^"]+","name":"Sales"\}/,
  )
  t.match(stdout, 'It is held by 1 person (Ada Lovelace).')
  t.match(stdout, /"name":"Rivière Transports".*"total":1/s)
  t.match(stdout, '"description":"Installs charging stations"')
})

t.test('the README of the containers makes the first administrator', { skip: isWithout('curl') }, async t => {
  const setupToken = 'the-setup-token-of-this-test'
  plantCanary('setup token', setupToken)
  const { db } = await testDatabase(t)
  const uninitialised = await buildApp({ ...world.deps, db, setup: { token: setupToken, isLoopbackTrusted: false } })
  t.teardown(() => uninitialised.close())
  const fresh = await uninitialised.listen({ host: '127.0.0.1', port: 0 })
  mkdirSync(inFolder('.signet/secrets'), { recursive: true })
  writeFileSync(inFolder('.signet/secrets/setup-token'), `${setupToken}\n`)
  const text = readFileSync(new URL('../../standalone/deploy/README.md', import.meta.url), 'utf8')
  const [, block = ''] = /^```sh\n(curl [^]*?)^```$/m.exec(text) ?? []
  const command = block.replace('http://signet.localhost:8080', fresh)
  const { statuses } = await paste([command], { address: fresh, folder, variables: {} })
  t.same(statuses, [201])
})
