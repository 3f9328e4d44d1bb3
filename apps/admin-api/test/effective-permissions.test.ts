/** What `GET /users/{id}/permissions` says is what the database and the engine do. */
import { inTenant } from '@signet/db'
import type { TestPerson } from '@signet/testkit'
import t from 'tap'
import { addPolicy } from './policy-rows.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, staff, cast, company } = world

interface Item {
  readonly code: string
  readonly state: string
  readonly sources: readonly { readonly type: string; readonly name?: string }[]
  readonly withheld_by: readonly { readonly type: string; readonly name?: string; readonly id?: string }[]
}

const itemsOf = async ({ userId }: TestPerson): Promise<Item[]> =>
  (await world.call(admin, 'GET', `users/${userId}/permissions`)).body.items
const accessOf = ({ userId }: TestPerson) =>
  inTenant(world.database.db, company, async ({ sql }) => {
    const [row] = await sql<{ permissions: string[]; reach: string[] }[]>`
      select permissions, reach from member_access(${company}, ${userId})`
    return row
  })

const team = await cast.addRole(company, ['brands:read', 'brands:modify', 'brands:delete'], 'team')
const person = await cast.addPerson(company, { roles: ['team'] })
const client = await cast.addPerson(company, { kind: 'client', permissions: ['brands:read', 'brands:modify'] })
const sub = await cast.addPerson(company, { clientId: client.userId, roles: ['team'] })

await addPolicy(world, company, {
  name: 'gifts',
  source: [
    'permit(principal in ?principal, action == Action::"brands:list", resource);',
    'permit(principal in ?principal, action == Action::"brands:create", resource)',
    '  when { context.hour < 8 };',
    'forbid(principal in ?principal, action == Action::"brands:delete", resource);',
  ].join('\n'),
  statements: [
    { actions: ['brands:list'], isTemplate: true },
    { line: 2, actions: ['brands:create'], isTemplate: true, isConditional: true },
    { line: 4, effect: 'forbid', actions: ['brands:delete'], isTemplate: true },
  ],
  roles: [team],
})
const careful = await addPolicy(world, company, {
  name: 'careful',
  source: 'forbid(principal, action == Action::"brands:modify", resource) when { resource.is_kept };',
  statements: [{ effect: 'forbid', actions: ['brands:modify'], isConditional: true }],
})

t.test('each permission stands there with all that gives it and all that takes it away', async t => {
  const items = await itemsOf(person)
  t.match(
    items.map(({ code, state }) => `${code} ${state}`),
    [
      'brands:create conditional',
      'brands:delete withheld',
      'brands:list permitted',
      'brands:modify conditional',
      'brands:read permitted',
    ],
  )
  const [create, remove, list, modify, read] = items
  t.match(create, { sources: [{ type: 'policy', name: 'gifts', statement: 2, line: 2, conditional: true }] })
  t.match(remove, {
    sources: [{ type: 'role', name: 'team' }],
    withheld_by: [{ type: 'policy', name: 'gifts', statement: 3, line: 4, conditional: false }],
  })
  t.match(list, { sources: [{ type: 'policy', name: 'gifts', statement: 1, conditional: false }], withheld_by: [] })
  t.strictSame(modify?.withheld_by, [
    { type: 'policy', id: careful, name: 'careful', statement: 1, line: 1, conditional: true },
  ])
  t.strictSame(read, {
    code: 'brands:read',
    state: 'permitted',
    sources: [{ type: 'role', id: team, name: 'team' }],
    withheld_by: [],
  })
})

t.test('a sub-client sees what its client takes away', async t => {
  const items = await itemsOf(sub)
  const of = (code: string) => items.find(item => item.code === code)
  t.match(of('brands:read'), { state: 'permitted', withheld_by: [] })
  t.match(of('brands:list'), {
    state: 'withheld',
    withheld_by: [{ type: 'client', id: client.userId, conditional: false }],
  })
  t.match(of('brands:modify'), {
    state: 'conditional',
    withheld_by: [{ name: 'careful' }, { type: 'client', conditional: true }],
  })
})

t.test('and agrees with what the database says', async t => {
  for (const someone of [person, client, sub, admin, await cast.addPerson(company)]) {
    const access = await accessOf(someone)
    const items = await itemsOf(someone)
    const codes = (...states: string[]) => items.filter(({ state }) => states.includes(state)).map(({ code }) => code)
    t.strictSame(codes('permitted', 'conditional'), access?.reach.toSorted(), 'nothing that is not within reach')
    t.strictSame(
      codes('permitted').filter(code => access?.permissions.includes(code) !== true),
      [],
      'what is permitted is held',
    )
  }
})

t.test('platform staff are bound by no policy, and nobody who is suspended may do anything', async t => {
  await addPolicy(world, world.platform, {
    name: 'everything',
    source: 'forbid(principal, action, resource);',
    statements: [{ effect: 'forbid' }],
  })
  const { body } = await world.call(staff, 'GET', `users/${staff.userId}/permissions`)
  t.ok(body.items.length > 0 && body.items.every(({ state }: Item) => state === 'permitted'))
  await world.call(admin, 'POST', `users/${person.userId}/suspend`)
  t.strictSame(await itemsOf(person), [])
})
