/** Advisors and their clients, and what the tests of client tokens look at. */
import type { TenantId } from '@signet/kernel'
import type { TestApp, Tokens } from './test-app.ts'

export function createTokenCallers(a: TestApp) {
  const url = '/api/v1/advisor/client-tokens'
  const claimsOf = (tokens: Tokens) =>
    JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
  const refresh = (tokens: Tokens) => a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })
  const redeem = (token: string, extra: object = {}) => a.post('/auth/client-token', { token, ...extra })
  const me = (tokens: Tokens) => a.call('GET', '/api/v1/me', { token: tokens.access_token })
  const comparable = (text: string) => text.replace(/urn:uuid:[\w-]+/, '')

  /** The events of one request, by name: those of one moment have no order. */
  const eventsOf = (answer: { headers: Record<string, unknown> }) =>
    a.asOwner(async sql => [
      ...(await sql<
        {
          action: string
          tenant_id: string
          actor_id: string | null
          session_id: string | null
          target_type: string
          target_id: string | null
          after: Record<string, unknown> | null
          ip: string
        }[]
      >`
        select action, tenant_id, actor_id, session_id, target_type, target_id, after, ip from audit_events
        where request_id = ${String(answer.headers['x-request-id'])} order by action`),
    ])

  const giveRole = (userId: string, role: string, tenant: TenantId = a.company) =>
    a.asOwner(
      sql => sql`insert into membership_roles (tenant_id, membership_id, role_id)
        select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = ${role}
        where m.tenant_id = ${tenant} and m.user_id = ${userId}`,
    )
  const takeRole = (userId: string, role: string) =>
    a.asOwner(
      sql => sql`delete from membership_roles mr using memberships m, roles r
        where m.tenant_id = mr.tenant_id and m.id = mr.membership_id and r.tenant_id = mr.tenant_id and r.id = mr.role_id
          and m.user_id = ${userId} and r.name = ${role}`,
    )
  const assign = (advisor: string, user: string, tenant: TenantId = a.company) =>
    a.asOwner(
      sql => sql`insert into advisor_clients (tenant_id, advisor_id, user_id) values (${tenant}, ${advisor}, ${user})`,
    )

  let people = 0
  /** Somebody of the company; as an advisor with the role. */
  async function someone(kind: 'client' | 'advisor') {
    people += 1
    const email = `${kind}-${people}@example.com`
    const { id } = await a.register({ email, name: `${kind} ${people}` })
    if (kind === 'advisor') await giveRole(id, 'advisor')
    return { id, email, tokens: await a.signIn(email) }
  }
  /** An advisor with a client who is assigned to them. */
  async function pair() {
    const [advisor, client] = [await someone('advisor'), await someone('client')]
    await assign(advisor.id, client.id)
    const ask = (body: object = {}) => a.post(url, { user_id: client.id, ...body }, advisor.tokens.access_token)
    const token = async (body: object = {}): Promise<string> => (await ask(body)).body.token
    return { advisor, client, ask, token }
  }
  return { url, claimsOf, refresh, redeem, me, comparable, eventsOf, giveRole, takeRole, assign, someone, pair }
}
