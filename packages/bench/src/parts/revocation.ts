/**
 * How long after a sign-out every service of an installation refuses the session's tokens: 20 verifiers in 5 processes, at two
 * nodes of the issuer. All times are of one clock; a sign-out counts from its answer.
 */

import { randomInt } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { openDatabase } from '@signet/db'
import type { Bench } from '../bench.ts'
import { type BenchDatabase, openBenchDatabase } from '../bench-database.ts'
import { prepareIssuer, type RestartableIssuer } from '../issuer.ts'
import { monotonicMs } from '../monotonic.ts'
import { addressOf } from '../network-addresses.ts'
import { boundBytes, boundMoment, boundWaiting, expectAnswers, type Row } from '../report.ts'
import { type SeededInstallation, seedInstallation, seedPeople } from '../seed-installation.ts'
import { startWorker, type Worker } from '../worker.ts'
import { type HttpConnection, openConnection } from '../workers/http-connection.ts'
import type { Stale, VerifiersQuestion, VerifiersSettings } from '../workers/verifiers.ts'

const part = 'revocation'
const processes = 5
const verifiersEach = 4
const sessions = 1_000
const atMostMs = 1_000
/** Sessions that end while nobody is listening. */
const unheard = 5
/** What the issuer says of its lists. */
const ttlMs = 60_000
const maxStaleMs = 3_000
/** The list is asked about once a millisecond, and by a machine that is busy. */
const staleSlackMs = 500
const allowedForMs = 3 * maxStaleMs
const peopleCount = 20
const audience = 'signet'

export async function measureRevocation(bench: Bench): Promise<Row[]> {
  await using kept = new AsyncDisposableStack()
  const database = kept.use(await openBenchDatabase(bench))
  const installation = await seedInstallation(database)
  const first = kept.use(await prepareIssuer(bench, database.url))
  await first.start()
  // Another node of the same installation: the same database, the same keys, the same name.
  const second = kept.use(
    await prepareIssuer(bench, database.url, { ISSUER: nameOf(first), SIGNET_KEYS: first.keysFolder }),
  )
  await second.start()
  const issuers = [first, second]
  const signedIn = await signIn(bench, issuers, database, installation)
  return [
    ...(await measurePush(bench, issuers, signedIn.slice(0, sessions))),
    ...(await measurePoll(bench, issuers, signedIn.slice(sessions, sessions + unheard))),
    await measureList(issuers, database, installation),
    ...(await measureSilence(bench, issuers, signedIn.slice(-1))),
  ]
}

/** As an issuer calls itself where nothing else is said. */
function nameOf({ url }: RestartableIssuer): string {
  return url.replace('127.0.0.1', 'localhost')
}

interface Session {
  readonly accessToken: string
  readonly refreshToken: string
}

/** One more than is ended, of people who have as many each. */
async function signIn(
  bench: Bench,
  issuers: readonly RestartableIssuer[],
  database: BenchDatabase,
  { tenantId }: SeededInstallation,
): Promise<Session[]> {
  const wanted = sessions + unheard + 1
  bench.say(`${wanted} sessions begin`)
  const password = 'a quiet green harbour of the bench'
  const emails = await seedPeople(database, { tenantId, count: peopleCount, password })
  const made: Session[] = []
  let begun = 0
  const work = async (connection: HttpConnection) => {
    while (begun < wanted) {
      const number = begun++
      const body = JSON.stringify({ email: emails[number % emails.length], password })
      const answer = await connection.post('/api/v1/tokens', 'application/json', body, addressOf(number))
      if (answer.status !== 200) throw new Error(`Signing in was answered with ${answer.status}: ${answer.body}`)
      const { access_token, refresh_token } = JSON.parse(answer.body) as Record<string, string>
      made.push({ accessToken: access_token ?? '', refreshToken: refresh_token ?? '' })
    }
  }
  const connections = await openConnections(issuers)
  await Promise.all(connections.map(work))
  for (const connection of connections) connection.close()
  return made
}

function openConnections(issuers: readonly RestartableIssuer[]): Promise<HttpConnection[]> {
  return Promise.all(issuers.map(({ url }) => openConnection(url)))
}

type Service = Worker<VerifiersQuestion, unknown>

/** Processes that have fetched keys and lists. Half of the verifiers of each reach the one node, half the other. */
async function startServices(
  bench: Bench,
  issuers: readonly RestartableIssuer[],
  revocations: readonly VerifiersSettings['revocation'][],
): Promise<{ readonly all: readonly Service[] } & AsyncDisposable> {
  const kept = new AsyncDisposableStack()
  const [first] = issuers
  if (first === undefined) throw new TypeError('There is no issuer.')
  const urls = Array.from(
    { length: verifiersEach },
    (_, at) => issuers[Math.floor((at * issuers.length) / verifiersEach)],
  )
  const settings = { issuer: nameOf(first), audience, urls: urls.map(issuer => issuer?.url ?? '') }
  try {
    const all = revocations.map(() =>
      kept.use(startWorker<VerifiersQuestion, unknown>(bench, workerFile, bench.machine.loadCore)),
    )
    await Promise.all(
      all.map((service, at) => service.ask({ ...settings, revocation: revocations[at] ?? { mode: 'poll' } })),
    )
    return { all, [Symbol.asyncDispose]: () => kept.disposeAsync() }
  } catch (error) {
    await kept.disposeAsync()
    throw error
  }
}

/** The same for each process. */
function ofEach(revocation: VerifiersSettings['revocation']): VerifiersSettings['revocation'][] {
  return Array.from({ length: processes }, () => revocation)
}

async function askAll<Answer>(
  { all }: { readonly all: readonly Service[] },
  question: VerifiersQuestion,
): Promise<Answer[]> {
  return (await Promise.all(all.map(service => service.ask(question)))) as Answer[]
}

/** Ends a session through a node. @returns when it was answered */
async function signOut(node: HttpConnection, { refreshToken }: Session, number: number): Promise<number> {
  const body = JSON.stringify({ refresh_token: refreshToken })
  const answer = await node.post('/api/v1/tokens/revoke', 'application/json', body, addressOf(number))
  const answeredAt = monotonicMs()
  if (answer.status !== 204) throw new Error(`Signing out was answered with ${answer.status}: ${answer.body}`)
  return answeredAt
}

async function measurePush(
  bench: Bench,
  issuers: readonly RestartableIssuer[],
  ended: readonly Session[],
): Promise<Row[]> {
  bench.say(`${processes * verifiersEach} verifiers listen`)
  await using services = await startServices(bench, issuers, ofEach({ mode: 'push' }))
  await askAll(services, { accept: ended.map(each => each.accessToken) })
  const nodes = await openConnections(issuers)
  const times: number[] = []
  for (const [number, session] of ended.entries()) {
    const node = nodes[number % nodes.length]
    if (node === undefined) throw new TypeError('There is no node.')
    const [refusedAt, answeredAt] = await Promise.all([
      askAll<number>(services, { untilRefused: [number] }),
      signOut(node, session, number),
    ])
    // Who hears of it before the caller does has not waited.
    times.push(Math.max(0, Math.max(...refusedAt) - answeredAt))
    if ((number + 1) % 200 === 0) bench.say(`${number + 1} of ${ended.length} sessions have ended`)
  }
  for (const node of nodes) node.close()
  const subject = `refused by ${processes * verifiersEach} that listen`
  return [
    boundWaiting({ part, subject, times, atMostMs }),
    boundMoment({
      part,
      subject: `${subject}, the last of ${times.length}`,
      ms: Math.max(...times),
      untilMs: atMostMs,
    }),
  ]
}

/** Nobody listens: half of the verifiers are asked all the time, the others not before the list has had its time. */
async function measurePoll(
  bench: Bench,
  issuers: readonly RestartableIssuer[],
  ended: readonly Session[],
): Promise<Row[]> {
  bench.say(`${processes * verifiersEach} verifiers that listen no more: this takes ${ttlMs / 1000} s`)
  await using services = await startServices(bench, issuers, ofEach({ mode: 'poll' }))
  await askAll(services, { accept: ended.map(each => each.accessToken) })
  const nodes = await openConnections(issuers)
  const places = ended.map((_, place) => place)
  const endAll = async () => {
    const answered: number[] = []
    for (const [number, session] of ended.entries()) {
      const node = nodes[number % nodes.length]
      if (node !== undefined) answered.push(await signOut(node, session, number))
    }
    return answered
  }
  const [refusedAt, answered] = await Promise.all([
    askAll<number>(services, { untilRefused: places, everySecond: true }),
    endAll(),
  ])
  for (const node of nodes) node.close()
  // The first call that was answered has waited longest.
  const ms = Math.max(...refusedAt) - Math.min(...answered)
  await pause(Math.max(0, Math.max(...answered) + ttlMs - monotonicMs()), undefined, { signal: bench.signal })
  const answers = (await askAll<string[]>(services, { askOthers: places })).flat()
  return [
    boundMoment({ part, subject: 'refused by those that do not listen', ms, untilMs: ttlMs }),
    expectAnswers(part, `first answer of those idle for ${ttlMs / 1000} s`, answers, 'revoked'),
  ]
}

const endedShare = 0.01
const listBits = 131_072
const atMostBytes = 3_200
/** One that no session of this run is in. */
const measuredList = 6

/** As it goes over the wire to a verifier. */
async function measureList(
  [node]: readonly RestartableIssuer[],
  { superUrl }: BenchDatabase,
  { tenantId, userId }: SeededInstallation,
): Promise<Row> {
  const indexes = new Set<number>()
  while (indexes.size < listBits * endedShare) indexes.add(randomInt(listBits))
  const db = openDatabase({ url: superUrl, max: 1 })
  try {
    await db.sql`
      insert into sessions (tenant_id, id, user_id, amr, status_list, status_index, expires_at, ended_at, end_reason)
      select ${tenantId}, new_id(), ${userId}, '{pwd}', ${measuredList}, n, now() + interval '1 day', now(), 'bench'
      from unnest(${[...indexes]}::int[]) as n`
  } finally {
    await db.close()
  }
  const bytes = await countBytes(`${node?.url ?? ''}/status-lists/${measuredList}`)
  return boundBytes(part, `a list of ${listBits}, ${indexes.size} ended, with gzip`, bytes, atMostBytes)
}

function countBytes(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { 'accept-encoding': 'gzip' } }, answer => {
      let bytes = 0
      answer.on('data', (chunk: Buffer) => void (bytes += chunk.length))
      answer.on('error', reject)
      answer.on('end', () => {
        if (answer.statusCode === 200 && answer.headers['content-encoding'] === 'gzip') resolve(bytes)
        else reject(new Error(`The list was answered with ${answer.statusCode}.`))
      })
    })
    asked.on('error', reject).end()
  })
}

/** The issuers are gone: what is held serves on for as long as was chosen, and then as was chosen. */
async function measureSilence(
  bench: Bench,
  issuers: readonly RestartableIssuer[],
  held: readonly Session[],
): Promise<Row[]> {
  bench.say('the issuers are stopped')
  const policies = ['deny', 'allow'] as const
  await using services = await startServices(
    bench,
    issuers,
    policies.map(onStale => ({ mode: 'poll', maxStaleMs, onStale })),
  )
  await askAll(services, { accept: held.map(each => each.accessToken) })
  const [[denying, allowing]] = await Promise.all([
    askAll<Stale>(services, { whileAcceptedMs: allowedForMs }),
    ...issuers.map(issuer => issuer.kill()),
  ])
  if (denying === undefined || allowing === undefined) throw new TypeError('Somebody did not answer.')
  return [
    boundMoment({
      part,
      subject: 'issuers gone, deny: good tokens pass until the list is as old',
      ms: denying.ageMs,
      fromMs: maxStaleMs,
      untilMs: maxStaleMs + staleSlackMs,
    }),
    expectAnswers(part, 'and then', denying.answers, '503 revocation_unavailable'),
    expectAnswers(
      part,
      `issuers gone, allow: the list is ${(allowing.ageMs / 1000).toFixed(1)} s old`,
      allowing.answers,
      'accepted',
    ),
  ]
}

const workerFile = new URL('../workers/verifiers.ts', import.meta.url)
