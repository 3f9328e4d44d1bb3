/** Many at once: the tree stays one, and a person holds one position. */
import { inTenant } from '@signet/db'
import { newId, type TenantId } from '@signet/kernel'
import t from 'tap'
import { type Answer, createWorld } from './world.ts'

const { database, cast, company, admin, call } = await createWorld(t)

const codesOf = (answers: readonly Answer[]) =>
  new Set(answers.map(({ status, body }) => (status < 300 ? `${status}` : `${status} ${body.code}`)))

interface Unit {
  readonly id: string
  readonly parentId: string | null
}
const readUnits = (tenant: TenantId) =>
  inTenant(database.db, tenant, ({ sql }) => sql<Unit[]>`select id, parent_id as "parentId" from org_units`)

/** Whether each unit comes to the top, and within 64 steps. */
function isTree(units: readonly Unit[]): boolean {
  const parentOf = new Map(units.map(({ id, parentId }) => [id, parentId]))
  return units.every(({ id }) => {
    let above: string | null | undefined = id
    for (let steps = 0; typeof above === 'string' && steps < 64; steps += 1) above = parentOf.get(above)
    return above === null
  })
}

t.test('fifty moves at once in one tree, twenty rounds: never a cycle', async t => {
  const tenant = await cast.addTenant()
  const keeper = await cast.addActor(tenant, { roles: ['admin'] })
  const units: string[] = []
  for (let index = 0; index < 12; index += 1) {
    const made = await call(keeper, 'POST', 'org-units', { name: `unit ${index}`, parent_id: units[(index - 1) >> 1] })
    units.push(made.body.id)
  }
  // Always the same moves: a generator with a fixed seed.
  let seed = 20_261_121
  const draw = (bound: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor(seed / 65_536) % bound
  }
  const seen = new Set<string>()
  let moved = 0
  for (let round = 0; round < 20; round += 1) {
    const moves = Array.from({ length: 50 }, () => {
      const id = units[draw(units.length)] ?? ''
      const parent_id = draw(10) === 0 ? null : (units[draw(units.length)] ?? null)
      return call(keeper, 'PATCH', `org-units/${id}`, { parent_id })
    })
    const answers = await Promise.all(moves)
    moved += answers.filter(({ status }) => status === 200).length
    for (const code of codesOf(answers)) seen.add(code)
    const after = await readUnits(tenant)
    t.equal(after.length, units.length, `round ${round}: nothing is lost`)
    t.ok(isTree(after), `round ${round}: a tree`)
    const tree = await call(keeper, 'GET', 'org-units/tree')
    t.equal(tree.body.items.length, units.length, `round ${round}: all of it is shown`)
  }
  // Whoever has waited too long for the others is told to come again.
  seen.delete('503 database-unavailable')
  t.strictSame([...seen].toSorted(), ['200', '409 org-unit-cycle'], 'each answer says what came of it')
  t.ok(moved > 100, `${moved} of 1,000 moves went through`)
  const events = await call(keeper, 'GET', 'audit-events?action=org-unit.modified&count=true&limit=1')
  t.equal(events.body.total, moved, 'and each of them is in the log')
})

t.test('two that are moved below one another at once: one goes, twenty rounds', async t => {
  for (let round = 0; round < 20; round += 1) {
    const [one, two] = await Promise.all(
      ['one', 'two'].map(name => call(admin, 'POST', 'org-units', { name: `${name} of ${round}` })),
    )
    const [a, b] = [one?.body.id, two?.body.id]
    const answers = await Promise.all([
      call(admin, 'PATCH', `org-units/${a}`, { parent_id: b }),
      call(admin, 'PATCH', `org-units/${b}`, { parent_id: a }),
    ])
    t.strictSame([...codesOf(answers)].toSorted(), ['200', '409 org-unit-cycle'], `round ${round}`)
  }
})

t.test('a subtree that is moved while sixteen grow it is never deeper than 64 levels', async t => {
  const tenant = await cast.addTenant()
  const keeper = await cast.addActor(tenant, { roles: ['admin'] })
  const chain: string[] = []
  for (let level = 0; level < 62; level += 1) {
    chain.push((await call(keeper, 'POST', 'org-units', { name: 'level', parent_id: chain.at(-1) ?? null })).body.id)
  }
  const branch = (await call(keeper, 'POST', 'org-units', { name: 'branch' })).body.id
  const twig = (await call(keeper, 'POST', 'org-units', { name: 'twig', parent_id: branch })).body.id
  const answers = await Promise.all([
    ...Array.from({ length: 8 }, (_, n) => call(keeper, 'POST', 'org-units', { name: `leaf ${n}`, parent_id: twig })),
    call(keeper, 'PATCH', `org-units/${branch}`, { parent_id: chain.at(-1) }),
    ...Array.from({ length: 8 }, (_, n) => call(keeper, 'POST', 'org-units', { name: `late ${n}`, parent_id: twig })),
  ])
  t.ok([...codesOf(answers)].every(code => ['200', '201', '409 org-unit-too-deep'].includes(code)))
  t.ok(isTree(await readUnits(tenant)))
})

t.test('sixteen deletions and sixteen creations below the same unit: nothing hangs in the air', async t => {
  for (let round = 0; round < 5; round += 1) {
    const { id } = (await call(admin, 'POST', 'org-units', { name: `shaky ${round}` })).body
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, n) =>
        n % 2 === 0
          ? call(admin, 'POST', 'org-units', { name: `child ${n}`, parent_id: id })
          : call(admin, 'DELETE', `org-units/${id}`),
      ),
    )
    const expected = ['201', '204', '404 org-unit-not-found', '409 org-unit-in-use']
    for (const code of codesOf(answers)) t.ok(expected.includes(code), code)
    const isThere = (await call(admin, 'GET', `org-units/${id}`)).status === 200
    t.equal(
      isThere,
      answers.some(({ status }) => status === 201),
      'gone only where nobody had put anything below it',
    )
  }
})

t.test('sixteen put one person into different positions at once: the person holds one', async t => {
  const { userId, membershipId } = await cast.addPerson(company)
  const positions = await Promise.all(
    Array.from(
      { length: 16 },
      async (_, n) => (await call(admin, 'POST', 'positions', { title: `chair ${n}` })).body.id,
    ),
  )
  const answers = await Promise.all(positions.map(id => call(admin, 'PUT', `positions/${id}/users/${userId}`)))
  t.strictSame([...codesOf(answers)], ['204'])
  const { body, headers } = await call(admin, 'GET', `memberships/${membershipId}`)
  t.ok(positions.includes(body.position.id))
  t.equal(headers.etag, '"17"', 'each of them changed the membership')
  const held = await Promise.all(positions.map(id => call(admin, 'GET', `positions/${id}/users?count=true`)))
  t.equal(
    held.reduce((sum, page) => sum + page.body.total, 0),
    1,
  )
  const events = await call(admin, 'GET', `audit-events?action=position.assigned&target_id=${userId}&limit=200`)
  const chain = events.body.items.toReversed()
  t.equal(chain.length, 16)
  t.strictSame(
    chain.map((event: { before: { position_id: string } }) => event.before.position_id),
    [null, ...chain.slice(0, -1).map((event: { after: { position_id: string } }) => event.after.position_id)],
    'the events tell where the person was in between',
  )
})

t.test('a position that is deleted while sixteen put people into it: held or gone', async t => {
  const people = await Promise.all(Array.from({ length: 16 }, () => cast.addPerson(company)))
  for (let round = 0; round < 5; round += 1) {
    const { id } = (await call(admin, 'POST', 'positions', { title: `shaky ${round}` })).body
    const answers = await Promise.all(
      people.flatMap(({ userId }, n) => [
        call(admin, 'PUT', `positions/${id}/users/${userId}`),
        ...(n % 4 === 1 ? [call(admin, 'DELETE', `positions/${id}`)] : []),
      ]),
    )
    for (const code of codesOf(answers))
      t.ok(['204', '404 position-not-found', '409 position-in-use'].includes(code), code)
    const isGone = (await call(admin, 'GET', `positions/${id}`)).status === 404
    const [left] = await inTenant(
      database.db,
      company,
      ({ sql }) => sql<{ count: number }[]>`select count(*)::int as count from memberships where position_id = ${id}`,
    )
    t.equal(left?.count === 0, isGone)
  }
  t.match(await call(admin, 'GET', `positions/${newId()}`), { status: 404 })
})
