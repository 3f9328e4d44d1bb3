/**
 * Nothing gets slow because tables grow: what each statement that runs often reads of them, as the server counts it within the
 * transaction, functions and all. No table that grows is read whole, whatever the plan is made for.
 */
import { randomBytes } from 'node:crypto'
import { inTenant, type TenantTx } from '@signet/db'
import { newId } from '@signet/kernel'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { listAuditEvents } from '../src/modules/audit/repo.ts'
import { listMemberships } from '../src/modules/memberships/repo.ts'
import { listUsers } from '../src/modules/users/index.ts'
import { growRows } from './growth-rows.ts'

const { db, superUrl } = await testDatabase(t)
const grown = await growRows(superUrl)
const { tenantId } = grown
const personId = (number: number) => grown.personId(number)
const sessionId = (number: number) => grown.sessionId(number)

interface Reading {
  readonly table: string
  readonly scans: number
  readonly rows: number
}

class Undo extends Error {}

/** What the work reads of each table. It is rolled back. */
async function readingsOf(mode: string, work: (tx: TenantTx) => Promise<unknown>): Promise<readonly Reading[]> {
  let readings: readonly Reading[] = []
  await inTenant(db, tenantId, async tx => {
    // Counts that the connection has not handed over yet are of transactions before this one, too.
    const count = () => tx.sql<Reading[]>`
      select relname as table, seq_scan::int as scans, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows
      from pg_stat_xact_user_tables`
    await tx.sql`select set_config('plan_cache_mode', ${mode}, true)`
    const before = new Map((await count()).map(row => [row.table, row]))
    await work(tx)
    readings = (await count()).map(({ table, scans, rows }) => ({
      table,
      scans: scans - (before.get(table)?.scans ?? 0),
      rows: rows - (before.get(table)?.rows ?? 0),
    }))
    throw new Undo()
  }).catch((error: unknown) => {
    if (!(error instanceof Undo)) throw error
  })
  return readings
}

/** Of the installation, not of its people; and what belongs to no month, which is empty. */
const small = /^(permissions|permission_catalogue|role_permissions|services|service_keys|.*_rest)$/

/** Says which tables are read whole, and of which more rows than `most`. */
async function excessOf(most: number, mode: string, work: (tx: TenantTx) => Promise<unknown>): Promise<string[]> {
  const read = (await readingsOf(mode, work)).filter(({ table }) => !small.test(table))
  return read.flatMap(({ table, scans, rows }) => [
    ...(scans > 0 ? [`${table} is read whole, plans: ${mode}`] : []),
    ...(rows > most ? [`${rows} rows of ${table}, plans: ${mode}`] : []),
  ])
}

const cursorKey = randomBytes(32)
const page = { limit: 50, count: false } as const
const people = (query: object) => (tx: TenantTx) =>
  listUsers(tx, cursorKey, { ...page, sort: '-created_at', ...query } as never)
const events = (query: object) => (tx: TenantTx) =>
  listAuditEvents(tx, cursorKey, { ...page, sort: '-at', ...query } as never)
/** The third page by its cursor. */
const thirdPage =
  (list: (query: object) => (tx: TenantTx) => Promise<{ next_cursor: string | null }>, query: object) =>
  async (tx: TenantTx) => {
    let cursor: string | null = null
    for (let number = 1; number <= 3; number += 1)
      cursor = (await list({ ...query, ...(cursor === null ? {} : { cursor }) })(tx)).next_cursor
  }
const md5 = (tx: TenantTx, text: string) => tx.sql`decode(md5(${text}), 'hex')`
const hour = 3_600_000
const ago = (hours: number) => new Date(Date.now() - hours * hour).toISOString()

const signIn = (email: string | null, username: string | null, phone: string | null) => (tx: TenantTx) =>
  tx.sql`
  select verdict from begin_sign_in('password', ${email}, ${username}, ${phone}, 'tenant-0', null, ${newId()}, ${randomBytes(32)})`
const code = (email: string, hash: string) => (tx: TenantTx) =>
  tx.sql`
  select outcome from verify_code('sign-in', 'email', ${email}, null, 'tenant-0', null, ${newId()}, ${newId()}, ${randomBytes(32)}, ${md5(tx, hash)},
    ${newId()}, '', null, null, null)`

const statements: Readonly<Record<string, (tx: TenantTx) => Promise<unknown>>> = {
  'a refresh': async tx => {
    const [row] = await tx.sql`
      select outcome from refresh_session(${sessionId(1)}, ${md5(tx, 'leaf 1')}, ${randomBytes(32)}, '10 s', '5 d', null, null, null)`
    t.equal(row?.['outcome'], 'rotated')
  },
  'sixteen refreshes together': async tx => {
    const numbers = Array.from({ length: 16 }, (_, index) => index + 21)
    const rows = await tx.sql`
      select place from refresh_sessions(${numbers.map(sessionId)}::uuid[],
        array(select decode(md5('leaf ' || number), 'hex') from unnest(${numbers}::int[]) as number), array_fill('\\x00'::bytea, array[16]),
        array_fill('5 d'::interval, array[16]), array_fill(null::text, array[16]), array_fill(null::uuid, array[16]),
        array_fill(null::text, array[16]))`
    t.equal(rows.length, 16)
  },
  'a sign-in by e-mail': async tx => signIn('person-3@example.com', null, null)(tx),
  'a sign-in by username': async tx => signIn(null, 'person-3', null)(tx),
  'a sign-in by phone': async tx => signIn(null, null, '+491500000003')(tx),
  'a sign-in of nobody': async tx => signIn('nobody@example.com', null, null)(tx),
  'a new session': async tx => tx.sql`
    select kind from open_session(${newId()}, ${personId(4)}, ${tenantId}, 'hash', ${randomBytes(32)}, array['pwd'], '5 d', '30 d',
      'session.opened', null, null, null, 'password', ${randomBytes(32)})`,
  'a code that is asked for': async tx => tx.sql`
    select request_code('sign-in', 'email', 'person-5@example.com', null, 'tenant-0', null, ${newId()}, ${newId()}, ${newId()}, ${randomBytes(32)},
      ${randomBytes(32)}, '10 min', 5, 'sign-in-code', ${newId()}, '', null, null, null)`,
  'a right code': async tx => {
    const [row] = await code('person-6@example.com', 'code 6')(tx)
    t.equal(row?.['outcome'], 'right')
  },
  'a wrong code': async tx => code('person-6@example.com', 'wrong')(tx),
  'the end of a session': async tx => tx.sql`select end_session(${sessionId(7)}, 'signed-out', null, null)`,
  'the end of all sessions of a person': async tx =>
    tx.sql`select end_user_sessions(${personId(8)}, null, 'signed-out')`,
  'the sessions of a person': async tx => tx.sql`select id from sessions_of(${personId(9)})`,
  'an actor': async tx => tx.sql`select roles from load_actor(${personId(11)}, ${tenantId}, ${sessionId(11)})`,
  'the introspection of a token': async tx => tx.sql`select * from introspect_session(${sessionId(11)}, null)`,
  'a client token that is redeemed': async tx => tx.sql`
    select user_id from redeem_client_token(${md5(tx, 'token 1')}, ${newId()}, ${randomBytes(32)}, '5 d', '30 d', '', null, null, null, null, null, null, null, null)`,
  'the status lists that count': async tx => tx.sql`select live_status_lists('15 min')`,
  'a status list': async tx => tx.sql`select load_status_list(1)`,
  'a status list that is gone': async tx => tx.sql`select load_status_list(30)`,
  'what has ended in the last minutes': async tx =>
    tx.sql`select * from sessions_ended_since(now() - interval '10 minutes')`,
  'the version of a bundle': async tx => tx.sql`select find_bundle_version(${tenantId})`,
  'a bundle': async tx => tx.sql`select load_bundle(${tenantId})`,
  'the subjects of a decision': async tx =>
    tx.sql`select id from find_subjects(${tenantId}, ${[personId(12)]}::uuid[])`,
  'a message to deliver': async tx => {
    const [row] = await tx.sql`select id, tenant_id, attempts from claim_message('email', '90 s')`
    await tx.sql`select settle_message(${row?.['tenant_id']}, ${row?.['id']}, ${row?.['attempts']}, 'sent')`
  },
  'people by time': thirdPage(people, {}),
  'people by name': people({ sort: 'name' }),
  'people by e-mail, backwards': people({ sort: '-email' }),
  'people by username': people({ sort: 'username' }),
  'a person by e-mail': people({ email: 'person-13@example.com' }),
  'a person by username': people({ username: 'person-13' }),
  'a person by phone': people({ phone: '+491500000013' }),
  memberships: async tx => listMemberships(tx, cursorKey, { ...page, sort: '-created_at' } as never),
  'the membership of a person': async tx =>
    listMemberships(tx, cursorKey, { ...page, sort: '-created_at', user_id: personId(14) } as never),
  'tenants by time': async tx => tx.sql`select id from all_tenants order by created_at desc, id desc limit 51`,
  'tenants by name': async tx => tx.sql`select id from all_tenants order by coalesce(lower(name), ''), id limit 51`,
  events: thirdPage(events, {}),
  'events of an actor': events({ actor_id: personId(15) }),
  'events of a target': events({ target_type: 'session', target_id: sessionId(16) }),
  'events of a kind that is seldom': events({ action: 'token.reused' }),
  'events of some hours': events({ from: ago(110), to: ago(100) }),
}

const removals = ['sessions', 'otp_challenges', 'client_tokens', 'idempotency_keys', 'known_devices', 'turns']

/** A page of fifty with what belongs to each row. */
const mostRows = 700

t.test('no table that grows is read whole by', async t => {
  for (const [name, work] of Object.entries(statements))
    await t.test(name, async t => {
      for (const mode of ['auto', 'force_generic_plan']) t.same(await excessOf(mostRows, mode, work), [])
    })
})

// Each row is read to be found, to be locked and to be removed, and looked for by what refers to it.
const mostReads = 6_000

t.test('what is over is found without reading what is not, of', async t => {
  for (const what of removals)
    await t.test(what, async t => {
      const work = async (tx: TenantTx) => {
        const [row] = await tx.sql<{ removed: number }[]>`select remove_expired(${what}) as removed`
        t.ok((row?.removed ?? 0) > 50, `${row?.removed} rows go`)
      }
      t.same(await excessOf(mostReads, 'auto', work), [])
    })
})
