/** People who refresh, sign in, register and read the key set without a pause, and what each of them was told. */

import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '@signet/db'
import { expectNone, type FaultRow } from '../fault-report.ts'
import type { HttpAnswer } from '../workers/http-connection.ts'
import {
  findHalfPeople,
  findMissingPeople,
  findMissingSessions,
  findReusedSessions,
  readFamilies,
} from './families-repo.ts'
import {
  describeAnswer,
  type Family,
  type IssuerClient,
  newCredentials,
  refreshFamily,
  register,
  sessionOf,
  startFamily,
} from './issuer-client.ts'

export interface LoadPlan {
  readonly createClient: () => IssuerClient
  /** How many do each, all the time. */
  readonly refreshing: number
  readonly signingIn: number
  readonly registering: number
  readonly readingKeys: number
}

/** A request that did not bring what it asked for. */
export interface Failure {
  readonly kind: Kind
  readonly what: string
  /** 503 with `Retry-After`: told to come again, and nothing was lost. */
  readonly isDeferred: boolean
  readonly sentAt: number
  readonly endedAt: number
}

export interface MixedLoad {
  readonly families: readonly Family[]
  /** Sessions that an answer has told. */
  readonly sessions: readonly string[]
  /** Addresses whose registration was acknowledged. */
  readonly people: readonly string[]
  readonly failures: readonly Failure[]
  /** Requests that have ended, with an answer or without. */
  readonly requests: number
  /** How often each of them succeeded. */
  readonly successes: Readonly<Record<Kind, number>>
  /** Every family once more, after the load has stopped. @returns those that cannot, and what they were told */
  refreshAll(): Promise<string[]>
  /** How often each answer came. */
  readonly tally: ReadonlyMap<string, number>
  stop(): Promise<void>
}

export type Kind = 'refresh' | 'sign-in' | 'registration' | 'key set'

const retryPauseMs = 20
/** It costs so little that it would be all there is. */
const keySetPauseMs = 5

export async function startMixedLoad(plan: LoadPlan): Promise<MixedLoad> {
  const clients: IssuerClient[] = []
  const open = () => {
    const client = plan.createClient()
    clients.push(client)
    return client
  }
  const registered = async () => {
    const client = open()
    return { client, person: await register(client) }
  }
  const families: Family[] = []
  while (families.length < plan.refreshing) {
    const { client, person } = await registered()
    families.push(await startFamily(client, person))
  }
  const signingIn: Awaited<ReturnType<typeof registered>>[] = []
  while (signingIn.length < plan.signingIn) signingIn.push(await registered())

  const sessions: string[] = []
  const people: string[] = []
  const failures: Failure[] = []
  const tally = new Map<string, number>()
  const successes: Record<Kind, number> = { refresh: 0, 'sign-in': 0, registration: 0, 'key set': 0 }
  const stopping = new AbortController()
  let requests = 0

  const ask = async (
    kind: Kind,
    right: number,
    send: () => Promise<HttpAnswer | undefined>,
  ): Promise<HttpAnswer | undefined> => {
    const sentAt = performance.now()
    const answer = await send()
    const endedAt = performance.now()
    const what = `${kind} ${describeAnswer(answer)}`
    tally.set(what, (tally.get(what) ?? 0) + 1)
    requests += 1
    if (answer?.status === right) {
      successes[kind] += 1
      return answer
    }
    const isDeferred = answer?.status === 503 && answer.retryAfter !== undefined
    failures.push({ kind, what, isDeferred, sentAt, endedAt })
    await pause(retryPauseMs)
    return undefined
  }
  const refresh = async (family: Family) => {
    while (!stopping.signal.aborted) await ask('refresh', 200, () => refreshFamily(family))
  }
  const signIn = async ({ client, person }: (typeof signingIn)[number]) => {
    while (!stopping.signal.aborted) {
      const answer = await ask('sign-in', 200, () => client.post('/api/v1/tokens', person))
      if (answer !== undefined) sessions.push(sessionOf(answer))
    }
  }
  const registerPeople = async (client: IssuerClient) => {
    while (!stopping.signal.aborted) {
      const person = newCredentials()
      if (await ask('registration', 201, () => client.post('/api/v1/users', person))) people.push(person.email)
    }
  }
  const readKeys = async (client: IssuerClient) => {
    while (!stopping.signal.aborted) {
      await ask('key set', 200, () => client.get('/.well-known/jwks.json'))
      await pause(keySetPauseMs)
    }
  }
  const running = Promise.all([
    ...families.map(refresh),
    ...signingIn.map(signIn),
    ...Array.from({ length: plan.registering }, () => registerPeople(open())),
    ...Array.from({ length: plan.readingKeys }, () => readKeys(open())),
  ])
  return {
    families,
    sessions,
    people,
    failures,
    get requests() {
      return requests
    },
    successes,
    refreshAll: async () => {
      const stuck: string[] = []
      for (const family of families) {
        const answer = await refreshFamily(family)
        if (answer?.status !== 200) stuck.push(`${family.sessionId} ${describeAnswer(answer)}`)
      }
      return stuck
    },
    tally,
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** What must hold in the database once a load has stopped, whatever broke under it. */
export async function checkWhatIsLeft(part: string, db: Database, load: MixedLoad): Promise<FaultRow[]> {
  const stuck = await load.refreshAll()
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
