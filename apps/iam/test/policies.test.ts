/** What policies do to tokens, and to those who act for somebody. The rows are as the administration writes them. */
import { newId } from '@signet/kernel'
import t from 'tap'
import { testApp, type Tokens } from './test-app.ts'

const a = await testApp(t)
const claimsOf = (tokens: Tokens) =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
const refresh = async (tokens: Tokens) => a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })
const me = (tokens: Tokens) => a.call('GET', '/api/v1/me', { token: tokens.access_token })

interface StatementRow {
  readonly effect: 'permit' | 'forbid'
  readonly actions: readonly string[] | null
  readonly isTemplate: boolean
  readonly isConditional: boolean
}

async function addPolicy({ effect, actions, isTemplate, isConditional }: StatementRow): Promise<string> {
  const id = newId()
  await a.asOwner(async sql => {
    await sql`insert into policies (tenant_id, id, name, source) values (${a.company}, ${id}, ${id}, 'as its statements say')`
    await sql`insert into policy_statements
      (tenant_id, policy_id, number, line, effect, actions, is_template, is_conditional, is_personal)
      values (${a.company}, ${id}, 1, 1, ${effect}, ${actions === null ? null : [...actions]}, ${isTemplate}, ${isConditional}, ${isTemplate})`
  })
  return id
}
const attach = (policy: string, user: string) =>
  a.asOwner(
    sql =>
      sql`insert into policy_attachments (tenant_id, policy_id, user_id) values (${a.company}, ${policy}, ${user})`,
  )
const detach = (policy: string) => a.asOwner(sql => sql`delete from policy_attachments where policy_id = ${policy}`)
const removePolicy = (policy: string) =>
  a.asOwner(async sql => {
    await sql`delete from policy_attachments where policy_id = ${policy}`
    await sql`delete from policies where id = ${policy}`
  })
const giveRole = (user: string, role: string) =>
  a.asOwner(
    sql => sql`insert into membership_roles (tenant_id, membership_id, role_id)
      select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = ${role}
      where m.tenant_id = ${a.company} and m.user_id = ${user}`,
  )

let people = 0
async function someone(...roles: string[]) {
  const email = `person-${++people}@example.com`
  const { id } = await a.register({ email })
  for (const role of roles) await giveRole(id, role)
  return { id, email, tokens: await a.signIn(email) }
}

const permission = 'invoices:read'
await a.asOwner(async sql => {
  await sql`insert into permissions (code, service, description) values (${permission}, 'billing', '')`
  const role = newId()
  await sql`insert into roles (tenant_id, id, name) values (${a.company}, ${role}, 'clerk')`
  await sql`insert into role_permissions (tenant_id, role_id, permission_code) values (${a.company}, ${role}, ${permission})`
})

t.test('the next token shows what policies without conditions have changed', async t => {
  const { id, email, tokens } = await someone('clerk')
  let last = tokens
  /** What the next token of the session says, and that of a new sign-in. */
  const permissionsNow = async () => {
    last = (await refresh(last)).body
    const [renewed, fresh] = [claimsOf(last).permissions, claimsOf(await a.signIn(email)).permissions]
    t.strictSame(renewed, fresh, 'renewed or new')
    return renewed
  }
  const forbid = { effect: 'forbid', actions: [permission], isTemplate: true, isConditional: false } as const
  t.strictSame(await permissionsNow(), [permission])

  await t.test('a forbid that is attached, until it is taken away', async t => {
    const policy = await addPolicy(forbid)
    t.strictSame(await permissionsNow(), [permission], 'attached to nobody it says nothing')
    await attach(policy, id)
    t.strictSame(await permissionsNow(), [])
    await detach(policy)
    t.strictSame(await permissionsNow(), [permission])
  })
  await t.test('a forbid for everybody', async t => {
    const policy = await addPolicy({ ...forbid, isTemplate: false })
    t.strictSame(await permissionsNow(), [])
    await removePolicy(policy)
    t.strictSame(await permissionsNow(), [permission])
    const everything = await addPolicy({ ...forbid, actions: null, isTemplate: false })
    t.strictSame(await permissionsNow(), [])
    await removePolicy(everything)
  })
  await t.test('a permit, unless something forbids the same', async t => {
    const permit = await addPolicy({ ...forbid, effect: 'permit', actions: ['users:read'] })
    await attach(permit, id)
    t.strictSame(await permissionsNow(), [permission, 'users:read'])
    const policy = await addPolicy({ ...forbid, actions: ['users:read'], isTemplate: false })
    t.strictSame(await permissionsNow(), [permission])
    await removePolicy(policy)
    await removePolicy(permit)
  })
  await t.test(
    'and no permissions where one has a condition, which a service decides that knows the resource',
    async t => {
      const policies = await Promise.all([
        addPolicy({ ...forbid, isConditional: true }),
        addPolicy({ ...forbid, effect: 'permit', actions: ['users:read'], isConditional: true }),
      ])
      t.strictSame(await permissionsNow(), [permission], 'those of nobody change no token')
      for (const policy of policies) {
        await attach(policy, id)
        t.equal(await permissionsNow(), undefined, 'a list would be taken for the whole truth, whatever the resource')
        await removePolicy(policy)
      }
      t.strictSame(await permissionsNow(), [permission])
    },
  )
})

t.test('X-02 an advisor acts for nobody whom a condition could let do more', async t => {
  const more = { effect: 'permit', actions: ['users:read'], isTemplate: true, isConditional: true } as const
  const [advisor, client] = [await someone('advisor', 'clerk'), await someone('clerk')]
  await a.asOwner(
    sql =>
      sql`insert into advisor_clients (tenant_id, advisor_id, user_id) values (${a.company}, ${advisor.id}, ${client.id})`,
  )
  const ask = () => a.post('/api/v1/advisor/client-tokens', { user_id: client.id }, advisor.tokens.access_token)
  const redeem = (token: string) => a.post('/auth/client-token', { token })
  const acting = (await redeem((await ask()).body.token)).body as Tokens
  t.equal((await me(acting)).status, 200, 'as long as the client may no more than the advisor')
  const unspent = (await ask()).body.token

  const policy = await addPolicy(more)
  await attach(policy, client.id)
  t.match(await ask(), { status: 403, body: { code: 'grant-exceeds-own' } }, 'asked for')
  t.match(await redeem(unspent), { status: 401, body: { code: 'invalid-client-token' } }, 'spent')
  t.match(await me(acting), { status: 401, body: { code: 'session-ended' } }, 'used')
  t.equal((await refresh(acting)).status, 401, 'renewed')

  await t.test('nor when the advisor has it under a condition too', async () => {
    await attach(policy, advisor.id)
    t.match(await ask(), { status: 403, body: { code: 'grant-exceeds-own' } })
  })
  await t.test('but when the advisor holds it without one', async () => {
    await attach(await addPolicy({ ...more, isConditional: false }), advisor.id)
    const { body } = await ask()
    t.match(await me((await redeem(body.token)).body), { status: 200 })
  })
})
