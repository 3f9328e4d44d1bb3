/** The registry of services: what they claim, and which permissions they bring. */
import { readFileSync } from 'node:fs'
import { inTenant } from '@signet/db'
import t, { type Test } from 'tap'
import { createWorld, internalKey } from './world.ts'

const world = await createWorld(t)
const { call, staff, company, cast, database } = world
let counter = 0
const unique = () => `thing${String((counter += 1))}`
const byKey = (key: string) => ({ 'x-api-key': key })
const baseUrl = 'http://things.test:5002'
const placesDocument = JSON.parse(readFileSync(new URL('../../places/docs/openapi.json', import.meta.url), 'utf8'))

const needing = (path: string, ...permissions: string[]) => ({ path, methods: ['GET'], access: { permissions } })

async function aService(t: Test, name = unique(), routes: object[] = []) {
  const { status, body, text } = await call(staff, 'POST', 'services', { name, base_url: baseUrl, routes })
  t.equal(status, 201, text)
  return body
}

const codesOf = async (service: string): Promise<string[]> =>
  (await call(staff, 'GET', `permissions?service=${service}`)).body.items.map((each: { code: string }) => each.code)

t.test('a service brings its permissions into the catalogue', async t => {
  const name = unique()
  const made = await aService(t, name, [
    needing(`/${name}`, `${name}:read`),
    needing(`/${name}/{id}`, `${name}:read`, `${name}:audit`),
  ])
  t.strictSame(made.permissions, { added: [`${name}:audit`, `${name}:read`], removed: [], kept: [] })
  t.strictSame(await codesOf(name), [`${name}:audit`, `${name}:read`])

  await t.test('and takes those along that it no longer asks for, but for what is in use anywhere', async t => {
    await cast.addRole(company, [`${name}:audit`])
    const { body } = await call(staff, 'PATCH', `services/${name}`, { routes: [needing(`/${name}`, `${name}:list`)] })
    t.strictSame(body.permissions, { added: [`${name}:list`], removed: [`${name}:read`], kept: [`${name}:audit`] })
    t.strictSame(await codesOf(name), [`${name}:audit`, `${name}:list`])
  })

  await t.test('whose descriptions stay as the catalogue has them', async t => {
    await call(staff, 'PATCH', `permissions/${name}:list`, { description: 'in our own words' })
    await call(staff, 'PATCH', `services/${name}`, { routes: [needing(`/${name}`, `${name}:list`)] })
    t.equal((await call(staff, 'GET', `permissions/${name}:list`)).body.description, 'in our own words')
  })

  await t.test('and cannot be removed while somebody holds them', async t => {
    const refused = await call(staff, 'DELETE', `services/${name}`)
    t.match(refused, {
      status: 409,
      body: { code: 'service-in-use', detail: `Roles hold or policies name ${name}:audit.` },
    })
    await inTenant(
      database.db,
      company,
      ({ sql }) =>
        sql`delete from role_permissions where tenant_id = ${company} and permission_code = ${`${name}:audit`}`,
    )
    t.equal((await call(staff, 'DELETE', `services/${name}`)).status, 204)
    t.strictSame(await codesOf(name), [])
    t.match(await call(staff, 'GET', `services/${name}`), { status: 404, body: { code: 'service-not-found' } })
  })
})

t.test('X-02 no service takes a permission of another one, nor of Signet', async t => {
  const [mine, other] = [unique(), unique()]
  await aService(t, other, [needing(`/${other}`, `${other}:read`)])
  for (const code of [`${other}:read`, 'users:read', 'tenants:create', 'places:read']) {
    const answer = await call(staff, 'POST', 'services', {
      name: mine,
      base_url: baseUrl,
      routes: [needing(`/${mine}`, code)],
    })
    t.match(answer, { status: 409, body: { code: 'permission-code-taken', detail: new RegExp(code) } }, code)
  }
  t.equal((await call(staff, 'GET', `services/${mine}`)).status, 404, 'nothing of it was written')
})

t.test('names', async t => {
  for (const name of [
    'signet',
    'iam',
    'admin-api',
    'Billing',
    '1st',
    'abcdef01-0000-7000-8000-000000000000',
    'a'.repeat(64),
  ]) {
    const answer = await call(staff, 'POST', 'services', { name, base_url: baseUrl })
    t.match(answer, { status: 400, body: { errors: [{ pointer: '/name' }] } }, name)
  }
  const { name } = await aService(t)
  t.match(await call(staff, 'POST', 'services', { name, base_url: baseUrl }), {
    status: 409,
    body: { code: 'service-name-taken' },
  })
})

t.test('nothing goes into the map that a gateway’s configuration could trip over', async t => {
  const post = (over: object) => call(staff, 'POST', 'services', { name: unique(), base_url: baseUrl, ...over })
  for (const url of [
    'http://user:password@things.test',
    'http://things.test/path',
    'http://things.test?x=1',
    'http://things.test;return 200',
    'http://things.test\n',
    'http://$host',
    'ftp://things.test',
    'javascript:alert(1)',
    'http://',
    '//things.test',
  ]) {
    t.match(await post({ base_url: url }), { status: 400, body: { errors: [{ pointer: '/base_url' }] } }, url)
  }
  for (const url of ['https://things.test', 'http://[::1]:5002', 'http://10.0.0.1:80'])
    t.equal((await post({ base_url: url })).status, 201, url)
  for (const path of [
    '/a b',
    '/a;b',
    '/a"b',
    "/a'b",
    '/a$b',
    '/a#b',
    '/a?b',
    '/a\\b',
    '/a\nb',
    '/{a',
    '/a}',
    '/{a b}',
    'a',
    '//a',
    '/a/../b',
    '/a/..',
    '/./a',
    '/%2e%2e/a',
  ]) {
    const routes = [{ path, methods: ['GET'], access: 'public' }]
    t.match(await post({ routes }), { status: 400, body: { errors: [{ pointer: '/routes/0/path' }] } }, path)
    const openapi = { openapi: '3.1.0', paths: { [path]: { get: {} } } }
    t.match(await post({ openapi }), { status: 422, body: { code: 'invalid-api-description' } }, path)
  }
})

t.test('a document in the place of routes', async t => {
  await t.test('of apps/places registers the map directory with what it needs', async t => {
    const tried = await call(staff, 'PUT', 'services/places?dry_run=true', {
      base_url: baseUrl,
      openapi: placesDocument,
    })
    t.equal(tried.status, 200, tried.text)
    t.equal((await call(staff, 'GET', 'services/places')).status, 404, 'a trial leaves nothing')
    const { status, body } = await call(staff, 'PUT', 'services/places', { base_url: baseUrl, openapi: placesDocument })
    t.equal(status, 201)
    t.strictSame(body.permissions, { added: [], removed: [], kept: [] }, 'the catalogue has them from the start')
    t.strictSame(tried.body.routes, body.routes)
    t.match(
      body.routes.filter(({ path }: { path: string }) => path === '/places/{id}'),
      [
        { methods: ['GET'], access: { permissions: ['places:read'] } },
        { methods: ['PATCH'], access: { permissions: ['places:modify'] } },
        { methods: ['DELETE'], access: { permissions: ['places:delete'] } },
      ],
    )
    t.equal((await call(staff, 'DELETE', 'services/places')).status, 204)
    t.strictSame(await codesOf('places'), [])
  })

  await t.test('that is none is refused, naming each fault', async t => {
    const post = (openapi: object) => call(staff, 'POST', 'services', { name: unique(), base_url: baseUrl, openapi })
    const get = (over: object) => ({ openapi: '3.0.3', paths: { '/a': { get: over } } })
    const faults: [object, { pointer: string; message: RegExp }][] = [
      [{}, { pointer: '/openapi/openapi', message: /version 3/ }],
      [
        { openapi: '2.0', paths: {} },
        { pointer: '/openapi/openapi', message: /version 3/ },
      ],
      [
        { openapi: '3.1.0', paths: {} },
        { pointer: '/openapi/paths', message: /no operation/ },
      ],
      [
        { openapi: '3.1.0', paths: { '/a': { $ref: 'http://elsewhere.test' } } },
        { pointer: '/openapi/paths/~1a/$ref', message: /bundled/ },
      ],
      [get({ 'x-permissions': ['no permission'] }), { pointer: '/openapi/paths/~1a/get', message: /no permission/ }],
    ]
    for (const [document, fault] of faults) {
      const answer = await post(document)
      t.match(answer, { status: 422, body: { code: 'invalid-api-description' } }, answer.text)
      t.ok(
        answer.body.errors.some((each: object) =>
          Object.entries(fault).every(([name, value]) => {
            const said = (each as Record<string, string>)[name] ?? ''
            return value instanceof RegExp ? value.test(said) : said === value
          }),
        ),
        answer.text,
      )
    }
    const both = await call(staff, 'POST', 'services', {
      name: unique(),
      base_url: baseUrl,
      routes: [],
      openapi: get({}),
    })
    t.match(both, { status: 400, body: { errors: [{ pointer: '/openapi' }] } })
  })

  await t.test('may be larger than other bodies, up to 2 MiB', async t => {
    const document = (bytes: number) => ({
      openapi: '3.1.0',
      info: { description: 'x'.repeat(bytes) },
      paths: { [`/${unique()}`]: { get: {} } },
    })
    const post = (bytes: number) =>
      call(staff, 'POST', 'services', { name: unique(), base_url: baseUrl, openapi: document(bytes) })
    t.equal((await post(1_000_000)).status, 201)
    t.match(await post(2_200_000), { status: 413, body: { code: 'body-too-large' } })
  })
})

t.test('versions', async t => {
  const { name } = await aService(t)
  const { headers } = await call(staff, 'GET', `services/${name}`)
  const match = { 'if-match': String(headers['etag']) }
  t.equal((await call(staff, 'PATCH', `services/${name}`, { description: 'x' }, match)).status, 200)
  for (const [method, body] of [
    ['PATCH', { description: 'y' }],
    ['PUT', { base_url: baseUrl }],
    ['DELETE', undefined],
  ] as const)
    t.match(
      await call(staff, method, `services/${name}`, body, match),
      { status: 412, body: { code: 'version-mismatch' } },
      method,
    )
  t.equal(
    (await call(staff, 'PUT', `services/${unique()}`, { base_url: baseUrl }, match)).status,
    412,
    'nor what is not there',
  )
})

t.test('sixteen services that claim one path and one permission at once: one gets them', async t => {
  const name = unique()
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, index) =>
      call(
        null,
        'PUT',
        `services/${name}-${index}`,
        { base_url: baseUrl, routes: [needing(`/${name}`, `${name}:read`)] },
        byKey(internalKey),
      ),
    ),
  )
  const made = answers.filter(({ status }) => status === 201)
  t.equal(made.length, 1, answers.map(({ status, body }) => `${status} ${body.code}`).join())
  for (const answer of answers.filter(each => !made.includes(each)))
    t.match(answer, { status: 409, body: { code: 'gateway-route-taken' } })
})
