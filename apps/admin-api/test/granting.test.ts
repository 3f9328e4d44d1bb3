/**
 * Nobody ever holds or hands on more than the granter held (THREATS X-02): random people in random companies do random
 * things over HTTP, and after each of them a plain model says who holds what. What a person gained is within what whoever
 * did it could hand on before it; so, step by step, nobody holds more than the chain of those who gave it.
 */
import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { type Command, plan, send, verbs } from './granting/commands.ts'
import {
  type Bounds,
  boundNames,
  boundsOf,
  type Code,
  codes,
  type Model,
  type Person,
  type Statement,
  tools,
  treasures,
  without,
} from './granting/model.ts'
import { actorFor, pick, readBounds, type Scene, setUp, type Stage } from './granting/stage.ts'
import { createWorld } from './world.ts'

t.setTimeout(600_000)
const runs = 1_000
/** Runs that wait for the database while another one computes. */
const lanes = 4
const seed = Number(process.env['GRANTING_SEED'] ?? Date.now() % 2 ** 31)

const world = await createWorld(t)

const place = fc.nat(50)
const code: fc.Arbitrary<Code> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...treasures) },
  { weight: 1, arbitrary: fc.constantFrom(...codes) },
)
/** Many can do anything but hold the treasures: else nobody could try to get at them. */
const much = fc.subarray([...treasures]).map((held): Code[] => [...tools, ...held])
const some = fc.uniqueArray(code, { maxLength: 3 })
const statement: fc.Arbitrary<Statement> = fc.record({
  effect: fc.constantFrom('permit', 'forbid'),
  actions: fc.oneof(
    { weight: 9, arbitrary: fc.uniqueArray(code, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
  of: fc.constantFrom('attached', 'attached', 'everybody'),
  condition: fc.constantFrom('none', 'resource', 'principal'),
})
const places = (minLength: number, maxLength: number) => fc.array(place, { minLength, maxLength })
const scene: fc.Arbitrary<Scene> = fc.record({
  roles: fc.array(fc.oneof({ weight: 3, arbitrary: much }, { weight: 1, arbitrary: some }), {
    minLength: 1,
    maxLength: 4,
  }),
  people: fc.array(fc.record({ roles: places(1, 2), isClient: fc.boolean() }), { minLength: 1, maxLength: 4 }),
  subClients: fc.array(fc.record({ client: place, roles: places(0, 2) }), { maxLength: 2 }),
  policies: fc.array(fc.record({ statement, holders: places(1, 2) }), { minLength: 1, maxLength: 3 }),
})
/** Those that hand over what is there already. */
const often = ['assign role', 'withdraw role', 'attach policy', 'detach policy'] as const
const command: fc.Arbitrary<Command> = fc.record({
  verb: fc.constantFrom(...verbs, ...often, ...often),
  who: place,
  whom: place,
  role: place,
  policy: place,
  holds: some,
  statement,
})

const tally = { done: 0, refused: 0, impossible: 0 }

t.test(`X-02 nobody ever holds or hands on more than the granter held: ${runs} runs, seed ${seed}`, async t => {
  const property = fc.asyncProperty(
    scene,
    fc.array(command, { minLength: 6, maxLength: 6 }),
    async (from, commands) => {
      const stage = await setUp(world, from)
      await assertAsModelled(stage)
      for (const each of commands) await attempt(stage, each)
      // What was refused has left nothing behind.
      await assertAsModelled(stage)
    },
  )
  await Promise.all(
    Array.from({ length: lanes }, (_, lane) =>
      fc.assert(property, { numRuns: runs / lanes, seed: seed + lane, endOnFailure: false }),
    ),
  )
  t.comment(`${tally.done} done, ${tally.refused} refused, ${tally.impossible} by nobody who could sign in`)
  t.ok(tally.done > runs, 'enough of it was allowed to mean something')
  t.ok(tally.refused > runs, 'and enough refused')
})

async function attempt(stage: Stage, each: Command): Promise<void> {
  const { model } = stage
  const people = [...model.people.values()].filter(({ kind }) => kind !== 'invitation')
  const who = pick(people, each.who)
  const trial = plan(model, each)
  const actor = who && (await actorFor(world, stage, who.id))
  if (who === undefined || trial === undefined || actor === undefined) {
    tally.impossible += 1
    return
  }
  const before = allBounds(model)
  const answer = await send(world, actor, trial)
  const what = `${who.kind} ${who.id}: ${trial.method} ${trial.path} ${JSON.stringify(trial.body)} → ${answer.status}`
  if (answer.status >= 500) throw new Error(`${what} ${answer.text}`)
  if (answer.status >= 300) {
    tally.refused += 1
    return
  }
  tally.done += 1
  trial.done(answer)
  assertWithin(model, before, who, what)
  await assertAsModelled(stage, what)
}

function allBounds(model: Model): Map<string, Bounds> {
  return new Map([...model.people.values()].map(person => [person.id, boundsOf(model, person)]))
}

function assertWithin(model: Model, before: ReadonlyMap<string, Bounds>, who: Person, what: string): void {
  const givers = before.get(who.id)
  for (const person of model.people.values()) {
    const now = boundsOf(model, person)
    const then = before.get(person.id)
    for (const name of boundNames) {
      // Whoever is made by their own client is bounded by it at every moment, conditions included.
      const isOwn = then === undefined && person.clientId === who.id
      const limit: ReadonlySet<Code> = (isOwn ? givers?.[name] : givers?.grantable) ?? new Set()
      const gained = without(now[name], [...(then?.[name] ?? []), ...limit])
      if (gained.size > 0)
        throw new Error(`${what}\n${person.kind} ${person.id} gained ${name} ${[...gained].join(', ')}`)
    }
    const client = person.clientId === null ? undefined : model.people.get(person.clientId)
    if (client === undefined) continue
    const ceiling = boundsOf(model, client)
    for (const name of boundNames)
      if (without(now[name], ceiling[name]).size > 0)
        throw new Error(`${what}\n${person.id} holds more than its client`)
  }
}

/** The database says the same as the model: one of them would have to be wrong twice. */
async function assertAsModelled(stage: Stage, what = 'the scene'): Promise<void> {
  const stored = await readBounds(world, stage)
  for (const person of stage.model.people.values()) {
    if (person.kind === 'invitation') continue
    const modelled = boundsOf(stage.model, person)
    const found = stored.get(person.id)
    for (const name of boundNames) {
      const [is, ought] = [found?.[name] ?? [], modelled[name]].map(set => [...set].toSorted().join(', '))
      if (is !== ought) throw new Error(`${what}\n${person.kind} ${person.id} ${name}: database ${is}, model ${ought}`)
    }
  }
}

t.test('the model itself sees who would hold more', (t: Test) => {
  const member: Person = { id: 'a', kind: 'user', clientId: null, roles: new Set() }
  const model: Model = { member: '', roles: new Map(), policies: new Map(), people: new Map([['a', member]]) }
  const before = allBounds(model)
  model.roles.set('r', { id: 'r', holds: new Set(['tenants:modify']), isBuiltIn: false })
  model.people.set('a', { ...member, roles: new Set(['r']) })
  t.throws(() => assertWithin(model, before, member, 'a gift'), /gained permissions tenants:modify/)
  t.end()
})
