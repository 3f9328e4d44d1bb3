/**
 * Nobody ever holds or hands on more than the granter held (THREATS X-02): random people in random companies do random
 * things over HTTP, and after each of them a plain model says who holds what. What a person gained is within what whoever
 * did it could hand on before it; so, step by step, nobody holds more than the chain of those who gave it.
 */
import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { type Command, plan, send } from './granting/commands.ts'
import {
  boundNames,
  type Holdings,
  holdingNames,
  holdingsOf,
  type Model,
  ownHoldings,
  type Person,
  tools,
  without,
} from './granting/model.ts'
import { command, scene } from './granting/scenes.ts'
import { actorFor, pick, readBounds, setUp, type Stage } from './granting/stage.ts'
import { createWorld } from './world.ts'

t.setTimeout(600_000)
const runs = 1_000
/** Runs that wait for the database while another one computes. */
const lanes = 4
const seed = Number(process.env['GRANTING_SEED'] ?? Date.now() % 2 ** 31)

const world = await createWorld(t)

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
  const able = (person: Person) => tools.some(tool => holdingsOf(model, person).permissions.has(tool))
  const people = [...model.people.values()].filter(person => person.kind !== 'invitation' && able(person))
  const who = pick(people, each.who)
  const trial = who && plan(model, who, each)
  const actor = who && (await actorFor(world, stage, who.id))
  if (who === undefined || trial === undefined || actor === undefined) {
    tally.impossible += 1
    return
  }
  const before = allHoldings(model)
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

interface Both {
  readonly all: Holdings
  /** What a sub-client has been given, whatever its client holds. */
  readonly own: Holdings
}

function allHoldings(model: Model): Map<string, Both> {
  return new Map([...model.people.values()].map(person => [person.id, bothOf(model, person)]))
}

function bothOf(model: Model, person: Person): Both {
  return { all: holdingsOf(model, person), own: ownHoldings(model, person) }
}

function assertWithin(model: Model, before: ReadonlyMap<string, Both>, who: Person, what: string): void {
  const giver = before.get(who.id)?.all
  for (const person of model.people.values()) {
    const now = bothOf(model, person)
    const then = before.get(person.id)
    const isNewBelow = then === undefined && person.clientId !== null
    // What a policy on everybody gives a new sub-client, its client bounds at every moment, conditions included.
    const unasked = isNewBelow ? ownHoldings(model, { ...person, roles: new Set([model.member]) }) : undefined
    const isOwn = isNewBelow && person.clientId === who.id
    for (const name of holdingNames) {
      const limit = giver?.grantable ?? []
      const gained = new Set([
        ...without(now.all[name], [...(then?.all[name] ?? []), ...((isOwn ? giver?.[name] : undefined) ?? limit)]),
        ...without(now.own[name], [...((then?.own ?? unasked)?.[name] ?? []), ...limit]),
      ])
      if (gained.size > 0)
        throw new Error(`${what}\n${person.kind} ${person.id} gained ${name} ${[...gained].join(', ')}`)
    }
  }
}

/** The database says the same as the model: one of them would have to be wrong twice. */
async function assertAsModelled(stage: Stage, what = 'the scene'): Promise<void> {
  const stored = await readBounds(world, stage)
  for (const person of stage.model.people.values()) {
    if (person.kind === 'invitation') continue
    const modelled = holdingsOf(stage.model, person)
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
  const before = allHoldings(model)
  model.roles.set('r', { id: 'r', name: 'r', holds: new Set(['tenants:modify']), isBuiltIn: false })
  model.people.set('a', { ...member, roles: new Set(['r']) })
  t.throws(() => assertWithin(model, before, member, 'a gift'), /gained permissions tenants:modify/)
  t.end()
})
