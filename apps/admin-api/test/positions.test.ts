import { inTenant } from '@signet/db'
import { newId, type TenantId } from '@signet/kernel'
import t from 'tap'
import { type Answer, createWorld } from './world.ts'

const { database, cast, company, other, admin, stranger, call } = await createWorld(t)

const refusal = (status: number, code: string) => ({ status, body: { code } })
const aUnit = async (name: string, parent_id: string | null = null): Promise<string> =>
  (await call(admin, 'POST', 'org-units', { name, parent_id })).body.id
const aPosition = async (title: string, members: object = {}): Promise<string> =>
  (await call(admin, 'POST', 'positions', { title, ...members })).body.id
const titles = ({ body }: Answer) => body.items.map((position: { title: string }) => position.title)

t.test('a position', async t => {
  const unit = await aUnit('Sales')
  const made = await call(admin, 'POST', 'positions', { title: 'Head of sales', level: 3, org_unit_id: unit })
  const path = `positions/${made.body.id}`

  await t.test('has a title, and is in a unit or in none', async t => {
    t.match(made, { status: 201, headers: { etag: '"1"', location: `/admin/v1/${path}` } })
    t.match(made.body, { title: 'Head of sales', description: '', level: 3, org_unit_id: unit })
    t.match((await call(admin, 'POST', 'positions', { title: 'Head of sales' })).body, {
      level: null,
      org_unit_id: null,
    })
    t.match(await call(admin, 'POST', 'positions', {}), refusal(400, 'invalid-input'))
  })
  await t.test('changes only while it is what the caller has read', async t => {
    t.match(await call(admin, 'PATCH', path, { level: 4 }, { 'if-match': '"7"' }), refusal(412, 'version-mismatch'))
    const changed = await call(admin, 'PATCH', path, { level: null, org_unit_id: null }, { 'if-match': '"1"' })
    t.match(changed, {
      status: 200,
      headers: { etag: '"2"' },
      body: { title: 'Head of sales', level: null, org_unit_id: null },
    })
    t.match(await call(admin, 'DELETE', path, undefined, { 'if-match': '"1"' }), refusal(412, 'version-mismatch'))
    t.equal((await call(admin, 'DELETE', path, undefined, { 'if-match': '"2"' })).status, 204)
    t.match(await call(admin, 'GET', path), refusal(404, 'position-not-found'))
  })
  await t.test('takes a level from 0 to 1,000', async t => {
    for (const level of [-1, 1_001, 1.5, '3']) {
      t.match(
        await call(admin, 'POST', 'positions', { title: 'x', level }),
        refusal(400, 'invalid-input'),
        String(level),
      )
    }
  })
})

t.test('lists are searched, filtered and sorted, and those without a level come last', async t => {
  const tenant = await cast.addTenant()
  const keeper = await cast.addActor(tenant, { roles: ['admin'] })
  const post = async (path: string, body: object): Promise<string> => (await call(keeper, 'POST', path, body)).body.id
  const top = await post('org-units', { name: 'top' })
  const below = await post('org-units', { name: 'below', parent_id: top })
  await post('positions', { title: 'b', level: 2, org_unit_id: top })
  await post('positions', { title: 'A', org_unit_id: below, description: 'the needle' })
  await post('positions', { title: 'c', level: 0, org_unit_id: below })
  await post('positions', { title: 'd' })
  for (const [query, expected] of Object.entries({
    '': ['A', 'b', 'c', 'd'],
    'sort=-title': ['d', 'c', 'b', 'A'],
    'q=NEEDLE': ['A'],
    'title=A': ['A'],
    'level=0': ['c'],
    [`org_unit_id=${top}`]: ['A', 'b', 'c'],
    [`org_unit_id=${below}`]: ['A', 'c'],
    [`org_unit_id=${newId()}`]: [],
  })) {
    t.strictSame(titles(await call(keeper, 'GET', `positions?${query}`)), expected, query)
  }
  t.strictSame(titles(await call(keeper, 'GET', `org-units/${top}/positions`)), ['b'], 'of the unit alone')
  t.match(await call(keeper, 'GET', `org-units/${newId()}/positions`), refusal(404, 'org-unit-not-found'))
  for (const sort of ['level', '-level']) {
    const seen: string[] = []
    let cursor = ''
    do {
      const page = await call(keeper, 'GET', `positions?limit=1&sort=${sort}${cursor}`)
      seen.push(...titles(page))
      cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
    } while (cursor !== '')
    t.strictSame(sort === 'level' ? seen : seen.toReversed(), ['c', 'b', 'A', 'd'], sort)
  }
})

t.test('people', async t => {
  const south = await aUnit('South')
  const town = await aUnit('Town', south)
  const [director, clerk] = [
    await aPosition('Director', { org_unit_id: south }),
    await aPosition('Clerk', { org_unit_id: town }),
  ]
  const person = await cast.addPerson(company)
  const membership = `memberships/${person.membershipId}`
  const held = async () => (await call(admin, 'GET', membership)).body

  await t.test('hold one position: whoever is put into another leaves the first', async t => {
    t.equal((await call(admin, 'PUT', `positions/${director}/users/${person.userId}`)).status, 204)
    t.match(await held(), { position: { id: director, title: 'Director' }, org_unit: { id: south, name: 'South' } })
    t.equal((await call(admin, 'PUT', `positions/${clerk}/users/${person.userId}`)).status, 204)
    t.match(await held(), { position: { id: clerk }, org_unit: { id: town } })
    t.strictSame((await call(admin, 'GET', `positions/${director}/users`)).body.items, [])
    const { items } = (await call(admin, 'GET', `audit-events?target_id=${person.userId}&action=position.assigned`))
      .body
    t.match(items, [
      {
        target_type: 'user',
        before: { position_id: director, position: 'Director' },
        after: { position_id: clerk, position: 'Clerk' },
      },
      { before: { position_id: null, position: null }, after: { position_id: director } },
    ])
  })
  await t.test('and stay where they are when they are put there again', async t => {
    const { etag } = (await call(admin, 'GET', membership)).headers
    t.equal((await call(admin, 'PUT', `positions/${clerk}/users/${person.userId}`)).status, 204)
    t.equal((await call(admin, 'GET', membership)).headers.etag, etag)
    const events = await call(
      admin,
      'GET',
      `audit-events?target_id=${person.userId}&action=position.assigned&count=true`,
    )
    t.equal(events.body.total, 2)
  })
  await t.test('are found by their position, their unit and those above it', async t => {
    for (const query of [`position_id=${clerk}`, `org_unit_id=${town}`, `org_unit_id=${south}`]) {
      const { items } = (await call(admin, 'GET', `memberships?${query}`)).body
      t.match(items, [{ user_id: person.userId, position: { title: 'Clerk' }, org_unit: { name: 'Town' } }], query)
    }
    for (const query of [`position_id=${director}`, `org_unit_id=${newId()}`]) {
      t.strictSame((await call(admin, 'GET', `memberships?${query}`)).body.items, [], query)
    }
  })
  await t.test('are moved by their membership as well, under its version', async t => {
    const patch = (position_id: unknown, headers?: Record<string, string>) =>
      call(admin, 'PATCH', membership, { position_id }, headers)
    t.match(await patch(director, { 'if-match': '"99"' }), refusal(412, 'version-mismatch'))
    t.match(await patch(director, { 'if-match': '"3"' }), {
      status: 200,
      headers: { etag: '"4"' },
      body: { position: { id: director } },
    })
    t.match(await patch(null), { status: 200, body: { position: null, org_unit: null } })
    t.match(await patch(newId()), refusal(404, 'position-not-found'))
    for (const body of [{}, { status: 'active' }, { position_id: 'x' }]) {
      t.match(await call(admin, 'PATCH', membership, body), refusal(400, 'invalid-input'))
    }
  })
  await t.test('leave it', async t => {
    const path = `positions/${clerk}/users/${person.userId}`
    t.match(await call(admin, 'DELETE', path), refusal(404, 'user-not-found'), 'who does not hold it')
    await call(admin, 'PUT', path)
    t.match(await call(admin, 'DELETE', path, undefined, { 'if-match': '"9"' }), refusal(412, 'version-mismatch'))
    t.equal((await call(admin, 'DELETE', path, undefined, { 'if-match': '"1"' })).status, 204)
    t.match(await held(), { position: null, org_unit: null })
    t.match(await call(admin, 'PUT', `positions/${clerk}/users/${newId()}`), refusal(404, 'user-not-found'))
  })
  await t.test('may be guests, or invited: the position waits for them', async t => {
    const guest = await cast.addPerson(other)
    await cast.addGuest(company, guest)
    t.equal((await call(admin, 'PUT', `positions/${clerk}/users/${guest.userId}`)).status, 204)
    const invited = await call(admin, 'POST', 'memberships', { email: 'invited@positions.test' })
    const placed = await call(admin, 'PATCH', `memberships/${invited.body.id}`, { position_id: clerk })
    t.match(placed.body, { status: 'invited', position: { title: 'Clerk' }, org_unit: { name: 'Town' } })
    const holders = await call(admin, 'GET', `positions/${clerk}/users?count=true`)
    t.match(holders.body, {
      total: 2,
      items: [
        { status: 'invited', email: 'invited@positions.test', user_id: null },
        { is_guest: true, email: guest.email, user_id: guest.userId },
      ],
    })
    t.equal((await call(admin, 'GET', `positions/${clerk}/users?q=${guest.email}&count=true`)).body.total, 1)
    const events = await call(admin, 'GET', `audit-events?target_id=${invited.body.id}&action=position.assigned`)
    t.match(events.body.items, [{ target_type: 'membership' }])
  })
  await t.test('stand in the way of its deletion, by name for those who may read it', async t => {
    const detailFor = async (who: typeof admin) => {
      const answer = await call(who, 'DELETE', `positions/${clerk}`)
      t.match(answer, refusal(409, 'position-in-use'))
      return answer.body.detail
    }
    t.match(await detailFor(admin), /^It is held by 2 people \(person-\w+@example\.test, invited@positions\.test\)\./)
    const { body } = await call(admin, 'POST', 'users', { username: 'first', first_name: 'Ada', last_name: 'Lovelace' })
    await call(admin, 'PUT', `positions/${director}/users/${body.id}`)
    t.match(
      (await call(admin, 'DELETE', `positions/${director}`)).body.detail,
      'It is held by 1 person (Ada Lovelace).',
    )
    const sweeper = await cast.addActor(company, { permissions: ['positions:delete'] })
    t.match(await detailFor(sweeper), 'It is held by 2 people. ')
    t.equal((await call(admin, 'DELETE', `users/${body.id}`)).status, 204)
    t.equal((await call(admin, 'DELETE', `positions/${director}`)).status, 204, 'whoever is deleted holds nothing')
  })
})

t.test('X-02 nobody moves a person who holds more than they do, by either route', async t => {
  const position = await aPosition('Chair')
  const mover = await cast.addActor(company, { permissions: ['positions:modify', 'positions:read'] })
  const strong = await cast.addPerson(company, { permissions: ['users:delete'] })
  for (const answer of [
    await call(mover, 'PUT', `positions/${position}/users/${strong.userId}`),
    await call(mover, 'PATCH', `memberships/${strong.membershipId}`, { position_id: position }),
  ]) {
    t.match(answer, refusal(403, 'forbidden'))
    t.match(answer.body.detail, 'users:delete')
  }
  await call(admin, 'PUT', `positions/${position}/users/${strong.userId}`)
  t.match(await call(mover, 'DELETE', `positions/${position}/users/${strong.userId}`), refusal(403, 'forbidden'))
  const weak = await cast.addPerson(company)
  t.equal((await call(mover, 'PUT', `positions/${position}/users/${weak.userId}`)).status, 204)
})

t.test('X-02 a place in a unit gives nothing', async t => {
  const unit = (await call(admin, 'POST', 'org-units', { name: 'Board' })).body.id
  const chair = (await call(admin, 'POST', 'positions', { title: 'Chair of it', org_unit_id: unit })).body.id
  const person = await cast.addPerson(company, { permissions: ['positions:read'] })
  const held = async () => (await call(admin, 'GET', `users/${person.userId}/permissions`)).body
  const before = await held()
  t.equal((await call(admin, 'PUT', `positions/${chair}/users/${person.userId}`)).status, 204)
  t.ok(before.items.length > 0)
  t.strictSame(await held(), before)
})

t.test('T-04 no position is in a unit of another tenant, and nobody holds one of another tenant', async t => {
  const unit = (await call(stranger, 'POST', 'org-units', { name: 'foreign' })).body.id
  const position = (await call(stranger, 'POST', 'positions', { title: 'foreign' })).body.id
  const person = await cast.addPerson(company)
  const own = await aPosition('own')
  for (const [foreignUnit, foreignPosition] of [
    [unit, position],
    [newId(), newId()],
  ]) {
    const body = { title: 'lost', org_unit_id: foreignUnit }
    t.match(await call(admin, 'POST', 'positions', body), refusal(404, 'org-unit-not-found'))
    t.match(await call(admin, 'PATCH', `positions/${own}`, body), refusal(404, 'org-unit-not-found'))
    for (const answer of [
      await call(admin, 'PUT', `positions/${foreignPosition}/users/${person.userId}`),
      await call(admin, 'PATCH', `memberships/${person.membershipId}`, { position_id: foreignPosition }),
    ]) {
      t.match(answer, refusal(404, 'position-not-found'))
    }
  }
  t.match(await call(admin, 'PUT', `positions/${own}/users/${stranger.userId}`), refusal(404, 'user-not-found'))
  t.strictSame((await call(admin, 'GET', `memberships?org_unit_id=${unit}`)).body.items, [])

  await t.test('and the database refuses by itself', async t => {
    const stateOf = async (tenant: TenantId, statement: string, ...values: string[]) =>
      inTenant(database.db, tenant, ({ sql }) => sql.unsafe(statement, values).execute()).then(
        ({ count }) => `${count} rows`,
        (error: { code: string }) => error.code,
      )
    const insert = 'insert into positions (tenant_id, id, title, org_unit_id) values ($1, $2, $3, $4)'
    t.equal(await stateOf(company, insert, company, newId(), 'raw', unit), '23503')
    t.equal(await stateOf(company, insert, other, newId(), 'raw', unit), '42501')
    const place = 'update memberships set position_id = $1 where id = $2'
    t.equal(await stateOf(company, place, position, person.membershipId), '23503')
    t.equal(await stateOf(other, place, position, person.membershipId), '0 rows')
  })
})
