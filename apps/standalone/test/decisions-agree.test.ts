/**
 * `can()` and `explain()` of a verifier say offline what the decision API says: random companies, made by calls to the real
 * programs, and in each of them random questions about everybody. `DECISIONS_RUNS` multiplies the runs, `DECISIONS_SEED` draws
 * others; a failure says what it takes to see it again.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { AuthError, createVerifier, type Principal, type Verifier, type VerifierOptions } from '@signet/verifier'
import * as fc from 'fast-check'
import t from 'tap'
import { change, isAboutNames, make } from './decisions/changes.ts'
import { addOutsiders, type Company, createCompany, leavePlatform } from './decisions/companies.ts'
import { answerReadable, assertPermits, compareAll, explainAll, fillIn, tally } from './decisions/compare.ts'
import { audience, claimsOf, type Node, serviceKey, startInstallation } from './decisions/installation.ts'
import { question } from './decisions/questions.ts'
import { type Scene, sceneWith } from './decisions/scenes.ts'

t.setTimeout(3_600_000)
const seed = Number(process.env['DECISIONS_SEED'] ?? 5)
const times = Number(process.env['DECISIONS_RUNS'] ?? 1)

const installation = await startInstallation(t)
const outsiders = await addOutsiders(installation)
let companies = 0

async function withCompany(scene: Scene, work: (company: Company) => Promise<void>): Promise<void> {
  const company = await createCompany(installation, outsiders, scene, `c${++companies}`)
  await work(company)
  await leavePlatform(installation, company)
}

function verifierWith({ keys, ...own }: Partial<VerifierOptions> = {}): Verifier {
  const { issuer, keysUri: uri } = installation
  return createVerifier({ issuer, audience, keys: { uri, ...keys }, revocation: { mode: 'off' }, ...own })
}

/** Without the scene that failed, which nobody could read: the error says what was asked, of whom, and by which policies. */
async function hold<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  const run = await fc.check(property, { numRuns: numRuns * times, seed, endOnFailure: true })
  if (run.failed) throw new Error(`DECISIONS_SEED=${seed} failed in run ${run.numRuns}`, { cause: run.errorInstance })
}

const questions = (count: number) => fc.array(question, { minLength: count, maxLength: count })

t.test('with the bundle a verifier says what the decision API says, word for word', async t => {
  let count = 0
  const property = fc.asyncProperty(sceneWith(6), questions(64), (scene, drawn) =>
    withCompany(scene, async company => {
      for (const [index, person] of company.people.entries()) {
        const verifier = verifierWith()
        const principal = await verifier.verify(person.tokens.access_token)
        // By turns the person asks and a service.
        const asked = drawn.slice(index % 2).map(each => fillIn(company, person, each))
        await compareAll(installation, company, person, principal, asked).catch((cause: unknown) => {
          throw new Error(`Question ${count + 1} to ${count + asked.length}`, { cause })
        })
        count += asked.length
        verifier.close()
      }
    }),
  )
  const startedAt = performance.now()
  await hold(property, 24)
  t.comment(`${count} questions in ${companies} companies, ${Math.round(performance.now() - startedAt)} ms`)
  t.comment(JSON.stringify(Object.fromEntries(tally)))
  t.ok(count >= 10_000 * times)
  for (const type of ['role', 'permit', 'forbid', 'permit-error', 'forbid-error', 'missing', 'ceiling', 'question']) {
    t.ok((tally.get(type) ?? 0) >= 20, `${type} is among the reasons`)
  }
})

function assertSilent(principal: Principal): void {
  try {
    principal.can('places:read')
  } catch (error) {
    if (error instanceof AuthError && error.reason === 'bundle_unavailable') return
    throw error
  }
  throw new Error('It was decided by nothing.')
}

t.test('a token that lists permissions says without any bundle what the decision API says', async t => {
  const count = { listing: 0, silent: 0, questions: 0 }
  const nodes: readonly Node[] = ['default', 'all']
  const property = fc.asyncProperty(sceneWith(1), questions(24), (scene, drawn) =>
    withCompany(scene, async company => {
      const verifier = verifierWith({ bundles: false })
      for (const person of company.people) {
        const asked = drawn.map(each => fillIn(company, person, each))
        const answered = await answerReadable(installation, company, person, asked)
        // Whoever has made everything here goes on with the tokens that they have.
        for (const node of person.tokens === installation.staff ? [] : nodes) {
          // The session goes on at another node, which lists what fits.
          person.tokens = await installation.refresh(person.tokens, node)
          const token = person.tokens.access_token
          const principal = await verifier.verify(token)
          if (claimsOf(token).permissions === undefined) {
            assertSilent(principal)
            count.silent += 1
            continue
          }
          count.listing += 1
          count.questions += answered.length
          assertPermits(company, person, principal, answered)
        }
      }
      verifier.close()
    }),
  )
  await hold(property, 10)
  t.comment(JSON.stringify(count))
  t.ok(count.listing > 30 * times && count.silent > 30 * times, 'tokens of both kinds were asked')
})

t.test(
  'after whatever change both say the same again once the bundle is renewed, and no older one is ever taken',
  async t => {
    const count = { changes: 0, questions: 0, replayed: 0, stale: 0 }
    const step = fc.record({ change, isReplayed: fc.boolean() })
    const drawnSteps = fc.array(step, { minLength: 5, maxLength: 5 })
    const property = fc.asyncProperty(sceneWith(6), drawnSteps, questions(8), (scene, steps, drawn) =>
      withCompany(scene, async company => {
        const clock = { nowMs: Date.now() }
        const proxy = createReplayingProxy()
        const verifier = verifierWith({
          keys: { fetch: proxy.fetch },
          now: () => clock.nowMs,
          on: { stale: what => void (count.stale += Number(what === 'bundle')) },
          ...(companies % 2 === 0 ? { serviceKey } : {}),
        })
        const asked = new Map(company.people.map(each => [each, drawn.map(one => fillIn(company, each, one))]))
        const compareEverybody = async () => {
          for (const [person, own] of asked) {
            const principal = await verifier.verify(person.tokens.access_token)
            count.questions += await compareAll(installation, company, person, principal, own)
          }
        }
        const sayAll = async () => {
          const said = []
          for (const [person, own] of asked) {
            said.push(explainAll(await verifier.verify(person.tokens.access_token), own))
          }
          return JSON.stringify(said)
        }
        await compareEverybody()
        for (const { change: next, isReplayed } of steps) {
          const said = await sayAll()
          await make(installation, company, next)
          count.changes += 1
          if (isReplayed && proxy.replay()) {
            clock.nowMs += ttlMs
            if ((await sayAll()) !== said) throw new Error(`After ${next.kind} an older bundle was taken`)
            count.replayed += proxy.stop()
          }
          clock.nowMs += ttlMs
          if (isAboutNames(next)) await refreshAll(company)
          // Where a fetch has failed before, nobody waits for the next one.
          const deadline = performance.now() + 20_000
          await compareEverybody().catch(async function again(cause: unknown): Promise<void> {
            if (!isReplayed || performance.now() > deadline) throw new Error(`After ${next.kind}`, { cause })
            await delay(2)
            return compareEverybody().catch(again)
          })
        }
        verifier.close()
      }),
    )
    await hold(property, 8)
    t.comment(JSON.stringify(count))
    t.ok(count.replayed > 5 * times, 'older bundles were offered')
    t.ok(count.stale >= count.replayed, 'and refused, each of them')
  },
)

/** The issuer says 60 s. */
const ttlMs = 61_000

async function refreshAll({ people }: Company): Promise<void> {
  for (const person of people) {
    if (person.tokens === installation.staff) continue
    person.tokens = await installation.refresh(person.tokens, 'none')
  }
}

/** Hands everything on; while it replays, the oldest bundle that ever came, as somebody would who has kept it. */
function createReplayingProxy() {
  const state = { oldest: undefined as string | undefined, newest: '', isReplaying: false, replayed: 0 }
  return {
    /** False where there is none that is older. */
    replay: () => (state.isReplaying = state.oldest !== undefined && state.oldest !== state.newest),
    /** How often it has. */
    stop() {
      const { replayed } = state
      Object.assign(state, { isReplaying: false, replayed: 0 })
      return replayed
    },
    fetch: (async (input, init) => {
      const isBundle = String(input instanceof Request ? input.url : input).includes('/bundles/')
      if (isBundle && state.isReplaying) {
        state.replayed += 1
        return new Response(state.oldest ?? '', { headers: { 'content-type': 'application/jwt' } })
      }
      const response = await fetch(input, init)
      if (!isBundle || response.status !== 200) return response
      const text = await response.text()
      state.oldest ??= text
      state.newest = text
      return new Response(text, { headers: response.headers })
    }) satisfies typeof fetch,
  }
}
