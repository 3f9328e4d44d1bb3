import { inTenant } from '@signet/db'
import { newId, type TenantId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import t from 'tap'
import { type Answer, createWorld } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, admin, stranger, call } = world

const create = (who: TestActor, name: string, parent_id: string | null = null) =>
  call(who, 'POST', 'org-units', { name, parent_id })
const make = async (who: TestActor, name: string, parent?: string): Promise<string> => {
  const made = await create(who, name, parent ?? null)
  if (made.status !== 201) throw new Error(made.text)
  return made.body.id
}
const move = (who: TestActor, id: string, parent_id: string | null) =>
  call(who, 'PATCH', `org-units/${id}`, { parent_id })
const refusal = (status: number, code: string) => ({ status, body: { code } })

/** A tenant of its own with an administrator, so that lists hold nothing else. */
async function aTenant(): Promise<{ id: TenantId; keeper: TestActor }> {
  const id = await cast.addTenant()
  return { id, keeper: await cast.addActor(id, { roles: ['admin'] }) }
}

/** As many units as `depth`, each below the one before. */
async function aChain(who: TestActor, depth: number, name: string): Promise<string[]> {
  const chain: string[] = []
  for (let level = 0; level < depth; level += 1) chain.push(await make(who, `${name} ${level}`, chain.at(-1)))
  return chain
}

const outline = ({ body }: Answer) =>
  body.items.map((unit: { name: string; level: number }) => `${unit.level} ${unit.name}`)

t.test('a unit', async t => {
  const { keeper } = await aTenant()
  const top = await make(keeper, 'Company')
  const made = await call(keeper, 'POST', 'org-units', { name: 'Sales', description: 'Sells', parent_id: top })

  await t.test('knows its level and the units above it', async t => {
    t.equal(made.headers.location, `/admin/v1/org-units/${made.body.id}`)
    t.equal(made.headers.etag, '"1"')
    const path = [
      { id: top, name: 'Company' },
      { id: made.body.id, name: 'Sales' },
    ]
    t.match(made.body, { name: 'Sales', description: 'Sells', parent_id: top, level: 1, path })
    t.strictSame((await call(keeper, 'GET', `org-units/${made.body.id}`)).body, made.body)
    const { body } = await call(keeper, 'GET', `org-units/${top}`)
    t.match(body, { parent_id: null, level: 0, path: [{ id: top }] })
  })
  await t.test('has a name of its own among those of the same parent, in any case', async t => {
    t.match(await create(keeper, 'sALES', top), refusal(409, 'org-unit-name-taken'))
    t.match(await create(keeper, 'COMPANY'), refusal(409, 'org-unit-name-taken'))
    const elsewhere = await create(keeper, 'Sales')
    t.equal(elsewhere.status, 201, 'elsewhere it is another one')
    t.match(await move(keeper, elsewhere.body.id, top), refusal(409, 'org-unit-name-taken'))
    t.equal((await call(keeper, 'DELETE', `org-units/${elsewhere.body.id}`)).status, 204)
  })
  await t.test('moves with all that is below it, and to the top by null', async t => {
    const child = await make(keeper, 'North', made.body.id)
    const region = await make(keeper, 'Region')
    t.match(await move(keeper, made.body.id, region), { status: 200, headers: { etag: '"2"' }, body: { level: 1 } })
    const names = (await call(keeper, 'GET', `org-units/${child}`)).body.path.map((each: { name: string }) => each.name)
    t.strictSame(names, ['Region', 'Sales', 'North'])
    t.match((await move(keeper, made.body.id, null)).body, { parent_id: null, level: 0 })
    t.match((await call(keeper, 'GET', `org-units/${child}`)).body, { level: 1 })
    const events = await call(keeper, 'GET', `audit-events?target_id=${made.body.id}&action=org-unit.modified`)
    t.match(events.body.items, [
      { before: { parent_id: region }, after: { parent_id: null } },
      { before: { parent_id: top }, after: { parent_id: region } },
    ])
  })
  await t.test('keeps what a merge patch leaves out, and refuses what it cannot clear', async t => {
    const path = `org-units/${made.body.id}`
    t.match((await call(keeper, 'PATCH', path, { name: 'Trade' })).body, { name: 'Trade', description: 'Sells' })
    t.match((await call(keeper, 'PATCH', path, { description: null })).body, { name: 'Trade', description: '' })
    for (const change of [{}, { name: null }, { level: 1 }, { path: [] }, { parent_id: 'top' }]) {
      t.match(await call(keeper, 'PATCH', path, change), refusal(400, 'invalid-input'), JSON.stringify(change))
    }
  })
  await t.test('changes only while it is what the caller has read', async t => {
    const path = `org-units/${await make(keeper, 'Versioned')}`
    t.match(await call(keeper, 'PATCH', path, { name: 'A' }, { 'if-match': '"7"' }), refusal(412, 'version-mismatch'))
    t.match(await call(keeper, 'DELETE', path, undefined, { 'if-match': 'W/"1"' }), refusal(412, 'version-mismatch'))
    t.equal((await call(keeper, 'PATCH', path, { name: 'A' }, { 'if-match': '"1"' })).headers.etag, '"2"')
    t.equal((await call(keeper, 'DELETE', path, undefined, { 'if-match': '"2"' })).status, 204)
  })
})

t.test('no unit is below itself', async t => {
  const { keeper } = await aTenant()
  const chain = await aChain(keeper, 4, 'unit')
  const [top = '', second = '', , last = ''] = chain
  t.match(await move(keeper, top, top), refusal(409, 'org-unit-cycle'))
  t.match(await move(keeper, top, second), refusal(409, 'org-unit-cycle'))
  t.match(await move(keeper, top, last), refusal(409, 'org-unit-cycle'))
  t.equal((await move(keeper, last, top)).status, 200)
})

t.test('a tree has 64 levels', async t => {
  const { keeper } = await aTenant()
  const chain = await aChain(keeper, 64, 'level')
  const deepest = chain.at(-1) ?? ''
  await t.test('and no more, by creation or by moving a unit with what is below it', async t => {
    t.match(await create(keeper, 'one too deep', deepest), refusal(409, 'org-unit-too-deep'))
    const lone = await make(keeper, 'lone')
    t.match(await move(keeper, lone, deepest), refusal(409, 'org-unit-too-deep'))
    t.equal((await move(keeper, lone, chain[62] ?? '')).status, 200)
    const [branch = '', , leaf = ''] = await aChain(keeper, 3, 'branch')
    t.match(
      await move(keeper, branch, chain[61] ?? ''),
      refusal(409, 'org-unit-too-deep'),
      'its leaf would be the 65th',
    )
    t.equal((await move(keeper, branch, chain[60] ?? '')).status, 200)
    t.match((await call(keeper, 'GET', `org-units/${leaf}`)).body, { level: 63 })
    t.match(await move(keeper, chain[0] ?? '', deepest), refusal(409, 'org-unit-cycle'))
  })
  await t.test('which are read at once', async t => {
    const { body } = await call(keeper, 'GET', `org-units/${deepest}`)
    t.equal(body.level, 63)
    t.strictSame(
      body.path.map((each: { id: string }) => each.id),
      chain,
    )
    const tree = await call(keeper, 'GET', `org-units/${chain[60]}/tree`)
    t.strictSame(outline(tree), [
      '60 level 60',
      '61 branch 0',
      '62 branch 1',
      '63 branch 2',
      '61 level 61',
      '62 level 62',
      '63 level 63',
      '63 lone',
    ])
  })
})

t.test('the tree shows each unit right before what is below it, siblings by name', async t => {
  const { keeper } = await aTenant()
  t.strictSame((await call(keeper, 'GET', 'org-units/tree')).body, { items: [], is_complete: true })
  const b = await make(keeper, 'b')
  const a = await make(keeper, 'A')
  await make(keeper, 'z', a)
  const y = await make(keeper, 'Y', a)
  await make(keeper, 'deep', y)
  await make(keeper, 'only', b)
  const tree = await call(keeper, 'GET', 'org-units/tree')
  t.strictSame(outline(tree), ['0 A', '1 Y', '2 deep', '1 z', '0 b', '1 only'])
  t.strictSame(tree.body.items[1], { id: y, name: 'Y', parent_id: a, level: 1 })
  t.strictSame(outline(await call(keeper, 'GET', `org-units/${a}/tree`)), ['0 A', '1 Y', '2 deep', '1 z'])
  t.strictSame(
    outline(await call(keeper, 'GET', `org-units/${y}/tree`)),
    ['1 Y', '2 deep'],
    'levels count from the top',
  )
})

t.test('of more units than a tree shows the lowest levels are left out', async t => {
  const { id: tenant, keeper } = await aTenant()
  const top = await make(keeper, 'top')
  const [middle, low] = [newId(), newId()]
  await inTenant(database.db, tenant, async ({ sql }) => {
    await sql`insert into org_units (tenant_id, id, parent_id, name) values (${tenant}, ${middle}, ${top}, '0 middle')`
    await sql`insert into org_units (tenant_id, id, parent_id, name) values (${tenant}, ${low}, ${middle}, 'low')`
    await sql`insert into org_units (tenant_id, id, parent_id, name)
      select ${tenant}, gen_random_uuid(), ${top}, 'unit ' || n from generate_series(1, 4998) n`
  })
  const { body } = await call(keeper, 'GET', 'org-units/tree')
  t.equal(body.items.length, 5_000)
  t.equal(body.is_complete, false)
  t.notOk(
    body.items.some((unit: { id: string }) => unit.id === low),
    'it is the deepest',
  )
  t.match((await call(keeper, 'GET', `org-units/${middle}/tree`)).body, {
    items: [{ id: middle }, { id: low }],
    is_complete: true,
  })
  const children = await call(keeper, 'GET', `org-units/${top}/children?count=true&limit=1`)
  t.match(children.body, { total: 4_999, items: [{ id: middle }] })
})

t.test('lists are searched, filtered, sorted and paged', async t => {
  const { keeper } = await aTenant()
  const top = await make(keeper, 'Company')
  for (let index = 0; index < 12; index += 1)
    await make(keeper, `unit ${String((index * 5) % 12).padStart(2, '0')}`, top)
  const totals = {
    'org-units?q=UNIT': 12,
    'org-units?q=%25': 0,
    'org-units?name=Company': 1,
    'org-units?is_top=true': 1,
    'org-units?is_top=false': 12,
    [`org-units?parent_id=${top}`]: 12,
    [`org-units?parent_id=${newId()}`]: 0,
    [`org-units/${top}/children?q=unit 1`]: 2,
  }
  for (const [path, total] of Object.entries(totals)) {
    const sign = path.includes('?') ? '&' : '?'
    t.equal((await call(keeper, 'GET', `${path}${sign}count=true`)).body.total, total, path)
  }
  for (const sort of ['name', '-name', 'created_at']) {
    const seen: string[] = []
    let path: string | undefined = `/admin/v1/org-units/${top}/children?limit=5&sort=${sort}`
    while (path !== undefined) {
      const page: Answer = await call(keeper, 'GET', path)
      seen.push(...page.body.items.map((unit: { name: string }) => unit.name))
      path = /^<([^>]+)>; rel="next"$/.exec(String(page.headers.link ?? ''))?.[1]
    }
    t.equal(new Set(seen).size, 12, sort)
    if (sort !== 'created_at') t.strictSame(sort === 'name' ? seen : seen.toReversed(), seen.toSorted(), sort)
  }
})

t.test('what hangs on a unit stands in the way of its deletion, by name for those who may read it', async t => {
  const { id: tenant, keeper } = await aTenant()
  const top = await make(keeper, 'Company')
  const path = `org-units/${top}`
  const detailFor = async (who: TestActor) => {
    const answer = await call(who, 'DELETE', path)
    t.match(answer, refusal(409, 'org-unit-in-use'))
    return answer.body.detail
  }
  const child = await make(keeper, 'South', top)
  t.match(await detailFor(keeper), 'It has 1 unit below it (South).')
  for (const name of ['North', 'West', 'East']) await make(keeper, name, top)
  await call(keeper, 'POST', 'positions', { title: 'Director', org_unit_id: top })
  t.match(await detailFor(keeper), 'It has 4 units below it (East, North, South …) and 1 position (Director).')
  const sweeper = await cast.addActor(tenant, { permissions: ['org-units:delete'] })
  t.match(await detailFor(sweeper), 'It has 4 units below it and 1 position.')
  t.equal((await call(keeper, 'GET', path)).status, 200)
  t.equal((await call(sweeper, 'DELETE', `org-units/${child}`)).status, 204)
  t.match(await call(keeper, 'GET', `org-units/${child}`), refusal(404, 'org-unit-not-found'))
})

t.test('T-04 no unit hangs below a unit of another tenant', async t => {
  const foreign = await make(stranger, 'foreign')
  const own = await make(admin, 'own')
  for (const parent_id of [foreign, newId()]) {
    t.match(await create(admin, 'lost', parent_id), refusal(404, 'org-unit-not-found'))
    t.match(await move(admin, own, parent_id), refusal(404, 'org-unit-not-found'))
  }
  await t.test('and the database refuses by itself', async t => {
    const attempt = (tenant: TenantId, values: Record<string, string | null>) =>
      inTenant(database.db, tenant, async ({ sql }) => sql`insert into org_units ${sql(values)}`).then(
        () => 'stored',
        (error: { code: string; constraint_name?: string }) =>
          [error.code, error.constraint_name ?? ''].join(' ').trim(),
      )
    const row = { tenant_id: company, id: newId(), name: 'raw' }
    t.equal(await attempt(company, { ...row, parent_id: foreign }), '23503 org_units__parent')
    t.equal(await attempt(other, { ...row, parent_id: foreign }), '42501')
    t.equal(await attempt(company, { ...row, parent_id: row.id }), '23514 org_units__cycle')
    const swap = inTenant(database.db, company, async ({ sql }) => {
      const [one, two] = [newId(), newId()]
      await sql`insert into org_units ${sql([
        { tenant_id: company, id: one, name: 'one' },
        { tenant_id: company, id: two, name: 'two' },
      ])}`
      await sql`update org_units set parent_id = case id when ${one} then ${two}::uuid else ${one}::uuid end where id in (${one}, ${two})`
    })
    await t.rejects(swap, /a unit is not below itself/, 'two in one statement')
  })
})

t.test('I-02 names are stored as they were sent, or refused', async t => {
  const { keeper } = await aTenant()
  const kept = [
    "Robert'); DROP TABLE org_units; --",
    '<script>alert(1)</script>',
    '${7*7} %s {{x}}',
    'Zoë 🚲 日本語',
    '\u202etrebor',
    '%',
    '../../etc',
    '__proto__',
    'n\u00a0b',
  ]
  for (const name of kept) {
    const made = await create(keeper, name)
    t.equal(made.status, 201, made.text)
    t.equal((await call(keeper, 'GET', `org-units/${made.body.id}`)).body.name, name)
  }
  for (const name of [
    '',
    ' ',
    ' a',
    'a ',
    '\ta',
    'a\nb',
    'a\u0007b',
    'a\u007fb',
    'a\u0085b',
    'x'.repeat(201),
    'a\u0000b',
  ]) {
    t.match(await create(keeper, name), refusal(400, 'invalid-input'), JSON.stringify(name))
  }
  const description = `${'x'.repeat(1_990)}\r\n\tend`
  const made = await call(keeper, 'POST', 'org-units', { name: 'described', description })
  t.equal(made.body.description, description)
  for (const bad of ['a\u0007b', 'x'.repeat(2_001)]) {
    t.match(
      await call(keeper, 'PATCH', `org-units/${made.body.id}`, { description: bad }),
      refusal(400, 'invalid-input'),
    )
  }
})
