/**
 * What sessions cost in an installation that has grown, against a small one, and what others feel of it when a million of them are
 * removed.
 */

import { randomBytes } from 'node:crypto'
import { type Database, openDatabase, runStatement } from '@signet/db'
import type { Bench } from '../bench.ts'
import { type BenchDatabase, openBenchDatabase } from '../bench-database.ts'
import { startIssuer } from '../issuer.ts'
import { boundRate, boundWaiting, compareRates, type Row } from '../report.ts'
import { alternate, type Turns } from '../rounds.ts'
import { type Directory, type DirectorySize, seedDirectory } from '../seed-directory.ts'
import { seedPeople } from '../seed-installation.ts'
import { leafOf, seedSessions, type SessionCounts, sessionIdOf } from '../seed-sessions.ts'
import { signIn, signInWithoutHash } from '../sign-in.ts'
import { percentile } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { BystandersAnswer, BystandersQuestion } from '../workers/bystanders.ts'

const part = 'growth'
const large: DirectorySize & SessionCounts = { tenants: 10_000, peopleEach: 100, live: 5_000_000, over: 1_000_000 }
const small: DirectorySize & SessionCounts = { tenants: 100, peopleEach: 100, live: 50_000, over: 0 }
const turns: Turns = { sliceMs: 100, slices: 5 }
/** 1.5 times the cost. */
const leastRate = 1 / 1.5
const samples = 500
const leastBoundMs = 50
const longestCleaningMs = 900_000

export async function measureGrowth(bench: Bench): Promise<Row[]> {
  await using kept = new AsyncDisposableStack()
  const many = await openSide(bench, kept, large)
  const few = await openSide(bench, kept, small)
  const rows: Row[] = []
  for (const [subject, work] of Object.entries(kinds)) {
    bench.say(subject)
    const rounds = await alternate(
      () => work(many),
      () => work(few),
      turns,
    )
    rows.push(
      compareRates({
        part,
        subject: `${subject}, 1,000,000 people with 5,000,000 sessions`,
        against: '10,000 people with 50,000',
        rounds,
        atLeast: leastRate,
      }),
    )
  }
  return [...rows, ...(await measureCleaning(bench, many))]
}

interface Side {
  readonly database: BenchDatabase
  readonly db: Database
  readonly directory: Directory
  readonly sessions: number
  /** Operations so far: each is of another session and another person. */
  turn: number
  /** The live refresh token of each session that was refreshed. */
  readonly leaves: Map<number, Buffer>
}

async function openSide(bench: Bench, kept: AsyncDisposableStack, size: DirectorySize & SessionCounts): Promise<Side> {
  const startedAt = performance.now()
  const database = kept.use(await openBenchDatabase(bench))
  const directory = await seedDirectory(database, size)
  await seedSessions(database, size)
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  bench.say(`${size.tenants * size.peopleEach} people and ${size.live + size.over} sessions made in ${seconds} s`)
  const db = kept.adopt(openDatabase({ url: database.url, max: 1 }), each => each.close())
  return { database, db, directory, sessions: size.live, turn: 0, leaves: new Map() }
}

const kinds: Readonly<Record<string, (side: Side) => Promise<number>>> = {
  refresh: async side => {
    // Of the lower half, spread over it; the upper half is for those that end.
    const number = 1 + ((nextTurn(side) * 7_919) % (side.sessions / 2))
    const successor = randomBytes(32)
    const [row] = await runStatement(
      side.db,
      sql => sql<{ outcome: string }[]>`
        select outcome from refresh_session(${sessionIdOf(number)}, ${side.leaves.get(number) ?? leafOf(number)}, ${successor},
          interval '10 seconds', interval '5 days', '127.0.0.1', null, 'bench')`,
    )
    if (row?.outcome !== 'rotated') throw new Error(`A refresh came to ${row?.outcome}.`)
    side.leaves.set(number, successor)
    return 1
  },
  'sign in, without the hash': async side => {
    const turn = nextTurn(side)
    const { samples: tenants } = side.directory
    const tenant = tenants[turn % tenants.length]
    const person = tenant?.people[(turn * 7) % tenant.people.length]
    if (tenant === undefined || person === undefined) throw new Error('The directory is empty.')
    await signInWithoutHash(side.db, { tenantId: tenant.keeper.tenantId, ...person })
    return 1
  },
  'end a session': async side => {
    const number = side.sessions / 2 + 1 + ((nextTurn(side) * 7_919) % (side.sessions / 2))
    await runStatement(side.db, sql => sql`select end_session(${sessionIdOf(number)}, 'signed-out', '127.0.0.1', null)`)
    return 1
  },
}

function nextTurn(side: Side): number {
  side.turn += 1
  return side.turn
}

/** The issuer removes what is over from its first moment on, and serves meanwhile. */
async function measureCleaning(bench: Bench, { database, directory }: Side): Promise<Row[]> {
  const [tenant] = directory.samples
  if (tenant === undefined) throw new Error('The directory is empty.')
  const password = randomBytes(15).toString('base64url')
  const [email = ''] = await seedPeople(database, { tenantId: tenant.keeper.tenantId, count: 1, password })
  await using kept = new AsyncDisposableStack()
  const admin = kept.adopt(openDatabase({ url: database.superUrl, max: 1 }), each => each.close())
  const issuer = kept.use(await startIssuer(bench, database.url))
  const startedAt = performance.now()
  const bystanders = kept.use(
    startWorker<BystandersQuestion, BystandersAnswer>(bench, bystandersFile, bench.machine.loadCore),
  )
  let refreshToken = await signIn(issuer, { email, password })
  const refresh = async () => {
    const answer = await bystanders.ask({ url: issuer.url, refreshToken, samples, everyMs: 0 })
    refreshToken = answer.refreshToken
    return answer.refresh
  }
  bench.say('the issuer removes a million sessions, and refreshes others')
  const whileCleaning: number[] = []
  let remaining = await countOver(admin)
  while (remaining > 0 && performance.now() - startedAt < longestCleaningMs) {
    const times = await refresh()
    remaining = await countOver(admin)
    if (remaining > 0) whileCleaning.push(...times)
  }
  const seconds = (performance.now() - startedAt) / 1_000
  if (remaining > 0) throw new Error(`${remaining} sessions are still there after ${seconds.toFixed(0)} s.`)
  const idle = [...(await refresh()), ...(await refresh())]
  const idleMs = percentile(idle, 0.99)
  return [
    boundRate({ part, subject: 'sessions removed beside the work', perSecond: large.over / seconds }),
    boundWaiting({
      part,
      subject: `refresh while sessions are removed (afterwards p99 ${idleMs.toFixed(1)} ms)`,
      times: whileCleaning,
      atMostMs: Math.max(leastBoundMs, Math.round(2 * idleMs)),
    }),
  ]
}

const bystandersFile = new URL('../workers/bystanders.ts', import.meta.url)

async function countOver(admin: Database): Promise<number> {
  const [row] = await admin.sql<[{ count: number }]>`
    select count(*)::int as count from sessions where expires_at < now() - interval '1 day'`
  return row.count
}
