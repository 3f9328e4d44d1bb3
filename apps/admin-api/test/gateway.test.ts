/** The map: everything that is answered behind one origin, once, in an order that never changes. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { array, assert, constant, constantFrom, oneof, property, record, subarray } from 'fast-check'
import t from 'tap'
import { readApiDescription } from '../src/modules/services/api-description.ts'
import { byLongestPrefix, type Claim, claimsOf } from '../src/modules/services/claims.ts'
import { createWorld, internalKey } from './world.ts'

const world = await createWorld(t)
const { call, staff, admin, app } = world
const baseUrl = 'http://things.test:5002'

interface Item {
  readonly prefix: string
  readonly is_exact: boolean
  readonly methods: readonly string[]
  readonly service: string
  readonly base_url: string
  readonly access: 'public' | { readonly permissions: readonly string[] }
}
const readMap = async (): Promise<Item[]> => (await call(admin, 'GET', 'gateway/routes')).body.items
/** What a gateway does: the first that fits. */
const find = (items: readonly Item[], method: string, path: string): Item | undefined =>
  items.find(
    ({ prefix, is_exact, methods }) =>
      methods.includes(method) && (is_exact ? path === prefix : path.startsWith(prefix)),
  )
const documentOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../${name}/docs/openapi.json`, import.meta.url), 'utf8'))
const register = (name: string, routes: object[], headers?: Record<string, string>) =>
  headers === undefined
    ? call(staff, 'PUT', `services/${name}`, { base_url: baseUrl, routes })
    : call(null, 'PUT', `services/${name}`, { base_url: baseUrl, routes }, headers)
const open = (path: string, ...methods: string[]) => ({
  path,
  methods: methods.length === 0 ? ['GET'] : methods,
  access: 'public',
})

const rules = { path: /^\//, permission: /:/, mostRoutes: 10_000 }
/** Behind one origin these are another program's (CONTRACT section 5). */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  iam: ['/version'],
  'admin-api': ['/livez', '/readyz'],
  places: ['/livez', '/readyz', '/version'],
}

t.test('every route of our own programs is found, at the program that has it, with the access it needs', async t => {
  const items = await readMap()
  for (const program of ['iam', 'admin-api', 'places']) {
    for (const { path, methods, access } of readApiDescription(documentOf(program), rules).routes) {
      for (const method of methods) {
        const item = find(items, method, path.replace(/\{[^}]*\}/g, 'x'))
        const isElsewhere = elsewhere[program]?.includes(path) ?? false
        if (isElsewhere) t.not(item?.service, program, `${program} ${method} ${path}`)
        else t.match(item, { service: program }, `${method} ${path}: say it in modules/services/own-routes.ts`)
        if (!isElsewhere && !path.includes('{')) t.strictSame(item?.access, access, `${method} ${path}`)
      }
    }
  }
  for (const [path, service] of [
    ['/', 'iam'],
    ['/docs', 'iam'],
    ['/docs/static/swagger-ui.css', 'iam'],
    ['/openapi.json', 'iam'],
    ['/health', 'admin-api'],
    ['/version', 'admin-api'],
    ['/config', 'admin-api'],
  ] as const)
    t.equal(find(items, 'GET', path)?.service, service, path)
})

t.test('no path is claimed for one method by two', async t => {
  const places = (await readMap()).flatMap(item =>
    item.methods.map(method => `${method} ${item.prefix} ${item.is_exact}`),
  )
  t.equal(new Set(places).size, places.length)
})

t.test('the longest prefix comes first, and the map is the same until a registration changes it', async t => {
  const first = await call(admin, 'GET', 'gateway/routes')
  const lengths = (first.body.items as Item[]).map(({ prefix }) => prefix.length)
  t.strictSame(
    lengths,
    lengths.toSorted((a, b) => b - a),
  )
  const etag = String(first.headers['etag'])
  t.equal((await call(null, 'GET', 'gateway/routes', undefined, { 'x-api-key': internalKey })).text, first.text)
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`])
    t.match(await call(admin, 'GET', 'gateway/routes', undefined, { 'if-none-match': known }), {
      status: 304,
      text: '',
    })
  t.equal((await register('mapped', [open('/mapped')])).status, 201)
  const changed = await call(admin, 'GET', 'gateway/routes', undefined, { 'if-none-match': etag })
  t.equal(changed.status, 200)
  t.match(find(changed.body.items, 'GET', '/mapped'), { service: 'mapped', base_url: baseUrl, access: 'public' })
})

const hasJq = spawnSync('jq', ['--version']).status === 0

t.test('the guide makes a configuration of it that finds the same', { skip: !hasJq && 'there is no jq' }, async t => {
  const guide = readFileSync(new URL('../docs/gateway.md', import.meta.url), 'utf8')
  const map = await call(admin, 'GET', 'gateway/routes')
  const [nginx = '', haproxy = ''] = [...guide.matchAll(/\| jq -r '([^']+)'/g)].map(([, program = '']) => {
    const { stdout, stderr } = spawnSync('jq', ['-r', program], { input: map.text, encoding: 'utf8' })
    t.equal(stderr, '')
    return stdout
  })
  const rows = [...nginx.matchAll(/^ {2}"~(\S+ \S+)" (\S+);$/gm)].map(([, pattern = '', url]) => ({
    pattern: new RegExp(pattern),
    url,
  }))
  const items = map.body.items as Item[]
  t.equal(rows.length, items.length)
  t.equal(haproxy.trim().split('\n').length, items.length)
  for (const [method, path] of [
    ['GET', '/'],
    ['HEAD', '/health'],
    ['GET', '/admin/v1/users/1'],
    ['POST', '/admin/v1/users'],
    ['POST', '/api/v1/tokens'],
    ['GET', '/.well-known/jwks.json'],
    ['GET', '/xwell-known/jwks.json'],
    ['PATCH', '/places/1'],
    ['GET', '/healthy'],
  ] as const) {
    const url = rows.find(({ pattern }) => pattern.test(`${method} ${path}`))?.url
    t.equal(url, find(items, method === 'HEAD' ? 'GET' : method, path)?.base_url, `${method} ${path}`)
  }
  t.match(haproxy, 'use_backend places if { method GET HEAD } { path_beg /places/ }')
})

t.test('a service that is called places takes the place of ours', async t => {
  t.equal((await register('stations', [open('/places')])).body.detail, 'GET /places is taken by places.')
  const routes = [{ path: '/places/{id}', methods: ['GET'], access: { permissions: ['places:read'] } }]
  t.equal((await register('places', routes)).status, 201)
  const items = await readMap()
  t.match(find(items, 'GET', '/places/x'), { service: 'places', base_url: baseUrl })
  t.equal(find(items, 'GET', '/places'), undefined)
  t.equal((await call(staff, 'DELETE', 'services/places')).status, 204)
  t.match(find(await readMap(), 'GET', '/places'), { base_url: 'http://localhost:4002' })
})

t.test('X-02 nobody registers themselves into the requests of another', async t => {
  const key = { 'x-api-key': internalKey }
  t.equal((await register('owner', [open('/owned/{id}', 'GET', 'POST'), open('/owned')])).status, 201)

  await t.test('the same path and method is refused to everybody, another method is not', async t => {
    const taken = { status: 409, body: { code: 'gateway-route-taken', detail: 'GET /owned is taken by owner.' } }
    t.match(await register('thief', [open('/owned')]), taken)
    t.match(await register('thief', [open('/owned')], key), taken)
    t.equal((await register('neighbour', [open('/owned', 'DELETE')])).status, 201)
  })

  await t.test('what lies below it is refused to a key, and given to who runs the gateway', async t => {
    for (const path of ['/owned/special', '/owned/{id}/deep', '/owned/00{rest}']) {
      t.match(await register('thief', [open(path)], key), { status: 409, body: { code: 'gateway-route-taken' } }, path)
    }
    t.equal((await register('guest', [open('/owned/special')])).status, 201)
    t.equal((await register('guest', [open('/owned/special')], key)).status, 200, 'and then stays by its key')
    t.equal((await register('front', [open('/{path}')], key)).status, 201, 'a wider one takes nothing of it')
    t.match(find(await readMap(), 'GET', '/owned/1'), { service: 'owner' })
  })

  await t.test('nothing of ours is given to anybody, nor what lies below, for any method', async t => {
    for (const path of ['/admin/v1/users', '/admin/v1/users/0193{rest}', '/api/v1/tokens', '/docs/x', '/health', '/'])
      for (const method of ['GET', 'POST', 'OPTIONS'])
        t.match(
          await register('thief', [open(path, method)]),
          { status: 409, body: { code: 'gateway-route-taken' } },
          `${method} ${path}`,
        )
  })
})

/** Paths over few words, so that they meet. */
const path = array(constantFrom('a', 'b', '{x}', 'a{y}'), { minLength: 1, maxLength: 3 }).map(
  words => `/${words.join('/')}`,
)
const access = oneof(
  constant('public' as const),
  subarray(['t:read', 't:list', 't:create']).map(permissions => ({ permissions })),
)
const routes = array(record({ path, methods: subarray(['GET', 'POST'], { minLength: 1 }), access }), {
  minLength: 1,
  maxLength: 8,
})

t.test('where paths fall together the weakest access counts, in whatever order they come', async t => {
  assert(
    property(routes, given => {
      const claims = claimsOf('thing', given)
      for (const { path: template, methods, access: needed } of given) {
        const prefix = template.split('{', 1)[0] ?? ''
        for (const method of methods) {
          const own = claims.filter(
            each => each.prefix === prefix && each.isExact === !template.includes('{') && each.methods.includes(method),
          )
          t.equal(own.length, 1, 'one claim for each')
          const said = own[0]?.access
          if (said === 'public') continue
          t.not(needed, 'public')
          if (needed !== 'public') t.ok(said?.permissions.every(code => needed.permissions.includes(code)))
        }
      }
      const plain = (each: readonly Claim[]) => JSON.stringify(each.toSorted(byLongestPrefix))
      t.equal(plain(claimsOf('thing', given.toReversed())), plain(claims))
    }),
    { numRuns: 200 },
  )
})

t.test('the reading of a document', async t => {
  const schemes = {
    bearer: { type: 'http', scheme: 'Bearer' },
    oauth: { type: 'oauth2' },
    key: { type: 'apiKey', in: 'header', name: 'x-api-key' },
  }
  const accessOf = (operation: object, root: object = {}) =>
    readApiDescription(
      { openapi: '3.1.0', components: { securitySchemes: schemes }, ...root, paths: { '/a': { get: operation } } },
      rules,
    ).routes[0]?.access
  const cases: [string, object, object, Item['access']][] = [
    ['says nothing', {}, {}, 'public'],
    ['takes what all share', {}, { security: [{ bearer: ['t:read'] }] }, { permissions: ['t:read'] }],
    ['lets an operation differ', { security: [] }, { security: [{ bearer: ['t:read'] }] }, 'public'],
    ['lets it be left out', { security: [{ bearer: ['t:read'] }, {}] }, {}, 'public'],
    ['asks for a token alone', { security: [{ bearer: [] }] }, {}, { permissions: [] }],
    [
      'asks for all of one',
      { security: [{ bearer: ['t:read', 't:list'] }] },
      {},
      { permissions: ['t:list', 't:read'] },
    ],
    ['asks for one of several', { security: [{ bearer: ['t:read'] }, { oauth: ['t:list'] }] }, {}, { permissions: [] }],
    ['is opened by a key as well', { security: [{ bearer: ['t:read'] }, { key: [] }] }, {}, 'public'],
    ['asks for a key beside a token', { security: [{ bearer: ['t:read'], key: [] }] }, {}, { permissions: ['t:read'] }],
    ['says it in a word of ours', { 'x-permissions': ['t:read'] }, {}, { permissions: ['t:read'] }],
    [
      'says it in both',
      { 'x-permissions': ['t:list'], security: [{ bearer: ['t:read'] }] },
      {},
      { permissions: ['t:list', 't:read'] },
    ],
    ['names a scheme that is not there', { security: [{ constructor: ['t:read'] }] }, {}, 'public'],
  ]
  for (const [what, operation, root, expected] of cases) t.strictSame(accessOf(operation, root), expected, what)
  const based = { openapi: '3.1.0', servers: [{ url: 'https://api.test/v2/' }], paths: { '/a': { get: {} } } }
  t.equal(readApiDescription(based, rules).routes[0]?.path, '/v2/a')
  for (const odd of [null, 7, 'text', [], { openapi: '3.1.0', paths: [] }, { openapi: '3.1.0', paths: { '/a': null } }])
    t.throws(() => readApiDescription(odd, rules), { code: 'invalid-api-description' })
  t.ok(app.swagger())
})
