import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from '@signet/kernel'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { gatherCalls, openDatabase, withAdminClient } from '../src/index.ts'

const { db, url, adminUrl, superUrl } = await testDatabase(t)

await withAdminClient(adminUrl, async sql => {
  await sql.unsafe(`
    create table slots (id integer primary key, taken integer not null default 0);
    insert into slots select number from generate_series(1, 60) as number;
    create function take_slot(p_id integer) returns table (id integer, taken integer, transaction text)
    language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '600ms' as $$
    #variable_conflict use_column
    begin
      if p_id < 0 then raise exception 'no such slot' using errcode = '22023'; end if;
      return query update slots s set taken = s.taken + 1 where s.id = p_id returning s.id, s.taken, txid_current()::text;
    end
    $$;
    grant execute on function take_slot(integer) to signet_app;`)
})

interface Slot {
  readonly id: number
  readonly taken: number
  readonly transaction: string
}

const takeSlot = gatherCalls<number, Slot>((sql, ids) => {
  const sorted = [...ids.entries()].toSorted(([, a], [, b]) => a - b)
  return sql`
    select c.place, s.id, s.taken, s.transaction
    from unnest(${sorted.map(([place]) => place)}::int[], ${sorted.map(([, id]) => id)}::int[]) as c (place, id)
    cross join lateral take_slot(c.id) s`
})

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof Problem ? error.code : (error as Error).message),
  )
}

/** Holds a row until `release` is called. */
async function lockSlot(id: number): Promise<() => Promise<void>> {
  const locked = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const holding = withAdminClient(superUrl, async sql => {
    await sql`begin`
    await sql`select from slots where id = ${id} for update`
    locked.resolve()
    await released.promise
    await sql`rollback`
  })
  await locked.promise
  return async () => {
    released.resolve()
    await holding
  }
}

t.test('calls of one function', async t => {
  await t.test('leave at once when nothing is under way, each with its own answer', async t => {
    t.match(await takeSlot(db, 7), { id: 7, taken: 1 })
    t.equal(await takeSlot(db, 1_000), undefined, 'no row is no answer')
  })

  await t.test('go together while others are under way', async t => {
    const ids = Array.from({ length: 48 }, (_, index) => 48 - index)
    const rows = await Promise.all(ids.map(id => takeSlot(db, id)))
    t.same(
      rows.map(row => row?.id),
      ids,
      'each has the answer to its own call',
    )
    const statements = new Set(rows.map(row => row?.transaction)).size
    t.ok(statements >= 3 && statements <= 6, `sixteen at most in one statement: ${statements} statements`)
  })

  await t.test('for the same row see each other', async t => {
    const rows = await Promise.all(Array.from({ length: 12 }, () => takeSlot(db, 50)))
    t.same(
      rows.map(row => row?.taken).toSorted((a, b) => Number(a) - Number(b)),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    )
  })
})

t.test('a call that the server refuses', async t => {
  await t.test('fails alone, with its own error', async t => {
    const answers = await Promise.all([1, 2, -1, 4].map(id => codeOf(takeSlot(db, id))))
    t.same(answers, ['no error', 'no error', 'no such slot', 'no error'])
  })

  await t.test('also where it waits for a lock, and nothing is done twice', async t => {
    const before = await takeSlot(db, 21)
    const release = await lockSlot(20)
    const answers = await Promise.all([19, 20, 21].map(id => codeOf(takeSlot(db, id))))
    await release()
    t.same(answers, ['no error', 'database-unavailable', 'no error'])
    t.match(await takeSlot(db, 21), { taken: Number(before?.taken) + 2 })
  })
})

t.test('without a database', async t => {
  await t.test('every call is refused at once where nobody answers', async t => {
    const nowhere = openDatabase({ url: url.replace(/:\d+\//, ':1/') })
    t.teardown(() => nowhere.close())
    const answers = await Promise.all(Array.from({ length: 40 }, (_, id) => codeOf(takeSlot(nowhere, id))))
    t.same(new Set(answers), new Set(['database-unavailable']))
  })

  await t.test('no call waits longer than one may wait for a connection', async t => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const mute = openDatabase({ url: url.replace(/:\d+\//, `:${port}/`), acquireTimeoutMs: 400 })
    t.teardown(async () => {
      await mute.close(0)
      silent.close()
    })
    const waits: Promise<number>[] = []
    for (let id = 0; id < 40; id += 1) {
      const since = performance.now()
      waits.push(
        codeOf(takeSlot(mute, id)).then(code => (code === 'database-unavailable' ? performance.now() - since : NaN)),
      )
      await pause(20)
    }
    const longest = Math.max(...(await Promise.all(waits)))
    t.ok(longest < 600, `${Math.round(longest)} ms, of 400`)
  })

  await t.test('who waits behind statements that hang is refused, and what hung is answered', async t => {
    const small = openDatabase({ url, acquireTimeoutMs: 100 })
    t.teardown(() => small.close())
    await takeSlot(small, 1)
    const release = await lockSlot(30)
    const hanging = [codeOf(takeSlot(small, 30))]
    await pause(20)
    hanging.push(codeOf(takeSlot(small, 30)))
    await pause(20)
    t.equal(await codeOf(takeSlot(small, 31)), 'database-unavailable')
    await release()
    t.same(await Promise.all(hanging), ['no error', 'no error'])
    t.match(await takeSlot(small, 31), { taken: 2 }, 'the refused call did not happen: it was called once before')
  })
})
