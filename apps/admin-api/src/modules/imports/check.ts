/** A dry run: what the import would do to these lines and those before them. */
import type { TenantTx } from '@signet/db'
import type { Actor } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import type { KnownIdentifiers } from './known-identifiers.ts'
import { faultsOfTaken, identifiers, judge, nameOf, reportCreatable, reportExisting, reportFailed } from './outcomes.ts'
import { findOwners } from './repo.ts'
import type { Candidate, LineReport } from './schema.ts'
import { settleInTurn } from './turns.ts'

/** Writes nothing but into `known`, which holds what the lines before would have taken. */
export async function checkPeople(
  deps: Deps,
  caller: Caller,
  people: readonly Candidate[],
  known: KnownIdentifiers,
): Promise<LineReport[]> {
  const checked = await actAs(deps, caller, 'users:create', (tx, actor) => checkIn(tx, actor, people, known))
  // Not before the end: a transaction may be run again.
  for (const identifier of checked.met) known.add(identifier)
  return checked.reports
}

async function checkIn(
  tx: TenantTx,
  actor: Actor,
  people: readonly Candidate[],
  known: KnownIdentifiers,
): Promise<{ readonly reports: LineReport[]; readonly met: ReadonlySet<string> }> {
  const met = new Set<string>()
  const isTaken = (identifier: string) => met.has(identifier) || known.has(identifier)
  const reports = await settleInTurn(tx, actor, people, {
    isExpected: identifier => isTaken(`client:${identifier}`),
    settle: async (_grant, reviewed) => {
      const candidates = reviewed.map(({ candidate }) => candidate)
      const owners = await findOwners(tx, candidates)
      return candidates.map((person, at) => {
        const report = judge(person, owners[at]) ?? judgeInFile(person, isTaken)
        if (report.status === 'would_create') for (const each of takenBy(person)) met.add(each)
        return report
      })
    },
  })
  return { reports, met }
}

function judgeInFile(person: Candidate, isTaken: (identifier: string) => boolean): LineReport {
  const taken = identifiers.filter(each => {
    const value = person[each]
    return value !== undefined && isTaken(`${each}:${value.toLowerCase()}`)
  })
  if (taken.length === 0) return reportCreatable(person)
  return taken.includes(nameOf(person)) ? reportExisting(person) : reportFailed(person, faultsOfTaken(taken))
}

/** What nobody who comes later can have, and that by which sub-clients find their client. */
function takenBy(person: Candidate): string[] {
  return identifiers.flatMap(each => {
    const value = person[each]?.toLowerCase()
    if (value === undefined) return []
    return person.kind === 'client' ? [`${each}:${value}`, `client:${value}`] : [`${each}:${value}`]
  })
}
