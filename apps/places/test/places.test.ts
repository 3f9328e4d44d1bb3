import { grantLogin, withAdminClient } from '@signet/db'
import { loggerOptions } from '@signet/http'
import { replacedSystems } from '@signet/kernel'
import { createTestIssuer } from '@signet/verifier/testing'
import {
  checkApiReference,
  checkProblems,
  listExampleCalls,
  listMisfits,
  plantCanary,
  testDatabase,
  testLogger,
} from '@signet/testkit'
import t from 'tap'
import { readConfig } from '../src/config.ts'
import { buildApp } from '../src/index.ts'

const { db, url, adminUrl, superUrl } = await testDatabase(t)
await grantLogin(superUrl, decodeURIComponent(new URL(url).username), ['signet_places'])
const issuer = createTestIssuer()
const app = await buildApp({
  database: db,
  tokens: { issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: issuer.fetch } },
  url: 'http://places.test',
  logger: testLogger(loggerOptions('trace', 'json', 'places'), 'places'),
  trustProxy: [],
  compat: new Set(replacedSystems),
})
checkProblems(t, app)
t.teardown(() => app.close())

function tokenWith(claims: Parameters<typeof issuer.token>[0]): string {
  const token = issuer.token(claims)
  plantCanary('access_token', token)
  return token
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
interface Call {
  readonly holding?: readonly string[]
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

const every = ['places:read', 'places:create', 'places:modify', 'places:delete']
const stranger = '0198a0c0-0000-7000-8000-000000000000'
const station = {
  kind: 'swap_station',
  name: 'Quarry Gate Swap',
  address: '3 Quarry Gate',
  city: 'Nairobi',
  country: 'KE',
  longitude: 36.9,
  latitude: -1.31,
  bays: 12,
}

function call(method: Method, path: string, { holding, body, headers = {} }: Call = {}) {
  const token = holding === undefined ? {} : { authorization: `Bearer ${tokenWith({ permissions: holding })}` }
  const content = body === undefined ? {} : { payload: JSON.stringify(body) }
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return app.inject({ method, url: path, headers: { ...token, ...type, ...headers }, ...content })
}

function countPlaces(): Promise<number> {
  return withAdminClient(adminUrl, async sql => {
    const [row] = await sql<{ count: number }[]>`select count(*)::integer as count from places.places`
    return row?.count ?? -1
  })
}

const needs: readonly (readonly [Method, string, string, unknown?])[] = [
  ['GET', '/places', 'places:read'],
  ['GET', '/mapdirectory/places/all', 'places:read'],
  ['GET', `/places/${stranger}`, 'places:read'],
  ['POST', '/places', 'places:create', station],
  ['PATCH', `/places/${stranger}`, 'places:modify', { bays: 2 }],
  ['DELETE', `/places/${stranger}`, 'places:delete'],
]

t.test('the API reference is as it was agreed', async t => {
  checkApiReference(t, (await call('GET', '/openapi.json')).json(), new URL('../docs/openapi.json', import.meta.url))
})

t.test('every route', async t => {
  t.test('is known to the walks below', async t => {
    const spec = (await call('GET', '/openapi.json')).json()
    const known = needs.map(([method, path]) => `${method} ${path.replace(stranger, '{id}')}`)
    const operations = new Set(['/livez', '/readyz', '/version'])
    const served = Object.entries(spec.paths as Record<string, object>)
      .filter(([path]) => !operations.has(path))
      .flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
    t.same(served.toSorted(), known.toSorted())
  })

  t.test('asks nobody in particular who they are: 401', async t => {
    for (const [method, path, , body] of needs) {
      const answer = await call(method, path, { body })
      t.match(
        answer,
        { statusCode: 401, headers: { 'www-authenticate': 'Bearer realm="signet"' } },
        `${method} ${path}`,
      )
      t.equal(answer.json().code, 'missing-token', `${method} ${path}`)
    }
  })

  t.test('refuses whoever holds all permissions but its own: 403, with the reason', async t => {
    for (const [method, path, permission, body] of needs) {
      const answer = await call(method, path, { holding: every.filter(each => each !== permission), body })
      t.equal(answer.statusCode, 403, `${method} ${path}`)
      t.match(answer.json(), { code: 'insufficient-scope', detail: new RegExp(permission) }, `${method} ${path}`)
      t.match(answer.headers['content-type'], /^application\/problem\+json/, `${method} ${path}`)
    }
    t.equal(await countPlaces(), 60, 'and nothing was written')
  })

  t.test('refuses a token of another issuer', async t => {
    const other = createTestIssuer()
    const authorization = `Bearer ${other.token({ permissions: every })}`
    t.equal((await call('GET', '/places', { headers: { authorization } })).json().code, 'unknown-key')
  })
})

t.test('a list of places', async t => {
  const holding = ['places:read']
  const list = async (query: string) => (await call('GET', `/places?${query}`, { holding })).json()

  t.test('goes through all of them, page by page, each once', async t => {
    const seen: string[] = []
    let pages = 0
    for (let cursor: string | null = ''; cursor !== null; pages++) {
      const page = await list(`limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`)
      seen.push(...page.items.map((place: { id: string }) => place.id))
      cursor = page.next_cursor
    }
    t.equal(pages, 9)
    t.equal(new Set(seen).size, 60)
    t.same(seen, seen.toSorted(), 'in the order in which they were made')
  })

  t.test('has no next page when the last one is exactly full', async t => {
    t.equal((await list('limit=60')).next_cursor, null)
    t.type((await list('limit=59')).next_cursor, 'string')
  })

  t.test('is narrowed by kind', async t => {
    const { items } = await list('kind=swap_station&limit=200')
    t.equal(items.length, 23)
    t.ok(items.every((place: { kind: string }) => place.kind === 'swap_station'))
  })

  t.test('is narrowed by a bounding box, and by both', async t => {
    const bengaluru = 'bbox=77.4,12.8,77.8,13.1'
    const { items } = await list(bengaluru)
    t.same(new Set(items.map((place: { city: string }) => place.city)), new Set(['Bengaluru']))
    t.equal(items.length, 7)
    t.equal((await list(`${bengaluru}&kind=swap_station`)).items.length, 3)
  })

  t.test('knows that the earth is round', async t => {
    const { items } = await list('bbox=178,-19,-179,-16')
    t.same(items.map((place: { city: string }) => place.city).toSorted(), ['Suva', 'Taveuni'])
  })

  t.test('carries numbers as numbers and times in RFC 3339', async t => {
    const { items } = await list('bbox=178,-19,179,-18')
    t.match(items[0], { name: 'Coral Bay Charging', longitude: 178.4419, latitude: -18.1416, bays: 2, power_kw: 22 })
    t.match(items[0].created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  t.test('refuses a query that it does not understand', async t => {
    const boxes = [
      '1,2,3',
      '1,2,3,4,5',
      'a,b,c,d',
      '1,9,2,8',
      '181,0,0,1',
      '0,-91,1,1',
      '0,0,1,91',
      '1e1,0,2,1',
      '',
      ' 1,2,3,4',
    ]
    for (const box of boxes) {
      const answer = await call('GET', `/places?bbox=${encodeURIComponent(box)}`, { holding })
      t.match(answer.json(), { status: 400, code: 'invalid-input', errors: [{ pointer: '?bbox' }] }, `bbox=${box}`)
    }
    for (const query of [
      'kind=bakery',
      'limit=0',
      'limit=201',
      'limit=x',
      'near=me',
      'kind=ev_charger&kind=swap_station',
    ]) {
      t.match(
        (await call('GET', `/places?${query}`, { holding })).json(),
        { status: 400, code: 'invalid-input' },
        query,
      )
    }
    for (const cursor of ['x', '%27', `${stranger}0`, '%00']) {
      t.match((await call('GET', `/places?cursor=${cursor}`, { holding })).json(), { status: 400 }, cursor)
    }
    t.equal((await call('GET', '/places?cursor=%27%20or%201', { holding })).json().code, 'invalid-cursor')
  })

  t.test('is to be had whole and bare', async t => {
    const all = (await call('GET', '/mapdirectory/places/all', { holding })).json()
    t.equal(all.length, 60)
    t.same(Object.keys(all[0]), Object.keys((await list('limit=1')).items[0]))
  })
})

t.test('a place', async t => {
  const holding = every

  t.test('is added, read, changed and removed', async t => {
    const created = await call('POST', '/places', { holding, body: station })
    t.equal(created.statusCode, 201)
    const place = created.json()
    t.match(place, { ...station, power_kw: null })
    t.equal(created.headers.location, `/places/${place.id}`)
    const path = `/places/${place.id}`

    const read = await call('GET', path, { holding })
    t.same(read.json(), place)
    t.equal(read.headers.etag, created.headers.etag)

    const changed = await call('PATCH', path, { holding, body: { bays: 14, power_kw: 3.5 } })
    t.match(changed.json(), { ...station, bays: 14, power_kw: 3.5 })
    t.not(changed.headers.etag, created.headers.etag)
    t.equal((await call('PATCH', path, { holding, body: { power_kw: null } })).json().power_kw, null)

    t.equal((await call('DELETE', path, { holding })).statusCode, 204)
    t.equal((await call('GET', path, { holding })).json().code, 'place-not-found')
    t.equal((await call('DELETE', path, { holding })).json().code, 'place-not-found')
  })

  t.test('is changed or removed only as it was read, when the caller says so', async t => {
    const created = await call('POST', '/places', { holding, body: station })
    const path = `/places/${created.json().id}`
    const stale = { 'if-match': String(created.headers.etag) }
    t.equal((await call('PATCH', path, { holding, body: { bays: 2 }, headers: stale })).statusCode, 200)
    for (const headers of [stale, { 'if-match': '"nonsense"' }, { 'if-match': '*' }]) {
      const refused = await call('PATCH', path, { holding, body: { bays: 3 }, headers })
      t.match(refused.json(), { status: 412, code: 'version-mismatch' })
      t.match((await call('DELETE', path, { holding, headers })).json(), { status: 412, code: 'version-mismatch' })
    }
    const current = await call('GET', path, { holding })
    t.equal(current.json().bays, 2)
    t.equal(
      (await call('DELETE', path, { holding, headers: { 'if-match': String(current.headers.etag) } })).statusCode,
      204,
    )
  })

  t.test('that does not exist is answered alike by all', async t => {
    for (const [method, body] of [['GET'], ['PATCH', { bays: 1 }], ['DELETE']] as const) {
      const answer = await call(method, `/places/${stranger}`, { holding, body })
      t.match(answer.json(), { status: 404, code: 'place-not-found' }, method)
    }
    t.equal((await call('GET', '/places/not-a-uuid', { holding })).json().code, 'invalid-input')
    t.equal((await call('GET', '/nowhere', { holding })).json().code, 'route-not-found')
  })

  t.test('is refused when it is not well described, and nothing is half-written', async t => {
    const before = await countPlaces()
    const { city: _city, ...incomplete } = station
    const faulty: readonly (readonly [string, unknown])[] = [
      ['/city', incomplete],
      ['/kind', { ...station, kind: 'bakery' }],
      ['/name', { ...station, name: '' }],
      ['/name', { ...station, name: 'x'.repeat(201) }],
      ['/name', { ...station, name: 'nul \0' }],
      ['/name', { ...station, name: 7 }],
      ['/country', { ...station, country: 'Kenya' }],
      ['/latitude', { ...station, latitude: 90.1 }],
      ['/longitude', { ...station, longitude: '36.9' }],
      ['/bays', { ...station, bays: 0 }],
      ['/bays', { ...station, bays: 1.5 }],
      ['/power_kw', { ...station, power_kw: -1 }],
      ['/id', { ...station, id: stranger }],
      ['/version', { ...station, version: 9 }],
      ['/tenant_id', { ...station, tenant_id: stranger }],
    ]
    for (const [pointer, body] of faulty) {
      const answer = (await call('POST', '/places', { holding, body })).json()
      t.match(answer, { status: 400, code: 'invalid-input' })
      t.ok(
        answer.errors.some((fault: { pointer: string }) => fault.pointer === pointer),
        pointer,
      )
    }
    for (const body of [{}, { kind: 'ev_charger' }, { id: stranger }, { name: null }, []]) {
      t.equal((await call('PATCH', `/places/${stranger}`, { holding, body })).json().code, 'invalid-input')
    }
    for (const payload of ['{', '', 'null', '"x"', '{"name":']) {
      const authorization = `Bearer ${tokenWith({ permissions: holding })}`
      const headers = { authorization, 'content-type': 'application/json' }
      const answer = await app.inject({ method: 'POST', url: '/places', headers, payload })
      t.equal(answer.statusCode, 400, payload)
    }
    t.equal(
      (await call('POST', '/places', { holding, body: station, headers: { 'content-type': 'text/plain' } })).statusCode,
      415,
    )
    t.equal(
      (await call('POST', '/places', { holding, body: { ...station, name: 'x'.repeat(70_000) } })).statusCode,
      413,
    )
    t.equal(await countPlaces(), before)
  })
})

t.test('the service', async t => {
  t.test('has its permissions in the catalogue', async t => {
    const rows = await withAdminClient(
      adminUrl,
      async sql =>
        sql<
          { code: string }[]
        >`select code from permissions where service = 'places' and not is_platform order by code`,
    )
    t.same(
      rows.map(row => row.code),
      every.toSorted(),
    )
  })

  t.test('reaches no table of identity', async t => {
    const reachable = await withAdminClient(
      superUrl.replace(/[^/]*$/, new URL(url).pathname.slice(1)),
      async sql =>
        sql<{ name: string }[]>`
        select format('%I.%I', n.nspname, c.relname) as name
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
          and has_table_privilege('signet_places', c.oid, 'select, insert, update, delete')`,
    )
    t.same(
      reachable.map(row => row.name),
      ['places.places'],
    )
    const callable = await withAdminClient(
      superUrl.replace(/[^/]*$/, new URL(url).pathname.slice(1)),
      async sql =>
        sql<{ name: string }[]>`
        select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and has_function_privilege('signet_places', p.oid, 'execute')`,
    )
    t.same(
      callable.map(row => row.name),
      [],
    )
  })

  t.test('is ready when it has its rows and the keys', async t => {
    t.same((await call('GET', '/readyz')).json(), {
      status: 'ok',
      checks: { database: 'ok', keys: 'ok' },
    })
  })

  t.test('says 503 while it cannot have the keys', async t => {
    const cut = await buildApp({
      database: db,
      tokens: {
        issuer: issuer.issuer,
        audience: issuer.audience,
        keys: { fetch: () => Promise.reject(new Error('cut')) },
      },
      url: 'http://places.test',
      logger: testLogger(loggerOptions('trace', 'json', 'places'), 'places'),
      trustProxy: [],
      compat: new Set(replacedSystems),
    })
    t.teardown(() => cut.close())
    const headers = { authorization: `Bearer ${tokenWith({ permissions: every })}` }
    const answer = await cut.inject({ url: '/places', headers })
    t.match(answer.json(), { status: 503, code: 'keys-unavailable' })
    t.ok(answer.headers['retry-after'])
    t.equal((await cut.inject({ url: '/readyz' })).json().code, 'not-ready')
    t.equal((await cut.inject({ url: '/livez' })).statusCode, 200)
  })
})

t.test('C-05 the service refuses settings it does not understand, naming them', async t => {
  const DATABASE_URL = 'postgres://places@127.0.0.1/signet'
  t.match(readConfig({ DATABASE_URL }), { PLACES_PORT: 4002, ISSUER: 'http://localhost:4000', AUDIENCE: 'signet' })
  t.match(readConfig({ DATABASE_URL, PORT: '80', IAM_PORT: '81' }), { PLACES_PORT: 80, ISSUER: 'http://localhost:81' })
  const faulty: readonly (readonly [string, Record<string, string>])[] = [
    ['DATABASE_URL is missing', { DATABASE_URL: '' }],
    ['SIGNET_PLACES', { SIGNET_PLACES: 'x' }],
    ['Did you mean PLACES_PORT', { PLACE_PORT: '1' }],
    ['PORT are the same setting', { PLACES_PORT: '1', PORT: '2' }],
    ['ISSUER has to be', { ISSUER: 'signet.example/' }],
    ['LOG_LEVEL has to be', { LOG_LEVEL: 'loud' }],
  ]
  for (const [told, environment] of faulty) {
    t.throws(() => readConfig({ DATABASE_URL, ...environment }), { message: new RegExp(told) }, told)
  }
})

// The last: it adds places, and the others count them.
t.test('each example of the API reference works, and is answered as it says', async t => {
  const reference = (await call('GET', '/openapi.json')).json()
  for (const example of listExampleCalls(reference)) {
    const { id } = (await call('POST', '/places', { holding: every, body: station })).json()
    const path = `${example.path.replace('{id}', id)}?${new URLSearchParams(example.query).toString()}`
    const answer = await call(example.method, path, { holding: every, body: example.body })
    const found = { status: answer.statusCode, headers: answer.headers, text: answer.body }
    t.same(listMisfits(reference, example, found), [], example.name)
  }
})
