/** All programs behind one origin, by a real reverse proxy that the map of routes was written for. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { plantCanary, plantSecretsOf } from '@signet/testkit'
import t from 'tap'
import { readFirstAdmin } from '../src/credentials-file.ts'
import { callApi, textOf } from '../src/demo/call.ts'
import { GatewayMapError, listUpstreams, parseGatewayMap } from '../src/gateway/gateway-map.ts'
import { writeHaproxy } from '../src/gateway/haproxy.ts'
import { writeNginx } from '../src/gateway/nginx.ts'
import { readOptions } from '../src/gateway/options.ts'
import { absentProxies, choosePresent, freePort, noProxy, settingsBehind, startProxy } from './one-origin.ts'
import { startInstallation } from './replay.ts'
import { prepareReplays } from './replays/index.ts'

// It starts an installation, and walks all routes through two proxies: minutes, on a machine that does other things as well.
t.setTimeout(240_000)
const programs = ['iam', 'admin-api', 'places'] as const
interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}
const documentOf = (program: string): ApiDocument =>
  JSON.parse(readFileSync(new URL(`../../${program}/docs/openapi.json`, import.meta.url), 'utf8'))
const verbs = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options']
const operations = programs.flatMap(program =>
  Object.entries(documentOf(program).paths).flatMap(([path, operation]) =>
    Object.keys(operation)
      .filter(verb => verbs.includes(verb))
      .map(verb => ({ program, method: verb.toUpperCase(), path })),
  ),
)
/** Each program has these of its own; behind one origin one program answers (CONTRACT section 5). */
const operationsOwners: Readonly<Record<string, (typeof programs)[number]>> = {
  '/livez': 'iam',
  '/readyz': 'iam',
  '/version': 'admin-api',
}

t.test('no route is answered by two programs, but for the operations that each has', async t => {
  const owners = new Map<string, string>()
  for (const { program, method, path } of operations) {
    if (path in operationsOwners) continue
    // Parameters of one place are the same place, whatever they are called.
    const place = `${method} ${path.replace(/\{[^}]*\}/g, '{}')}`
    t.equal(owners.get(place), undefined, `${place} of ${program}`)
    owners.set(place, program)
  }
  t.ok(owners.size > 150)
})

const item = { prefix: '/a', is_exact: true, methods: ['GET'], service: 'a', base_url: 'http://a:1' }

t.test('nothing that is said in a map becomes another line of a configuration', async t => {
  for (const change of [
    { prefix: '/a" x; }' },
    { prefix: "/a' }" },
    { prefix: '/a\n' },
    { prefix: 'a' },
    { service: 'a;b' },
    { service: '' },
    { base_url: 'http://a/;' },
    { base_url: 'http://a:1 backup' },
    { methods: ['GET|.*'] },
    { methods: [] },
    { is_exact: 'yes' },
  ])
    t.throws(() => parseGatewayMap({ items: [{ ...item, ...change }] }), GatewayMapError, JSON.stringify(change))
  for (const document of [null, {}, { items: [] }, { items: [null] }])
    t.throws(() => parseGatewayMap(document), GatewayMapError)
})

t.test('a service that speaks TLS is spoken to in TLS, and has to show a certificate of its name', async t => {
  const items = parseGatewayMap({ items: [{ ...item, base_url: 'https://a.example' }] })
  const upstreams = listUpstreams(items, new Map())
  t.strictSame(upstreams, [{ service: 'a', servers: ['a.example:443'], isEncrypted: true }])
  const nginx = writeNginx(items, upstreams, '8080')
  for (const line of ['a https://signet-a;', 'proxy_ssl_verify on;', 'a a.example;']) t.ok(nginx.includes(line), line)
  t.match(writeHaproxy(items, upstreams, '8080'), /ssl verify required .*verifyhost a\.example/)
})

t.test('the words of the command', async t => {
  const nodes = ['--nodes', 'iam=a:1,b:2', '--nodes', 'places=[::1]:3']
  t.match(readOptions(['haproxy', ...nodes, '--to', 'x', '--watch', '5']), {
    kind: 'haproxy',
    listen: '8080',
    nodes: new Map([
      ['iam', ['a:1', 'b:2']],
      ['places', ['[::1]:3']],
    ]),
    watchSeconds: 5,
  })
  t.equal(readOptions(['--help']), undefined)
  for (const [words, message] of [
    [['apache'], /Say nginx or haproxy/],
    [['nginx', 'haproxy'], /Say nginx or haproxy/],
    [['nginx', '--watch', '5'], /--watch needs --to/],
    [['nginx', '--watch', 'x', '--to', 'y'], /--watch takes seconds/],
    [['nginx', '--nodes', 'iam'], /has to be like/],
    [['nginx', '--nodes', 'iam=a:1;'], /has to be like/],
    [['nginx', '--listen', '80; x'], /is no port/],
    [['nginx', '--port', '80'], /--port/],
  ] as const)
    t.throws(() => readOptions(words), message)
})

t.test('one origin', { skip: noProxy }, async t => {
  const key = 'a key of the gateway alone 4711'
  plantCanary('service key', key)
  const replays = await prepareReplays(t, key)
  const ports = { nginx: await freePort(), haproxy: await freePort() }
  const kindOfReplays = choosePresent('nginx')
  const { home } = await startInstallation(t, { ...replays.settings, ...settingsBehind(ports[kindOfReplays]) })
  const admin = await readFirstAdmin(home.adminFile)
  const credentials = { email: admin?.email, password: admin?.password }
  const own = { iam: home.addresses.iam, 'admin-api': home.addresses.admin, places: home.addresses.places }
  const billing = createServer((request, response) => response.end(`billing ${request.method} ${request.url}`))
  await new Promise<void>(resolve => billing.listen(0, '127.0.0.1', resolve))
  t.teardown(() => billing.close())

  for (const kind of ['nginx', 'haproxy'] as const) {
    await t.test(`by ${kind}`, { skip: absentProxies[kind] }, async t => {
      // The first of two nodes of the issuer is not there: nobody notices.
      const nodes = `iam=127.0.0.1:${await freePort()},${new URL(own.iam).host.replace('localhost', '127.0.0.1')}`
      const proxy = await startProxy(t, { kind, home, port: ports[kind], key, words: ['--nodes', nodes] })
      const { origin } = proxy

      if (kind === kindOfReplays)
        await t.test('callers of the older systems change nothing but the base URL', async t =>
          replays.walk(t, home, proxy.addresses),
        )

      await t.test('people sign in, read and administer', async () => {
        const tokens = await callApi('POST', `${origin}/api/v1/tokens`, { body: credentials, expect: 200 })
        plantSecretsOf(tokens)
        const token = textOf(tokens, 'access_token')
        await callApi('GET', `${origin}/api/v1/me`, { token, expect: 200 })
        await callApi('GET', `${origin}/admin/v1/roles`, { token, expect: 200 })
        await callApi('GET', `${origin}/places`, { token, expect: 200 })
        await callApi('GET', `${origin}/.well-known/jwks.json`, { expect: 200 })
      })

      await t.test('every route is answered by the program that has it', async t => {
        for (const { program, method, path } of operations) {
          if ((operationsOwners[path] ?? program) !== program || path === '/verifier/events') continue
          const url = path.replace(/\{[^}]*\}/g, 'x')
          // Nobody calls, with nothing: enough to tell who answers, and nothing changes.
          const [through, direct] = await Promise.all([
            fetch(origin + url, { method }),
            fetch(own[program] + url, { method }),
          ])
          const name = `${method} ${path} of ${program}`
          t.ok(through.headers.has('x-request-id'), `${name}: the gateway finds it`)
          if (direct.status !== 429) t.equal(through.status, direct.status, name)
          await Promise.all([through.arrayBuffer(), direct.arrayBuffer()])
        }
      })

      await t.test('what nobody has is not found, and nothing leads around the map', async t => {
        for (const path of ['/nowhere', '/api/v1/nothing', '/admin', '/placesx', '/xwell-known/jwks.json']) {
          const answer = await fetch(origin + path)
          t.equal(answer.status, 404, path)
          t.notOk(answer.headers.has('x-request-id'), `${path} reaches no program`)
        }
        t.equal((await fetch(`${origin}/api/v1/tokens`, { method: 'PATCH' })).status, 404)
      })

      await t.test('events are told when they happen', async t => {
        const events = await fetch(`${origin}/verifier/events`, { signal: AbortSignal.timeout(20_000) })
        t.equal(events.status, 200)
        const reader = events.body?.getReader()
        t.ok(((await reader?.read())?.value?.length ?? 0) > 0)
        await reader?.cancel()
      })

      await t.test('a service that registers is found with the next map', async t => {
        const registration = {
          base_url: `http://127.0.0.1:${(billing.address() as AddressInfo).port}`,
          routes: [{ path: '/invoices/{id}', methods: ['GET'], access: 'public' }],
        }
        const put = await fetch(`${home.addresses.admin}/admin/v1/services/billing`, {
          method: 'PUT',
          headers: { 'x-api-key': key, 'content-type': 'application/json' },
          body: JSON.stringify(registration),
        })
        t.ok([200, 201].includes(put.status), String(put.status))
        t.match(proxy.generate(), { status: 0 })
        proxy.reload()
        const find = async () => (await fetch(`${origin}/invoices/7`).catch(() => undefined))?.text()
        let found = await find()
        for (const end = performance.now() + 10_000; found !== 'billing GET /invoices/7' && performance.now() < end; )
          found = await find()
        t.equal(found, 'billing GET /invoices/7')
      })

      t.notMatch(proxy.output(), /GET|POST|regeneratetoken/, 'no path is logged, though a node was not there')
    })
  }
})
