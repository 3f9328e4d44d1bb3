// Refreshes that wait at the same time are one statement: each is answered as if it had come alone.
import { newId, type TenantId } from '@signet/kernel'
import t from 'tap'
import { type Answer, testApp, type Tokens } from './test-app.ts'

const a = await testApp(t)
const otherTenant = newId<TenantId>()
await a.asOwner(async sql => {
  await sql`insert into tenants (id, slug, name) values (${otherTenant}, 'beta', 'Beta')`
  await sql`select create_built_in_roles(${otherTenant})`
})

const refresh = (tokens: Tokens): Promise<Answer> =>
  a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })

interface Claims {
  readonly sid: string
  readonly sub: string
  readonly tid: string
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  readonly auth_time: number
  readonly status: { readonly status_list: { readonly idx: number; readonly uri: string } }
}

const claimsOf = (accessToken: string): Claims =>
  JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())

interface Member {
  readonly name: string
  readonly tokens: Tokens
  /** What has become of the token meanwhile. */
  readonly fate: string
}

/** What has happened to a session since its sign-in, and what a refresh answers then. */
const fates: Readonly<Record<string, { strike: (tokens: Tokens) => Promise<unknown>; answer: object }>> = {
  lives: { strike: async () => undefined, answer: { status: 200 } },
  ended: {
    strike: tokens => a.post('/api/v1/tokens/revoke', { refresh_token: tokens.refresh_token }),
    answer: { status: 401, body: { code: 'session-ended' } },
  },
  suspended: {
    strike: tokens =>
      a.asOwner(sql => sql`update users set status = 'suspended' where id = ${claimsOf(tokens.access_token).sub}`),
    answer: { status: 401, body: { code: 'session-ended' } },
  },
  idle: {
    strike: tokens =>
      a.asOwner(
        sql =>
          sql`update refresh_tokens set expires_at = now() where session_id = ${claimsOf(tokens.access_token).sid}`,
      ),
    answer: { status: 401, body: { code: 'session-ended' } },
  },
  repeated: { strike: refresh, answer: { status: 200 } },
  reused: {
    strike: async tokens => refresh((await refresh(tokens)).body as Tokens),
    answer: { status: 401, body: { code: 'refresh-token-reused' } },
  },
}

/** Signed in: every other six in the other tenant, every fifth one an administrator. */
async function member(number: number, fate: string): Promise<Member> {
  const name = `person-${number}`
  const { id } = await a.register({ email: `${name}@example.com` })
  const tenant = Math.floor(number / 6) % 2 === 0 ? a.company : otherTenant
  const role = number % 5 === 0 ? 'admin' : 'advisor'
  await a.asOwner(async sql => {
    await sql`insert into memberships (tenant_id, id, user_id) values (${tenant}, ${newId()}, ${id}) on conflict do nothing`
    await sql`insert into membership_roles (tenant_id, membership_id, role_id)
      select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id
      where m.tenant_id = ${tenant} and m.user_id = ${id} and r.name = ${role}`
  })
  const signedIn = await a.signIn(`${name}@example.com`)
  const tokens =
    tenant === a.company
      ? signedIn
      : (await a.post('/api/v1/tokens/tenant', { tenant_id: tenant }, signedIn.access_token)).body
  await fates[fate]?.strike(tokens)
  return { name, tokens, fate }
}

const eventsOf = (sid: string) =>
  a.asOwner(
    sql => sql<{ tenant: string; action: string; actor: string }[]>`
      select tenant_id as tenant, action, actor_id as actor from audit_events where session_id = ${sid} order by id`,
  )

t.test('of many at once, of two tenants and with all that can have happened, each has its own answer', async t => {
  const members: Member[] = []
  for (const number of Array.from({ length: 48 }).keys()) {
    members.push(await member(number, Object.keys(fates)[number % 6] ?? 'lives'))
  }
  const answers = await Promise.all(members.map(({ tokens }) => refresh(tokens)))
  for (const [index, { name, tokens, fate }] of members.entries()) {
    const answer = answers[index]
    t.match(answer, fates[fate]?.answer ?? {}, `${name}: ${fate}`)
    const before = claimsOf(tokens.access_token)
    const events = await eventsOf(before.sid)
    t.same(new Set(events.map(({ tenant }) => tenant)), new Set([before.tid]), 'audited under its tenant')
    t.same(new Set(events.map(({ actor }) => actor)), new Set([before.sub]), 'as its own person')
    if (answer?.status !== 200) continue
    t.same(lasting(claimsOf(answer.body.access_token)), lasting(before), `${name} with what is theirs`)
    t.equal(events.filter(({ action }) => action === 'token.refreshed').length, 1)
  }
})

/** Claims that stay as they are from one token of a session to the next. */
function lasting({ sid, sub, tid, roles, permissions, auth_time: signedInAt, status }: Claims) {
  return { sid, sub, tid, roles, permissions, signedInAt, status }
}

t.test('a token that comes twice in one statement is spent once', async t => {
  const [twice, once] = await Promise.all(['person-0', 'person-6'].map(name => a.signIn(`${name}@example.com`)))
  const presented = [twice, twice, once].map(tokens => a.deps.refreshTokens.read(tokens?.refresh_token ?? ''))
  const rows = await a.asOwner(
    sql => sql<{ place: number }[]>`
      select place::int from refresh_sessions(${presented.map(token => token?.sessionId ?? null)}::uuid[],
        ${presented.map(token => `\\x${token?.hash.toString('hex')}`)}::text[]::bytea[], array_fill('\\x00'::bytea, array[3]),
        array_fill('1 day'::interval, array[3]), array_fill(null::text, array[3]), array_fill(null::uuid, array[3]),
        array_fill(null::text, array[3])) order by place`,
  )
  t.match(
    rows.map(({ place }) => place),
    [/^[12]$/, 3],
  )
  t.equal(rows.length, 2)
})
