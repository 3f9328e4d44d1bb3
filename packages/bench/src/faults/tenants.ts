/**
 * T-07: ten thousand mixed requests of fifty tenants on the few connections of one administration, with errors and callers
 * who hang up. No answer holds anything of another tenant, and each row is in the tenant whose caller asked for it.
 */

import { Agent } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { type Database, openDatabase } from '@signet/db'
import { publishKeys, startAdministration, tokenOf } from '../administration.ts'
import type { Bench } from '../bench.ts'
import { expectNone, type FaultRow, tell } from '../fault-report.ts'
import type { Directory } from '../seed-directory.ts'
import { type Cut, sendOrCut } from './cut-requests.ts'
import {
  findForeignIds,
  findForeignTexts,
  findMiscounted,
  findStrays,
  findUnexplained,
  idsOf,
  ownersOfAddresses,
} from './tenant-checks.ts'
import { type CrowdRequest, type MadeRow, requestOf } from './tenant-requests.ts'
import { countByTenant, countConnections, readMarkedRows, readOwners } from './tenants-repo.ts'

const part = 'tenants'
const requests = 10_000
const size = { tenants: 50, peopleEach: 20 }
/** Many times as many as there are connections. */
const callers = 60
/** So many of the callers hang up. */
const cutShare = 1 / 8
const settleMs = 10_000

export async function mixTenants(bench: Bench): Promise<FaultRow[]> {
  await using keys = await publishKeys()
  await using administration = await startAdministration(bench, keys.issuer, size)
  const { directory, url, superUrl } = administration
  const { samples } = directory
  const tokens = samples.map(({ keeper }) => tokenOf(keys.issuer, keeper))
  const db = openDatabase({ url: superUrl, max: 1 })
  try {
    const found = await sendAll(bench, samples, url, tokens)
    const connections = await untilIdle(db, bench.signal)
    const { made, renamed } = await readMarkedRows(db)
    const { lost, unasked } = findUnexplained(made, found.acknowledged, found.possible)
    const foreignIds = findForeignIds(samples, found.seen, await readOwners(db))
    const miscounted = findMiscounted(samples, await countByTenant(db), made)
    const isAlive = await fetch(`${url}/readyz`).then(
      answer => answer.ok,
      () => false,
    )
    const answers = `${found.answers} answers`
    const ids = found.seen.reduce((sum, { size: count }) => sum + count, 0)
    return [
      tell(part, 'tenants, callers at once, database connections', `${samples.length}, ${callers}, ${connections}`),
      ...[...found.tally].toSorted(byName).map(([what, times]) => tell(part, `answers: ${what}`, `${times}`)),
      expectNone(part, 'every answer is right, or 503 with Retry-After', found.wrong, answers),
      expectNone(part, 'no answer has an address or a name of another tenant', found.foreignTexts, answers),
      expectNone(part, 'no answer has an id of another tenant', foreignIds, `${ids} ids`),
      expectNone(
        part,
        'every row is in the tenant that asked for it',
        findStrays(samples, [...made, ...renamed]),
        `${made.length + renamed.length} rows`,
      ),
      expectNone(part, 'no acknowledged row is lost', lost, `${found.acknowledged.length} rows`),
      expectNone(part, 'no row was made by a refused or unfinished request', unasked, `${made.length} rows`),
      expectNone(
        part,
        'people, memberships and events of each tenant are as many as it made',
        miscounted,
        `${samples.length} tenants`,
      ),
      expectNone(part, 'the administration lives on', isAlive ? [] : ['it does not answer'], '1 process'),
    ]
  } finally {
    await db.close()
  }
}

interface Findings {
  answers: number
  /** How often each answer came. */
  readonly tally: Map<string, number>
  readonly wrong: string[]
  readonly foreignTexts: string[]
  /** The ids that each tenant was told. */
  readonly seen: readonly Set<string>[]
  readonly acknowledged: MadeRow[]
  /** Of requests that were sent whole and whose answer nobody waited for. */
  readonly possible: MadeRow[]
}

async function sendAll(
  bench: Bench,
  samples: Directory['samples'],
  url: string,
  tokens: readonly string[],
): Promise<Findings> {
  const found: Findings = {
    answers: 0,
    tally: new Map(),
    wrong: [],
    foreignTexts: [],
    seen: samples.map(() => new Set<string>()),
    acknowledged: [],
    possible: [],
  }
  const addresses = ownersOfAddresses(samples)
  const agent = new Agent({ keepAlive: true })

  const ask = async (request: CrowdRequest) => {
    const { kind, tenant, right, makes } = request
    const cut = drawCut(request)
    const answer = await sendOrCut(agent, url, request, tokens[tenant] ?? '', cut)
    if (answer === undefined) {
      note(found, `${kind}, cut`)
      if (makes !== undefined && cut === 'answer') found.possible.push(makes)
      return
    }
    const described = `${kind}, ${answer.status}`
    note(found, described)
    found.answers += 1
    if (answer.status === right) {
      if (makes !== undefined) found.acknowledged.push(makes)
    } else if (answer.status !== 503 || answer.retryAfter === undefined) found.wrong.push(described)
    found.foreignTexts.push(...findForeignTexts(addresses, tenant, answer.body))
    for (const id of idsOf(answer.body)) found.seen[tenant]?.add(id)
  }

  let next = 0
  const call = async () => {
    for (let number = next++; number < requests; number = next++) {
      bench.signal.throwIfAborted()
      await ask(requestOf(samples, number))
      if (next % 1_000 === 0) bench.say(`${next} of ${requests} requests`)
    }
  }
  try {
    await Promise.all(Array.from({ length: callers }, call))
  } finally {
    agent.destroy()
  }
  return found
}

function byName([one]: [string, number], [other]: [string, number]): number {
  return one.localeCompare(other)
}

function note({ tally }: Findings, what: string): void {
  tally.set(what, (tally.get(what) ?? 0) + 1)
}

function drawCut({ body }: CrowdRequest): Cut {
  if (Math.random() >= cutShare) return undefined
  return body !== undefined && Math.random() < 0.5 ? 'body' : 'answer'
}

/** Work for callers who have gone is done to its end. Resolves with the number of connections. */
async function untilIdle(db: Database, signal: AbortSignal): Promise<number> {
  const deadline = performance.now() + settleMs
  for (;;) {
    await pause(200, undefined, { signal })
    const { all, atWork } = await countConnections(db)
    if (atWork === 0) return all
    if (performance.now() > deadline) throw new Error(`${atWork} connections are at work long after the last request.`)
  }
}
