/**
 * kill -9 of the issuer at random moments of refreshing, two hundred times. Whatever was under way, each family of
 * refresh tokens has one live leaf afterwards, and it is the one that its client reaches with what it holds.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { type Database, openDatabase } from '@signet/db'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { countFaults, expectNone, type FaultRow, tell } from '../fault-report.ts'
import { prepareIssuer } from '../issuer.ts'
import { seedInstallation } from '../seed-installation.ts'
import { readFamilies } from './families-repo.ts'
import {
  type Credentials,
  createIssuerClient,
  describeAnswer,
  type Family,
  refreshFamily,
  register,
  startFamily,
} from './issuer-client.ts'

const part = 'refresh'
const kills = 200
const clients = 8
/** The latest moment of a kill, counted from the moment at which all clients begin to refresh. */
const latestKillMs = 250
const longestMinutes = 20
/** The issuer's own: so long after a refresh its token, repeated, still brings the successor. */
const graceMs = 10_000

interface Client {
  readonly person: Credentials
  family: Family
  /** When the last request before the kill was sent: what it did was not done before. */
  askedAt: number
}

export async function breakRefresh(bench: Bench): Promise<FaultRow[]> {
  await using database = await openBenchDatabase(bench)
  await seedInstallation(database)
  await using issuer = await prepareIssuer(bench, database.url)
  const db = openDatabase({ url: database.superUrl, max: 1 })
  try {
    const deadline = performance.now() + longestMinutes * 60_000
    await issuer.start()
    const known = await signInClients(issuer.url)
    const found: Findings = { rotations: 0, committedUnanswered: 0, revoked: 0, lost: [], branched: [], stuck: [] }
    let made = 0
    while (made < kills && performance.now() < deadline) {
      const refreshing = known.map(client => refreshUntilCut(client, found))
      await pause(Math.random() * latestKillMs, undefined, { signal: bench.signal })
      await issuer.kill()
      await Promise.all(refreshing)
      await checkCommitted(db, known, found)
      await issuer.start()
      for (const client of known) await goOn(db, client, found)
      made += 1
      if (made % 10 === 0) bench.say(`${made} of ${kills} kills`)
    }
    const families = `${made * clients} families`
    return [
      countFaults(part, 'the issuer is killed', made, kills, longestMinutes),
      tell(part, 'refreshes answered', `${found.rotations}`),
      tell(part, 'refreshes committed whose answer the kill took', `${found.committedUnanswered}`),
      tell(part, 'families revoked, as the client came back after the grace', `${found.revoked}`),
      expectNone(part, 'no acknowledged rotation is lost, at most one is ahead', found.lost, families),
      expectNone(part, 'a repeated refresh gives the same successor', found.branched, families),
      expectNone(part, 'each family has one live leaf, which its client reaches, or is revoked', found.stuck, families),
    ]
  } finally {
    await db.close()
  }
}

interface Findings {
  rotations: number
  committedUnanswered: number
  revoked: number
  readonly lost: string[]
  readonly branched: string[]
  readonly stuck: string[]
}

async function signInClients(url: string): Promise<Client[]> {
  const made: Client[] = []
  while (made.length < clients) {
    const client = createIssuerClient(url)
    const person = await register(client)
    made.push({ person, family: await startFamily(client, person), askedAt: 0 })
  }
  return made
}

async function refreshUntilCut(client: Client, found: Findings): Promise<void> {
  for (;;) {
    client.askedAt = performance.now()
    const answer = await refreshFamily(client.family)
    if (answer === undefined) return
    if (answer.status === 200) found.rotations += 1
    // The kill cannot make it refuse an honest client.
    else return void found.stuck.push(`${client.family.sessionId}: ${describeAnswer(answer)}`)
  }
}

/** What was told is committed, and no more than the one refresh that was under way is committed beyond it. */
async function checkCommitted(db: Database, known: readonly Client[], found: Findings): Promise<void> {
  const families = known.map(client => client.family)
  for (const { family, generation } of await readFamilies(db, families)) {
    const ahead = generation - family.rotations
    if (ahead === 1) found.committedUnanswered += 1
    else if (ahead !== 0) found.lost.push(`${generation} committed, ${family.rotations} told`)
  }
}

/** The client comes back with what it holds, twice: the second time stands for an answer that was lost again. */
async function goOn(db: Database, client: Client, found: Findings): Promise<void> {
  const { family } = client
  const held = family.token
  const first = await refreshFamily(family)
  if (first?.status !== 200) return replaceRevoked(db, client, describeAnswer(first), found)
  const successor = family.token
  const repeated = await refreshFamily({ ...family, token: held })
  if (repeated?.status === 200) {
    const { refresh_token: again } = JSON.parse(repeated.body) as { refresh_token: string }
    if (again !== successor) found.branched.push(`${family.sessionId}: another successor`)
  } else return replaceRevoked(db, client, describeAnswer(repeated), found)
  const next = await refreshFamily(family)
  if (next?.status !== 200) found.stuck.push(`${family.sessionId}: ${describeAnswer(next)}`)
}

/**
 * Beyond the grace a spent token is taken for stolen, and the family is revoked. That is as designed where the issuer was away
 * for so long; anything else is not.
 */
async function replaceRevoked(db: Database, client: Client, answer: string, found: Findings): Promise<void> {
  const [state] = await readFamilies(db, [client.family])
  if (state?.isEnded && performance.now() - client.askedAt > graceMs) found.revoked += 1
  else found.stuck.push(`${client.family.sessionId}: ${answer}`)
  client.family = await startFamily(client.family.client, client.person)
}
