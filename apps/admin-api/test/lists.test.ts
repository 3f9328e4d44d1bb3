import { randomBytes } from 'node:crypto'
import { inTenant, openDatabase } from '@signet/db'
import { cursorScope, encodeCursor, newId } from '@signet/kernel'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { buildApp } from '../src/index.ts'
import { type Answer, createWorld } from './world.ts'

const { database, deps, cast, company, admin, staff, stranger, call } = await createWorld(t)

t.test('pages', async t => {
  const tenant = await cast.addTenant()
  const keeper = await cast.addActor(tenant, { roles: ['admin'], email: 'keeper@pages.test' })
  const names = Array.from({ length: 23 }, (_, index) => `p${String((index * 7) % 23).padStart(2, '0')}@pages.test`)
  for (const email of names) await cast.addPerson(tenant, { email })

  await t.test('show each row once while others come and go', async t => {
    for (const sort of ['created_at', '-created_at', 'email', '-email', 'name', '-username']) {
      const seen: string[] = []
      let path: string | undefined = `/admin/v1/users?limit=5&sort=${sort}&q=pages.test`
      for (let round = 0; path !== undefined; round += 1) {
        const page: Answer = await call(keeper, 'GET', path)
        t.equal(page.status, 200, page.text)
        seen.push(...page.body.items.map((user: { email: string }) => user.email))
        const next = /^<([^>]+)>; rel="next"$/.exec(String(page.headers.link ?? ''))?.[1]
        t.equal(next === undefined, page.body.next_cursor === null, 'the link and the cursor agree')
        path = next
        const passer = await cast.addPerson(tenant, { email: `m${round}${sort.replace('_', '')}@elsewhere.test` })
        if (round > 0) await call(keeper, 'DELETE', `users/${passer.userId}`)
      }
      t.strictSame(seen.toSorted(), [...names, 'keeper@pages.test'].toSorted(), sort)
      if (sort.endsWith('email')) t.strictSame(sort === 'email' ? seen : seen.toReversed(), seen.toSorted(), sort)
    }
  })
  await t.test('tell rows apart that are a microsecond apart, and rows of one moment', async t => {
    const crowded = await cast.addTenant()
    const reader = await cast.addActor(crowded, { roles: ['admin'] })
    for (let index = 0; index < 15; index += 1) await cast.addPerson(crowded)
    for (const step of ['1 microsecond', '0 seconds']) {
      await inTenant(
        database.db,
        crowded,
        ({ sql }) => sql`
          update users set created_at = timestamptz '2026-01-01T00:00:00.1234Z' + n * ${step}::interval
          from (select id, row_number() over () as n from users) numbered where numbered.id = users.id`,
      )
      for (const sort of ['created_at', '-created_at']) {
        const seen: string[] = []
        let cursor = ''
        do {
          const page: Answer = await call(reader, 'GET', `users?limit=3&sort=${sort}${cursor}`)
          seen.push(...page.body.items.map((user: { id: string }) => user.id))
          cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
        } while (cursor !== '')
        t.equal(seen.length, 16, `${step} ${sort}`)
        t.equal(new Set(seen).size, 16, `${step} ${sort}`)
      }
    }
  })
  await t.test('hold what is asked for: 50 by default, 200 at most, the total when it is asked', async t => {
    const all = await call(keeper, 'GET', 'users?q=pages.test&count=true')
    t.match(all.body, { total: 24, next_cursor: null })
    t.equal(all.headers.link, undefined)
    t.notOk('total' in (await call(keeper, 'GET', 'users?limit=1')).body)
    for (const limit of ['0', '201', '-1', '1.5', 'ten', '']) {
      t.match(
        await call(keeper, 'GET', `users?limit=${limit}`),
        { status: 400, body: { code: 'invalid-input' } },
        limit,
      )
    }
  })
  await t.test('are filtered by field', async t => {
    const { userId } = await cast.addPerson(tenant, { email: 'lone@filter.test' })
    await call(keeper, 'POST', `users/${userId}/suspend`)
    const totals = {
      'users?status=suspended': 1,
      'users?email=LONE@filter.test': 1,
      'users?email=nobody@filter.test': 0,
      'roles?is_built_in=true': 3,
      'roles?is_built_in=false': 0,
      'roles?name=admin': 1,
      [`memberships?user_id=${userId}`]: 1,
      'memberships?status=invited': 0,
      'memberships?is_guest=true': 0,
      'permissions?service=places': 4,
      'audit-events?action=user.suspended': 1,
      [`audit-events?actor_id=${keeper.userId}&target_id=${userId}`]: 1,
      'audit-events?target_type=role': 0,
      'audit-events?action=user.suspended&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z': 0,
      'audit-events?action=user.suspended&from=2020-01-01T00:00:00Z': 1,
    }
    for (const [path, total] of Object.entries(totals)) {
      t.equal((await call(keeper, 'GET', `${path}&count=true`)).body.total, total, path)
    }
    for (const sign of ['%25', '_', '%5C']) {
      t.equal((await call(keeper, 'GET', `users?q=${sign}&count=true`)).body.total, 0, `${sign} means itself`)
    }
    const listed = await call(staff, 'GET', 'tenants?slug=company')
    t.strictSame(
      listed.body.items.map((each: { id: string }) => each.id),
      [company],
    )
  })
})

t.test('I-04 sort, filter and cursor are taken from whoever made them for this very list', async t => {
  for (let index = 0; index < 3; index += 1) await cast.addPerson(company)
  const page = await call(admin, 'GET', 'users?limit=1')
  const cursor = page.body.next_cursor
  t.equal((await call(admin, 'GET', `users?limit=1&cursor=${cursor}`)).status, 200)
  const scope = cursorScope(company, 'users', { sort: '-created_at' })
  const forged = encodeCursor(randomBytes(32), scope, ["now'); drop table users; --", newId()])
  const [payload, seal] = cursor.split('.')
  for (const [why, path, who] of [
    ['a secret of their own', `users?limit=1&cursor=${forged}`, admin],
    ['another tenant', `users?limit=1&cursor=${cursor}`, stranger],
    ['another list', `memberships?limit=1&cursor=${cursor}`, admin],
    ['another sort', `users?limit=1&sort=created_at&cursor=${cursor}`, admin],
    ['another filter', `users?limit=1&status=active&cursor=${cursor}`, admin],
    ['another search', `users?limit=1&q=a&cursor=${cursor}`, admin],
    ['a changed payload', `users?limit=1&cursor=${payload}A.${seal}`, admin],
    ['no seal', `users?limit=1&cursor=${payload}`, admin],
    ['a third part', `users?limit=1&cursor=${cursor}.x`, admin],
    ['quotes', `users?limit=1&cursor=${encodeURIComponent(`' or '1'='1`)}`, admin],
    ['nothing', 'users?limit=1&cursor=', admin],
  ] as const) {
    t.match(await call(who, 'GET', path), { status: 400, body: { code: 'invalid-cursor' } }, why)
  }
  for (const query of [
    `sort=${encodeURIComponent("created_at'; drop table users")}`,
    'sort=password_hash',
    'sort=tenant_id',
    'sort=--created_at',
    'sort=created_at&sort=email',
    'status=deleted',
    `status=${encodeURIComponent("active' or 1=1")}`,
    'colour=red',
    '__proto__=x',
    'constructor=x',
    'q=%00',
    'q=',
    `q=${'x'.repeat(101)}`,
    'count=perhaps',
    `email=${encodeURIComponent("'@")}`,
  ]) {
    t.match(await call(admin, 'GET', `users?${query}`), { status: 400, body: { code: 'invalid-input' } }, query)
  }
  const quoted = await call(admin, 'GET', `users?q=${encodeURIComponent(`'; drop table users; --`)}`)
  t.match(quoted, { status: 200, body: { items: [] } }, 'a search is text')
  for (const id of ['1', 'not-an-id', newId().toUpperCase(), encodeURIComponent("' or 1=1")]) {
    t.match(await call(admin, 'GET', `users/${id}`), { status: 400, body: { code: 'invalid-input' } }, id)
  }
})

t.test('with a copy of the database', async t => {
  // One that has nothing yet, and takes no writing: what is in an answer shows where it was read.
  const lagging = new URL((await testDatabase(t)).url)
  lagging.searchParams.set('options', '-c default_transaction_read_only=on')
  const appOver = async (url: string) => {
    const replica = openDatabase({ url })
    const app = await buildApp({ ...deps, replica })
    t.teardown(async () => {
      await app.close()
      await replica.close()
    })
    return (path: string, who = staff) =>
      app.inject({ url: `/admin/v1/${path}`, headers: { authorization: `Bearer ${who.token}` } })
  }
  const lists = 'users roles permissions policies org-units positions memberships brands tenants services audit-events'
  await t.test('every list is read from the copy, and nothing is written there', async t => {
    const read = await appOver(lagging.href)
    for (const list of lists.split(' ')) {
      const answer = await read(list)
      t.equal(answer.statusCode, 200, `${list}: ${answer.body}`)
    }
    t.same((await read('users')).json().items, [])
    t.equal((await read(`users/${staff.userId}`)).statusCode, 200, 'one thing is read where it is written')
  })
  await t.test('who may is read where it is written', async t => {
    const read = await appOver(lagging.href)
    const fired = await cast.addActor(company, { roles: ['admin'] })
    t.equal((await read('users', fired)).statusCode, 200)
    await call(staff, 'POST', `users/${fired.userId}/suspend`)
    await call(admin, 'POST', `users/${fired.userId}/suspend`)
    t.match((await read('users', fired)).json(), { status: 401, code: 'session-ended' })
  })
  await t.test('lists are read from the database while the copy is away', async t => {
    const read = await appOver('postgres://nobody@127.0.0.1:1/gone')
    t.ok((await read('users')).json().items.length > 0)
  })
})
