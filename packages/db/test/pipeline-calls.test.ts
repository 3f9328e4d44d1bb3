import { Problem } from '@signet/kernel'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { pipelineCalls, withAdminClient } from '../src/index.ts'

const { db, adminUrl, superUrl } = await testDatabase(t)

await withAdminClient(adminUrl, async sql => {
  await sql.unsafe(`
    create sequence tries;
    create table slots (id integer primary key, taken integer not null default 0);
    insert into slots select number from generate_series(1, 60) as number;
    create function take_slot(p_id integer) returns table (id integer, taken integer, transaction text, connection integer)
    language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '1s' as $$
    #variable_conflict use_column
    begin
      if p_id < 0 then raise exception 'no such slot' using errcode = '22023'; end if;
      if p_id = 55 and nextval('tries') < 4 then raise exception 'again' using errcode = '40001'; end if;
      return query update slots s set taken = s.taken + 1 where s.id = p_id
        returning s.id, s.taken, txid_current()::text, pg_backend_pid();
    end
    $$;
    grant execute on function take_slot(integer) to signet_app;`)
})

interface Slot {
  readonly id: number
  readonly taken: number
  readonly transaction: string
  readonly connection: number
}

const takeSlot = pipelineCalls<number, Slot>(
  (sql, id) => sql<[Slot]>`select id, taken, transaction, connection from take_slot(${id})`,
)

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof Problem ? error.code : (error as Error).message),
  )
}

t.test('calls that wait at the same time', async t => {
  const ids = Array.from({ length: 48 }, (_, index) => 48 - index)
  const rows = await Promise.all(ids.map(id => takeSlot(db, id)))
  t.same(
    rows.map(row => row.id),
    ids,
    'each has the answer to its own call',
  )
  t.equal(new Set(rows.map(row => row.transaction)).size, ids.length, 'and is a transaction of its own')
  const connections = new Set(rows.map(row => row.connection)).size
  t.ok(connections <= 4, `on few connections: ${connections}`)
})

t.test('a call that the server refuses fails alone, with its own error', async t => {
  const answers = await Promise.all([1, 2, -1, 4].map(id => codeOf(takeSlot(db, id))))
  t.same(answers, ['no error', 'no error', 'no such slot', 'no error'])
})

t.test('a call that waits for a lock', async t => {
  const before = await takeSlot(db, 19)
  await withAdminClient(superUrl, async sql => {
    await sql`begin`
    await sql`select from slots where id = 20 for update`
    const calls = Promise.all([19, 20, 21].map(id => codeOf(takeSlot(db, id))))
    await withAdminClient(superUrl, async other => {
      const isDone = async () => (await other<Slot[]>`select taken from slots where id = 19`)[0]?.taken !== before.taken
      while (!(await isDone()));
      await other`set lock_timeout = '100ms'`
      t.equal(
        (await other`update slots set taken = taken where id = 19`).count,
        1,
        'the one before it holds none meanwhile',
      )
    })
    t.same(await calls, ['no error', 'database-unavailable', 'no error'], 'it alone is refused')
    await sql`rollback`
  })
  t.match(await takeSlot(db, 19), { taken: before.taken + 2 }, 'nothing is done twice')
})

t.test('a call that meets a conflict is made again, alone', async t => {
  t.match(await Promise.all([54, 55, 56].map(id => takeSlot(db, id))), [{ id: 54 }, { id: 55, taken: 1 }, { id: 56 }])
})
