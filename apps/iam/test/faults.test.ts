import { withAdminClient } from '@signet/db'
import t from 'tap'
import { password, testApp, type Tokens } from './test-app.ts'

const lines: string[] = []
const stream = { write: (line: string) => void lines.push(line) }
const a = await testApp(t, { log: stream })
await a.register({ email: 'ada@example.com' })

const endConnections = () =>
  withAdminClient(a.database.superUrl, async sql => {
    const ended = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
    return ended.length
  })

t.test(
  'D-01 the database ends every connection twenty times under load: no exit, 503, and nothing is spent twice',
  { timeout: 120_000 },
  async t => {
    const address = await a.app.listen({ host: '127.0.0.1', port: 0 })
    const load = { isRunning: true }
    const seen: Record<string, number> = {}
    const ask = async (url: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> => {
      const answer = await fetch(`${address}${url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      const text = await answer.text()
      const parsed = JSON.parse(text)
      const what = `${url} ${answer.status} ${parsed.code ?? ''}`.trim()
      seen[what] = (seen[what] ?? 0) + 1
      if (answer.status === 503 && answer.headers.get('retry-after') === null)
        throw new Error('a 503 without Retry-After')
      return { status: answer.status, body: parsed }
    }
    // One after the other: of more than ten at once the rest would be throttled.
    const firstTokens: Tokens[] = []
    for (let each = 0; each < 12; each += 1) firstTokens.push(await a.signIn('ada@example.com'))
    // Half of the attempts are lost once they are counted, and after ten of one person without a success that one has to wait.
    const emails = Array.from({ length: 10 }, (_, index) => `person-${index}@example.com`)
    for (const email of emails) await a.register({ email })
    const refreshing = firstTokens.map(async ({ refresh_token: first }) => {
      let token = first
      while (load.isRunning) {
        const { status, body } = await ask('/api/v1/tokens/refresh', { refresh_token: token })
        // A lost answer is asked for again: the same token gives the same successor.
        if (status === 200) token = String(body['refresh_token'])
      }
      return token
    })
    let attempts = 0
    const signingIn = Array.from({ length: 2 }, async () => {
      while (load.isRunning) await ask('/api/v1/tokens', { email: emails[attempts++ % emails.length], password })
    })
    let ended = 0
    for (let round = 0; round < 20; round += 1) {
      const before = seen['/api/v1/tokens/refresh 200'] ?? 0
      ended += await endConnections()
      const deadline = performance.now() + 10_000
      while ((seen['/api/v1/tokens/refresh 200'] ?? 0) < before + 20) {
        if (performance.now() > deadline)
          throw new Error(`Round ${round}: it does not work again. ${JSON.stringify(seen)}`)
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    load.isRunning = false
    const tokens = await Promise.all(refreshing)
    await Promise.all(signingIn)
    t.comment(`${ended} connections ended; ${JSON.stringify(seen)}`)
    const allowed = [
      '/api/v1/tokens/refresh 200',
      '/api/v1/tokens/refresh 503 database-unavailable',
      '/api/v1/tokens 200',
      '/api/v1/tokens 503 database-unavailable',
      '/api/v1/tokens 503 hashing-busy',
    ]
    t.same(
      Object.keys(seen).filter(what => !allowed.includes(what)),
      [],
    )
    t.ok(ended > 20)
    for (const token of tokens)
      t.equal((await a.post('/api/v1/tokens/refresh', { refresh_token: token })).status, 200, 'every family lives')
    const [row] = await a.asOwner(
      sql => sql`select count(*)::int as ended from sessions where end_reason = 'refresh-token-reused'`,
    )
    t.equal(row?.ended, 0)
  },
)

t.test('D-01 a write that was not acknowledged is whole or not there', async t => {
  for (let round = 0; round < 5; round += 1) {
    const people = Array.from({ length: 6 }, (_, index) => ({ email: `round-${round}-${index}@example.com` }))
    const writing = Promise.all(people.map(person => a.post('/api/v1/users', { ...person, password })))
    await new Promise(resolve => setTimeout(resolve, 20 + 10 * round))
    await endConnections()
    const answers = await writing
    for (const answer of answers) t.ok([201, 503].includes(answer.status), `${answer.status}`)
  }
  const halves = await a.asOwner(
    sql => sql`
    select u.email from users u
    left join password_credentials c on c.user_id = u.id left join memberships m on m.user_id = u.id
    left join membership_roles r on r.membership_id = m.id
    left join audit_events e on e.target_id = u.id::text and e.action = 'user.registered'
    where u.email like 'round-%' and (c.hash is null or m.id is null or r.role_id is null or e.id is null)`,
  )
  t.same([...halves], [])
})

t.test('D-04 where the database takes no more connections it says 503, and goes on when it does', async t => {
  const login = new URL(a.database.url).username
  const limitConnections = (most: number) =>
    withAdminClient(a.database.superUrl, sql => sql.unsafe(`alter role ${login} connection limit ${most}`))
  const { refresh_token: token } = await a.signIn('ada@example.com')
  const refresh = () => a.post('/api/v1/tokens/refresh', { refresh_token: token })
  await limitConnections(0)
  await endConnections()
  for (const answer of await Promise.all(Array.from({ length: 16 }, refresh))) {
    t.match(answer, { status: 503, body: { code: 'database-unavailable' } })
    t.ok(answer.headers['retry-after'])
  }
  t.equal((await a.call('GET', '/readyz')).status, 503)
  t.equal((await a.call('GET', '/.well-known/jwks.json')).status, 200)
  await limitConnections(-1)
  t.equal((await refresh()).status, 200)
})

t.test('no secret reaches the log', async t => {
  const tokens = await a.signIn('ada@example.com')
  await a.post('/api/v1/tokens', { email: 'ada@example.com', password: 'Tr0ub4dor-in-the-log' })
  await a.post('/api/v1/users', { email: 'ada@example.com', password: 'Tr0ub4dor-in-the-log' })
  await a.call('GET', `/api/v1/sessions?cursor=${tokens.refresh_token}`, { token: tokens.access_token })
  const log = lines.join('')
  t.match(log, /"route":"\/api\/v1\/tokens"/)
  t.match(log, /database-unavailable/, 'the cause of the 503s is there')
  for (const secret of [
    password,
    'Tr0ub4dor',
    tokens.refresh_token,
    tokens.access_token.slice(-40),
    'argon2id',
    'ada@example.com',
  ]) {
    t.notOk(log.includes(secret), secret)
  }
})
