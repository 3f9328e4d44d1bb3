import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inTenant } from '@signet/db'
import { newId, SettingsError } from '@signet/kernel'
import type { TestPerson } from '@signet/testkit'
import t, { type Test } from 'tap'
import { readConfig } from '../src/config.ts'
import { createServiceClient } from '../src/service-client.ts'
import { createWorld, internalKey } from './world.ts'

async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer({ maxHeaderSize: 1024 * 1024 }, listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const json = (response: ServerResponse, body: unknown, headers = {}) =>
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

const asked: { name: string; url: string | undefined; key: unknown }[] = []
const good = (name: string, body: object) =>
  serve(t, (request, response) => {
    asked.push({ name, url: request.url, key: request.headers['x-api-key'] })
    json(response, body)
  })
const serviceUrls = {
  lifecycle: await good('lifecycle', { clients: [{ name: 'Ada', status: 'Pending Review' }] }),
  billing: await good('billing', { balance: 12 }),
  vault: await good('vault', { documents: 3 }),
}
const world = await createWorld(t, { serviceUrls })
const { database, cast, company, other, admin, call } = world

const dashboard = async (who: Parameters<typeof call>[0]) => {
  const answer = await call(who, 'GET', 'advisors/me/dashboard')
  t.equal(answer.status, 200, answer.text)
  return answer.body
}
const assign = (advisor: TestPerson, client: TestPerson) =>
  call(admin, 'PUT', `advisors/${advisor.userId}/clients/${client.userId}`)

t.test('the dashboard of an advisor', async t => {
  const advisor = await cast.addActor(company, { roles: ['advisor'] })
  const [active, suspended, guest, foreign] = [
    await cast.addPerson(company),
    await cast.addPerson(company),
    await cast.addPerson(other),
    await cast.addPerson(company),
  ]
  await cast.addGuest(company, guest)

  await t.test('is empty at first', async t => {
    t.match(await dashboard(advisor), {
      brand: null,
      counts: { clients: 0, active: 0, suspended: 0, invited: 0, open_client_tokens: 0 },
      clients: { items: [], total: 0 },
    })
  })
  await t.test('shows their clients, guests too, with the state of each and when they signed in', async t => {
    for (const client of [active, suspended, guest]) await assign(advisor, client)
    await assign(await cast.addPerson(company, { roles: ['advisor'] }), foreign)
    await call(admin, 'POST', `users/${suspended.userId}/suspend`)
    await cast.signIn(active)
    const { counts, clients } = await dashboard(advisor)
    t.match(counts, { clients: 3, active: 2, suspended: 1 })
    t.equal(clients.total, 3)
    t.match(clients.items, [
      { user_id: guest.userId, email: guest.email, status: 'active', last_sign_in_at: null },
      { user_id: suspended.userId, status: 'suspended' },
      { user_id: active.userId, email: active.email, status: 'active', last_sign_in_at: /Z$/ },
    ])
  })
  await t.test('counts what is open of their tokens and invitations', async t => {
    await inTenant(database.db, company, async ({ sql }) => {
      const add = (kind: string, expires: string, redeemed: Date | null) => sql`
        insert into client_tokens (tenant_id, id, kind, advisor_id, user_id, invited_email, token_hash, expires_at, redeemed_at)
        values (${company}, ${newId()}, ${kind}, ${advisor.userId}, ${kind === 'access' ? active.userId : null},
          ${kind === 'access' ? null : 'new@example.test'}, ${Buffer.from(newId())}, now() + ${expires}::interval, ${redeemed})`
      await add('access', '1 hour', null)
      await add('access', '-1 hour', null)
      await add('invitation', '1 hour', null)
      await add('invitation', '1 hour', null)
      await add('invitation', '1 hour', new Date())
    })
    t.match((await dashboard(advisor)).counts, { invited: 2, open_client_tokens: 1 })
  })
  await t.test('shows their own brand', async t => {
    const brand = await call(admin, 'POST', 'brands', { name: 'Harbour', primary_color: '#0a7cff' })
    await call(admin, 'PUT', `brands/${brand.body.id}/advisors/${advisor.userId}`)
    t.same((await dashboard(advisor)).brand, {
      id: brand.body.id,
      name: 'Harbour',
      logo_url: null,
      primary_color: '#0a7cff',
    })
  })
  await t.test('shows what happened to their clients and to nobody else, without what is none of theirs', async t => {
    await call(admin, 'PATCH', `users/${active.userId}`, { name: 'Ada' })
    await call(admin, 'PATCH', `users/${foreign.userId}`, { name: 'Eve' })
    const { recent_activity: events } = await dashboard(advisor)
    t.match(events[0], { action: 'user.modified', target_id: active.userId, actor_id: admin.userId })
    t.ok(events.length <= 20)
    t.notOk(events.some((event: { target_id: string }) => event.target_id === foreign.userId))
    t.same(Object.keys(events[0]).toSorted(), ['action', 'actor_id', 'at', 'id', 'target_id', 'target_type'])
  })
  await t.test('T-03 holds nothing of another tenant', async t => {
    const elsewhere = await cast.addActor(other, { roles: ['advisor'] })
    t.match(await dashboard(elsewhere), {
      brand: null,
      counts: { clients: 0 },
      clients: { items: [] },
      recent_activity: [],
    })
  })
  await t.test('is for advisors alone', async t => {
    for (const who of [admin, await cast.addActor(company)])
      t.match(await call(who, 'GET', 'advisors/me/dashboard'), {
        status: 403,
        body: { code: 'forbidden', detail: 'This needs the role advisor.' },
      })
  })
  await t.test('asks each service for the advisor, with the key of the installation', async t => {
    asked.length = 0
    const { services } = await dashboard(advisor)
    t.same(services, {
      lifecycle: { status: 'ok', data: { clients: [{ name: 'Ada', status: 'Pending Review' }] } },
      billing: { status: 'ok', data: { balance: 12 } },
      vault: { status: 'ok', data: { documents: 3 } },
    })
    const query = `?advisor_email=${encodeURIComponent(advisor.email)}`
    t.same(
      asked.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: 'billing', url: `/api/v1/tokens/balance${query}`, key: internalKey },
        { name: 'lifecycle', url: `/api/v1/clients${query}`, key: internalKey },
        { name: 'vault', url: `/api/v1/dashboard${query}`, key: internalKey },
      ],
    )
  })
})

t.test('a service that does not answer as it should is unavailable, and the others are heard', async t => {
  const open: ServerResponse[] = []
  let isFollowed = false
  const elsewhere = await serve(t, (_request, response) => {
    isFollowed = true
    json(response, {})
  })
  const faulty: Readonly<Record<string, RequestListener>> = {
    slow: (_request, response) => void open.push(response),
    'slow-body': (_request, response) => {
      open.push(response)
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":')
    },
    endless: (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 0x20)));
      }
      response.on('drain', more)
      more()
    },
    failing: (_request, response) => void response.writeHead(500, { 'content-type': 'application/json' }).end('{}'),
    html: (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('{}'),
    untyped: (_request, response) => void response.writeHead(200).end('{}'),
    broken: (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{'),
    list: (_request, response) => void json(response, [1]),
    large: (_request, response) => void json(response, { text: 'x'.repeat(10 * 1024 * 1024) }),
    headers: (_request, response) => void json(response, {}, { 'x-large': 'x'.repeat(64 * 1024) }),
    moved: (_request, response) => void response.writeHead(302, { location: elsewhere }).end(),
    hangup: request => void request.socket.destroy(),
    garbage: request => void request.socket.end('no HTTP at all\r\n\r\n'),
  }
  const urls: Record<string, string> = { refusing: 'http://127.0.0.1:1', billing: serviceUrls.billing }
  for (const [name, listener] of Object.entries(faulty)) urls[name] = await serve(t, listener)
  const client = createServiceClient({ urls, key: internalKey })
  t.teardown(() => client.close())

  const answers = await client.askAll('ada@example.test')
  t.equal(open.length, 2)
  t.ok(
    open.every(response => !response.writableEnded),
    'those that are slow have not answered: nobody has waited for them',
  )
  t.same(Object.keys(answers).toSorted(), Object.keys(urls).toSorted())
  for (const [name, answer] of Object.entries(answers))
    if (name === 'billing') t.same(answer, { status: 'ok', data: { balance: 12 } })
    else t.same(answer, { status: 'unavailable' }, name)
  t.notOk(isFollowed, 'no redirect takes the key elsewhere')
  t.match(await client.askAll('ada@example.test'), { billing: { status: 'ok' } }, 'and the next one is served as well')
  t.match(
    await client.askAll(null),
    { billing: { status: 'unavailable' } },
    'without an address there is nothing to ask',
  )
})

t.test('what an address holds cannot leave its place in the query', async t => {
  let url: string | undefined
  const billing = await serve(t, (request, response) => {
    url = request.url
    json(response, {})
  })
  const client = createServiceClient({ urls: { billing }, key: undefined })
  t.teardown(() => client.close())
  await client.askAll('a&admin=1#/../x?@example.test')
  t.equal(url, '/api/v1/tokens/balance?advisor_email=a%26admin%3D1%23%2F..%2Fx%3F%40example.test')
})

t.test('the settings name services', async t => {
  const read = (environment: Record<string, string>) =>
    readConfig({ DATABASE_URL: 'postgres://signet@localhost/signet', ...environment })['ENG_<NAME>_URL']
  t.same(read({}), {})
  t.same(
    read({
      ENG_BILLING_URL: 'http://localhost:5003',
      ENG_DATA_LAKE_URL: 'https://lake.example.test/api',
      ENG_VAULT_URL: '',
    }),
    {
      billing: 'http://localhost:5003',
      'data-lake': 'https://lake.example.test/api',
    },
  )
  for (const [name, value] of [
    ['ENG_BILLING_URL', 'http://localhost:5003/'],
    ['ENG_BILLING_URL', 'file:///etc/passwd'],
    ['ENG_BILLING_URL', 'http://user@localhost'],
    ['ENG_BILLING_URL', 'http://localhost?x=1'],
  ] as const)
    t.throws(() => read({ [name]: value }), { name: 'SettingsError', message: new RegExp(`${name} has to be`) })
  t.throws(() => read({ SIGNET_BILLING_URL: 'http://localhost:5003' }), SettingsError)
})
