/**
 * Companies in which there is something to get at. Each begins with somebody who can do anything but hold the treasures, with
 * roles that give and that withhold them, and with people from whom they are kept: what is drawn at random alone is nearly
 * always refused for want of the tools, and then proves little.
 */
import * as fc from 'fast-check'
import { type Command, verbs } from './commands.ts'
import { type Code, codes, keyName, type Statement, tools, treasures } from './model.ts'
import type { Scene, ScenePolicy } from './stage.ts'

const place = fc.nat(50)
const places = (minLength: number, maxLength: number) => fc.array(place, { minLength, maxLength })
const code: fc.Arbitrary<Code> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...treasures) },
  { weight: 1, arbitrary: fc.constantFrom(...codes) },
)
const some = fc.uniqueArray(code, { maxLength: 3 })
const loot = fc.subarray([...treasures], { minLength: 1 })
/** Many can do anything but hold the treasures: else nobody could try to get at them. */
const much = fc.subarray([...treasures]).map((held): Code[] => [...tools, ...held])

const statement: fc.Arbitrary<Statement> = fc.record({
  effect: fc.constantFrom('permit', 'forbid'),
  actions: fc.oneof(
    { weight: 9, arbitrary: fc.uniqueArray(code, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
  of: fc.constantFrom('attached', 'attached', 'attached', 'everybody'),
  condition: fc.constantFrom('none', 'none', 'none', 'resource', 'resource', 'principal', 'principal', 'role'),
})

/** The places of the roles with which each company begins. */
const helper = 0
const chest = 1
const ban = 2
const gift = 3
const key = 4
/** And of some of its people: its administrator and the helper stand before them. */
const bound = 2
const gripped = 4

const roles: fc.Arbitrary<Scene['roles']> = fc
  .tuple(loot, fc.array(fc.oneof(much, some), { maxLength: 1 }))
  .map(([treasure, more]) => [
    { holds: tools },
    { holds: treasure },
    { holds: [] },
    { holds: [] },
    { name: keyName, holds: [] },
    ...more.map(holds => ({ holds })),
  ])

const rolesFrom = (...begins: number[]) =>
  fc
    .oneof({ weight: 3, arbitrary: fc.constant<number[]>([]) }, { weight: 1, arbitrary: places(1, 1) })
    .map(more => [...begins, ...more])
const people: fc.Arbitrary<Scene['people']> = fc
  .tuple(
    fc.record({ roles: rolesFrom(helper), isClient: fc.constant(false) }),
    fc.record({ roles: fc.constantFrom([chest, ban], [chest, ban], [chest, key]), isClient: fc.constant(false) }),
    fc.record({ roles: rolesFrom(helper), isClient: fc.constant(true) }),
    fc.record({ roles: rolesFrom(helper, chest), isClient: fc.boolean() }),
    fc.array(fc.record({ roles: places(1, 2), isClient: fc.boolean() }), { maxLength: 1 }),
  )
  .map(([helps, isBound, trades, isGripped, more]) => [helps, isBound, trades, isGripped, ...more])

interface Shape {
  readonly of: Statement['of']
  readonly effect: readonly Statement['effect'][]
  readonly condition: readonly Statement['condition'][]
}
const about = (shape: Shape, actions: fc.Arbitrary<Code[]> = loot) =>
  fc.record<Statement>({
    effect: fc.constantFrom(...shape.effect),
    actions,
    of: fc.constant(shape.of),
    condition: fc.constantFrom(...shape.condition),
  })
const on = (drawn: fc.Arbitrary<Statement>, held: { roles?: number[]; people?: number[] }): fc.Arbitrary<ScenePolicy> =>
  drawn.map(each => ({ statement: each, roles: [], people: [], ...held }))

const withholds = about({ of: 'attached', effect: ['forbid'], condition: ['none'] }, fc.constant([...treasures]))
const gives = about({ of: 'attached', effect: ['permit'], condition: ['none', 'none', 'resource'] })
const grips = about({ of: 'attached', effect: ['forbid'], condition: ['resource', 'principal'] })
/** While a condition reads roles, every role counts for what it names: so in few companies, or hardly anybody could give one. */
const keyed = fc.oneof(
  on(about({ of: 'attached', effect: ['forbid'], condition: ['role'] }), { people: [bound] }),
  on(about({ of: 'everybody', effect: ['permit', 'forbid'], condition: ['role'] }), {}),
)
const drawn = fc.record({ statement, roles: places(0, 1), people: places(0, 1) })

const policies: fc.Arbitrary<Scene['policies']> = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: on(withholds, { roles: [ban] }) },
      { weight: 1, arbitrary: on(withholds, { people: [bound] }) },
    ),
    on(gives, { roles: [gift] }),
    on(grips, { people: [gripped] }),
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.tuple(keyed) }),
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.tuple(drawn) }),
  )
  .map(([banned, given, grip, keys, more]) => [banned, given, grip, ...keys, ...more])

export const scene: fc.Arbitrary<Scene> = fc.record({
  roles,
  people,
  subClients: fc.array(fc.record({ client: place, roles: places(0, 1) }), { minLength: 1, maxLength: 2 }),
  policies,
})

/** Those that hand over what is there already. */
const often = [
  'assign role',
  'withdraw role',
  'withdraw role',
  'attach policy',
  'detach policy',
  'rename role',
] as const
export const command: fc.Arbitrary<Command> = fc.record({
  verb: fc.constantFrom(...verbs, ...often, ...often, ...often),
  who: place,
  whom: place,
  role: place,
  policy: place,
  holds: some,
  statement,
})
