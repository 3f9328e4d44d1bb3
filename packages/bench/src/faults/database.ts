/** D-01: the server ends every connection in the middle of its work, a hundred times under load. */

import { setTimeout as pause } from 'node:timers/promises'
import { type Database, openDatabase } from '@signet/db'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { expectNone, type FaultRow, tell } from '../fault-report.ts'
import { prepareIssuer, type RestartableIssuer } from '../issuer.ts'
import { seedInstallation } from '../seed-installation.ts'
import type { HttpAnswer } from '../workers/http-connection.ts'
import {
  endConnections,
  findHalfPeople,
  findMissingPeople,
  findMissingSessions,
  findReusedSessions,
  readFamilies,
} from './families-repo.ts'
import {
  type Credentials,
  createIssuerClient,
  describeAnswer,
  type Family,
  type IssuerClient,
  newCredentials,
  refreshFamily,
  register,
  sessionOf,
  startFamily,
} from './issuer-client.ts'

const part = 'database'
const rounds = 100
const refreshing = 12
const signingIn = 2
const registering = 2
/** So many refreshes have to succeed after each time. */
const provenBy = 20
const recoveryMs = 10_000
/** The longest pause before the next time: it comes at another moment of the load. */
const longestPauseMs = 40

export async function breakDatabase(bench: Bench): Promise<FaultRow[]> {
  await using database = await openBenchDatabase(bench)
  await seedInstallation(database)
  await using issuer = await prepareIssuer(bench, database.url)
  await issuer.start()
  const load = await startLoad(issuer.url)
  const db = openDatabase({ url: database.superUrl, max: 1 })
  try {
    const total = { ended: 0, atWork: 0, longestMs: 0 }
    for (let round = 1; round <= rounds; round += 1) {
      const { ended, atWork } = await endConnections(db)
      total.ended += ended
      total.atWork += atWork
      total.longestMs = Math.max(total.longestMs, await untilRecovered(load, issuer, bench.signal))
      if (round % 10 === 0) bench.say(`${round} of ${rounds} times`)
      await pause(Math.random() * longestPauseMs, undefined, { signal: bench.signal })
    }
    await load.stop()
    return [
      tell(part, 'connections ended, of them at work', `${total.ended}, ${total.atWork}`),
      ...[...load.tally].map(([what, times]) => tell(part, `answers: ${what}`, `${times}`)),
      tell(part, `longest until ${provenBy} refreshes had succeeded`, `${Math.round(total.longestMs)} ms`),
      expectNone(part, 'every answer is right, or 503 with Retry-After', load.wrongAnswers, `${load.answers} answers`),
      ...(await checkWhatIsLeft(db, load)),
      expectNone(part, 'the issuer lives on', issuer.hasEnded() ? ['it has ended'] : [], '1 process'),
    ]
  } finally {
    await load.stop()
    await db.close()
  }
}

async function checkWhatIsLeft(db: Database, load: Load): Promise<FaultRow[]> {
  const stuck: string[] = []
  for (const family of load.families) {
    const answer = await refreshFamily(family)
    if (answer?.status !== 200) stuck.push(`${family.sessionId} ${describeAnswer(answer)}`)
  }
  const differing = (await readFamilies(db, load.families))
    .filter(({ family, generation }) => generation !== family.rotations)
    .map(({ family, generation }) => `${generation} committed, ${family.rotations} told`)
  return [
    expectNone(part, 'every session can be refreshed', stuck, `${load.families.length} sessions`),
    expectNone(part, 'no rotation was lost, none was made twice', differing, `${load.families.length} sessions`),
    expectNone(part, 'no honest client is taken for a thief', await findReusedSessions(db), 'all sessions'),
    expectNone(
      part,
      'no acknowledged sign-in is lost or in part',
      await findMissingSessions(db, load.sessions),
      `${load.sessions.length} sign-ins`,
    ),
    expectNone(
      part,
      'no acknowledged registration is lost',
      await findMissingPeople(db, load.people),
      `${load.people.length} registrations`,
    ),
    expectNone(part, 'no person was made in part', await findHalfPeople(db), 'all people'),
  ]
}

interface Load {
  readonly families: readonly Family[]
  /** Sessions that an answer has told. */
  readonly sessions: readonly string[]
  /** Addresses whose registration was acknowledged. */
  readonly people: readonly string[]
  readonly wrongAnswers: readonly string[]
  readonly answers: number
  readonly refreshes: number
  /** How often each answer came. */
  readonly tally: ReadonlyMap<string, number>
  stop(): Promise<void>
}

async function startLoad(url: string): Promise<Load> {
  const families: Family[] = []
  for (let number = 0; number < refreshing; number += 1) {
    const client = createIssuerClient(url)
    families.push(await startFamily(client, await register(client)))
  }
  const people: string[] = []
  const signingInPeople: [IssuerClient, Credentials][] = []
  for (let number = 0; number < signingIn; number += 1) {
    const client = createIssuerClient(url)
    signingInPeople.push([client, await register(client)])
  }
  const sessions: string[] = []
  const wrongAnswers: string[] = []
  const tally = new Map<string, number>()
  let answers = 0
  let refreshes = 0
  const stopping = new AbortController()

  const count = (what: string, answer: HttpAnswer | undefined, right: number): boolean => {
    const described = `${what} ${describeAnswer(answer)}`
    tally.set(described, (tally.get(described) ?? 0) + 1)
    answers += 1
    const isRight = answer?.status === right
    if (!isRight && !(answer?.status === 503 && answer.retryAfter !== undefined)) wrongAnswers.push(described)
    return isRight
  }
  const refresh = async (family: Family) => {
    while (!stopping.signal.aborted) if (count('refresh', await refreshFamily(family), 200)) refreshes += 1
  }
  const signIn = async ([client, person]: [IssuerClient, Credentials]) => {
    while (!stopping.signal.aborted) {
      const answer = await client.post('/api/v1/tokens', person)
      if (count('sign-in', answer, 200) && answer !== undefined) sessions.push(sessionOf(answer))
    }
    client.close()
  }
  const registerPeople = async () => {
    const client = createIssuerClient(url)
    while (!stopping.signal.aborted) {
      const person = newCredentials()
      if (count('registration', await client.post('/api/v1/users', person), 201)) people.push(person.email)
    }
    client.close()
  }
  const running = Promise.all([
    ...families.map(refresh),
    ...signingInPeople.map(signIn),
    ...Array.from({ length: registering }, registerPeople),
  ])
  return {
    families,
    sessions,
    people,
    wrongAnswers,
    get answers() {
      return answers
    },
    get refreshes() {
      return refreshes
    },
    tally,
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** Milliseconds. @throws Error when it takes too long or the issuer is gone */
async function untilRecovered(load: Load, issuer: RestartableIssuer, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now()
  const wanted = load.refreshes + provenBy
  while (load.refreshes < wanted) {
    if (issuer.hasEnded()) throw new Error('The issuer has ended.')
    if (performance.now() - startedAt > recoveryMs)
      throw new Error(`It does not work again: ${JSON.stringify([...load.tally])}`)
    await pause(2, undefined, { signal })
  }
  return performance.now() - startedAt
}
