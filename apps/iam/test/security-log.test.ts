import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openMetrics } from '@signet/http'
import { newId, type TenantId } from '@signet/kernel'
import t from 'tap'
import { createCounts } from '../src/metrics.ts'
import { password, testApp, type Tokens } from './test-app.ts'

const root = new URL('../../../', import.meta.url)
const document = readFileSync(new URL('../docs/audit-events.md', import.meta.url), 'utf8')
const [securityPart = '', administrationPart = ''] = document
  .slice(document.indexOf('## The security log'))
  .split('## Administration')

/** The rows of a table, each with its cells. */
const rowsOf = (part: string): string[][] =>
  part
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line => line.split('|').map(cell => cell.trim()))
const actionsIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, action]) => action ?? '')
const securityRows = rowsOf(securityPart)

t.test('docs/audit-events.md lists every action in the source, and no other', async t => {
  const folders = ['apps/iam/src', 'apps/admin-api/src', 'packages/accounts/src', 'drizzle']
  const files = folders.flatMap(folder =>
    readdirSync(new URL(folder, root), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && /\.(ts|sql)$/.test(entry.name))
      .map(entry => `${entry.parentPath}/${entry.name}`),
  )
  t.ok(files.length > 150, fileURLToPath(root))
  const literals = files.flatMap(file =>
    [...readFileSync(file, 'utf8').matchAll(/'([a-z-]+\.[a-z-]+)'/g)].map(([, literal]) => literal ?? ''),
  )
  // Names of files, attributes that policies read, and an event that goes to other services and into no log.
  const others = (literal: string) => /\.(ts|js|json|sql|html)$|^principal\./.test(literal) || literal === 'user.login'
  const listed = [...securityRows, ...rowsOf(administrationPart)].flatMap(([, cell]) => actionsIn(cell))
  t.equal(new Set(listed).size, listed.length, 'each once')
  t.same([...new Set(literals.filter(literal => !others(literal)))].toSorted(), listed.toSorted())
})

t.test('what happens on the ways in', async t => {
  const metrics = await openMetrics('127.0.0.1', 0)
  t.teardown(() => metrics.close())
  const counts = createCounts(metrics.of('iam'))
  const a = await testApp(t, { deps: { adminEmail: 'root@example.com', counts } })
  const agent = 'a device by its name'
  const secrets = new Set<string>([password])
  const noteSecrets = (tokens: Tokens): Tokens => {
    for (const token of [tokens.access_token, tokens.refresh_token]) secrets.add(token)
    return tokens
  }
  const send = async (method: 'POST' | 'PUT' | 'DELETE', url: string, body: object | undefined, token?: string) => {
    const answer = await a.app.inject({
      method,
      url,
      headers: { 'user-agent': agent, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(body === undefined ? {} : { payload: body }),
    })
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() }
  }
  const signIn = async (email: string, typed = password): Promise<Tokens> =>
    noteSecrets((await send('POST', '/api/v1/tokens', { email, password: typed })).body)
  const refresh = async (tokens: Tokens) =>
    send('POST', '/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })
  const register = (email: string) => send('POST', '/api/v1/users', { email, password })

  const { id: ada } = (await register('ada@example.com')).body
  const tokens = await signIn('ada@example.com')

  await t.test('is done', async t => {
    secrets.add('Tr0ub4dor and more')
    for (let each = 0; each < 12; each += 1)
      await send('POST', '/api/v1/tokens', { email: 'nobody@example.com', password: 'Tr0ub4dor and more' })
    // From another device: the one that registers is known.
    await a.register({ email: 'locked@example.com' })
    await send('POST', '/api/v1/tokens', { email: 'locked@example.com', password: 'Tr0ub4dor and more' })
    await a.asOwner(sql => sql`update account_counters set failures = 100, taken = 0 where failures = 1`)
    t.equal((await send('POST', '/api/v1/tokens', { email: 'locked@example.com', password })).status, 429)

    const first = await signIn('ada@example.com')
    const second = noteSecrets((await refresh(first)).body)
    noteSecrets((await refresh(second)).body)
    t.equal((await refresh(first)).body.code, 'refresh-token-reused')
    t.equal((await refresh(second)).body.code, 'session-ended')
    const third = await signIn('ada@example.com')
    t.equal((await send('POST', '/api/v1/tokens/revoke', { refresh_token: third.refresh_token })).status, 204)
    t.equal((await send('DELETE', '/api/v1/sessions', undefined, tokens.access_token)).status, 204)

    for (let each = 0; each < 2; each += 1)
      t.equal((await send('POST', '/api/v1/otp/requests', { email: 'ada@example.com' })).status, 202)
    const code = await a.codeFor('ada@example.com')
    secrets.add(code)
    const wrong = code === '000000' ? '000001' : '000000'
    t.equal((await send('POST', '/api/v1/otp/verifications', { email: 'ada@example.com', code: wrong })).status, 400)
    const byCode = await send('POST', '/api/v1/otp/verifications', { email: 'ada@example.com', code })
    t.equal(byCode.status, 200)
    const own = noteSecrets(byCode.body)

    const key = 'a long key that renews tokens'
    secrets.add(key)
    t.equal((await send('PUT', '/api/v1/me/refresh-key', { key }, own.access_token)).status, 204)
    t.equal((await send('DELETE', '/api/v1/me/refresh-key', undefined, own.access_token)).status, 204)

    await register('grace@example.com')
    const grace = await signIn('grace@example.com')
    const next = 'another harbour, just as quiet'
    secrets.add(next)
    for (const [typed, status] of [
      ['Tr0ub4dor and more', 401],
      [password, 204],
    ] as const) {
      const change = { current_password: typed, new_password: next }
      t.equal((await send('PUT', '/api/v1/me/password', change, grace.access_token)).status, status)
    }

    const { id: advisor } = (await register('advisor@example.com')).body
    await a.asOwner(async sql => {
      await sql`insert into membership_roles (tenant_id, membership_id, role_id)
        select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = 'advisor'
        where m.user_id = ${advisor}`
      await sql`insert into advisor_clients (tenant_id, advisor_id, user_id) values (${a.company}, ${advisor}, ${ada})`
    })
    const { access_token: advising } = await signIn('advisor@example.com')
    const mint = async () => {
      const minted = await send('POST', '/api/v1/advisor/client-tokens', { user_id: ada }, advising)
      t.equal(minted.status, 201)
      secrets.add(minted.body.token)
      return minted.body as { id: string; token: string }
    }
    const [taken, withdrawn] = [await mint(), await mint()]
    const redeemed = await send('POST', '/auth/client-token', { token: taken.token })
    t.equal(redeemed.status, 200)
    noteSecrets(redeemed.body)
    t.equal((await send('POST', '/auth/client-token', { token: taken.token })).status, 401)
    const path = `/api/v1/advisor/client-tokens/${withdrawn.id}`
    t.equal((await send('DELETE', path, undefined, advising)).status, 204)

    const other = newId<TenantId>()
    await a.asOwner(sql => sql`select create_tenant(${other}, 'other', 'Other', '{}')`)
    const staff = await signIn('root@example.com')
    const entered = await send('POST', '/api/v1/tokens/tenant', { tenant_id: other }, staff.access_token)
    t.equal(entered.status, 200)
    noteSecrets(entered.body)
  })

  const events = await a.asOwner(async sql => [
    ...(await sql<
      { action: string; ip: string; user_agent: string; request_id: string; session_id: string | null; text: string }[]
    >`
      select action, ip, user_agent, request_id, session_id, to_jsonb(e)::text as text from audit_events e
      where request_id is not null`),
  ])

  await t.test('is told with address, device, request, and session where there is one', async t => {
    /** What other files make happen: it takes a contact, a code by mail, an older system, or a whole day's invitations. */
    const elsewhere = new Set([
      'password.reset',
      'refresh-key.refused',
      'user.contact-changed',
      'user.claimed',
      'client-token.throttled',
    ])
    for (const [, action = '', , session] of securityRows) {
      for (const name of actionsIn(action)) {
        const told = events.filter(event => event.action === name)
        if (!elsewhere.has(name)) t.ok(told.length > 0, `${name} happened`)
        for (const event of told) {
          t.match(event, { ip: '127.0.0.1', user_agent: agent, request_id: /^[0-9a-f-]{36}$/ }, name)
          if (session === 'session') t.match(event.session_id, /^[0-9a-f-]{36}$/, `${name}: session`)
        }
      }
    }
  })
  await t.test('and never with a secret', async t => {
    t.ok(secrets.size > 15 && events.length > 40)
    const log = events.map(({ text }) => text).join('\n')
    for (const secret of secrets) {
      const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')]
      const isCode = /^\d{6}$/.test(secret)
      const isThere = isCode
        ? new RegExp(`(?<![\\w.-])${secret}(?![\\w-])`).test(log)
        : forms.some(form => log.includes(form))
      t.notOk(isThere, isCode ? 'a code' : `${secret.slice(0, 6)}…`)
    }
    t.notMatch(log, /argon2/)
  })
  await t.test('and is counted, by reasons of which there are few and never by who it was', async t => {
    const text = await (await fetch(metrics.url ?? '')).text()
    const countOf = (series: string) => Number(new RegExp(`^${series},program="iam"} (\\d+)$`, 'm').exec(text)?.[1])
    t.equal(countOf('signet_sign_ins_total{method="password",outcome="success"'), 6)
    t.equal(countOf('signet_sign_ins_total{method="password",outcome="failure"'), 14)
    for (const [reason, count] of [
      ['unknown-user', 10],
      ['throttled', 2],
      ['wrong-password', 1],
      ['locked', 1],
    ])
      t.equal(countOf(`signet_sign_in_failures_total{method="password",reason="${reason}"`), count, String(reason))
    t.equal(countOf('signet_sign_in_failures_total{method="code",reason="wrong"'), 1)
    t.equal(countOf('signet_sign_in_failures_total{method="client-token",reason="invalid"'), 1)
    for (const reason of ['reused', 'ended'])
      t.equal(countOf(`signet_refresh_refusals_total{reason="${reason}"`), 1, reason)
    for (const [grant, count] of [
      ['password', 6],
      ['code', 1],
      ['refresh', 2],
      ['client-token', 1],
      ['tenant', 1],
    ])
      t.equal(countOf(`signet_tokens_issued_total{grant="${grant}"`), count, String(grant))
    t.notMatch(text, /example\.com|[0-9a-f]{8}-[0-9a-f]{4}-/, 'no address and no id')
  })
})
