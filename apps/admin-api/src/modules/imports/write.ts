/**
 * Some hundred people in one transaction. What is wrong with a line is found before it is written; what the database refuses all
 * the same is looked for by halves, so that it takes nobody else with it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type ImportedUser, importUsers } from '@signet/accounts'
import { isRefusedData, type TenantTx } from '@signet/db'
import { Problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { faultOf, judge, reportCreated, reportFailed } from './outcomes.ts'
import { findOwners } from './repo.ts'
import type { Reviewed } from './review.ts'
import type { Candidate, LineReport } from './schema.ts'
import { type ImportGrant, settleInTurn } from './turns.ts'

/** By their lines, of passwords that came as such. */
type Hashes = ReadonlyMap<number, string>

/** @throws Problem where the import cannot go on */
export async function createPeople(deps: Deps, caller: Caller, people: readonly Candidate[]): Promise<LineReport[]> {
  const existing = await findExisting(deps, caller, people)
  const rest = people.filter(({ line }) => !existing.some(each => each.line === line))
  const hashes = new Map<number, string>()
  for (const { line, password } of rest) {
    if (password !== undefined) hashes.set(line, await hashPatiently(deps, password))
  }
  return [...existing, ...(await writeOrDivide(deps, caller, rest, hashes))]
}

/** Of those whose password would be hashed: that costs far more than looking, and a file may be sent again. */
async function findExisting(deps: Deps, caller: Caller, people: readonly Candidate[]): Promise<LineReport[]> {
  const costly = people.filter(({ password }) => password !== undefined)
  if (costly.length === 0) return []
  return actAs(deps, caller, 'users:create', async tx => {
    const owners = await findOwners(tx, costly)
    return costly.flatMap((person, at) => judge(person, owners[at]) ?? [])
  })
}

async function writeOrDivide(
  deps: Deps,
  caller: Caller,
  people: readonly Candidate[],
  hashes: Hashes,
): Promise<LineReport[]> {
  const [first] = people
  if (first === undefined) return []
  try {
    return await actAs(deps, caller, 'users:create', (tx, actor) =>
      settleInTurn(tx, actor, people, {
        isExpected: () => false,
        settle: (grant, reviewed) => write(tx, grant, reviewed, hashes),
      }),
    )
  } catch (error) {
    if (!isRefusedData(error)) throw error
    if (people.length === 1) return [reportFailed(first, [{ pointer: '', message: 'cannot be stored as it is' }])]
    const middle = Math.ceil(people.length / 2)
    return [
      ...(await writeOrDivide(deps, caller, people.slice(0, middle), hashes)),
      ...(await writeOrDivide(deps, caller, people.slice(middle), hashes)),
    ]
  }
}

async function write(
  tx: TenantTx,
  grant: ImportGrant,
  reviewed: readonly Reviewed[],
  hashes: Hashes,
): Promise<LineReport[]> {
  const ids = await importUsers(
    tx,
    grant,
    reviewed.map(person => describeUser(person, hashes)),
  )
  const created: LineReport[] = []
  const left: Candidate[] = []
  for (const [at, { candidate }] of reviewed.entries()) {
    const id = ids[at] ?? null
    if (id === null) left.push(candidate)
    else created.push(reportCreated(candidate, id))
  }
  if (left.length === 0) return created
  const owners = await findOwners(tx, left)
  // Nobody has it any more: whoever had the identifier has let go of it between two statements.
  const explain = (person: Candidate, at: number) =>
    judge(person, owners[at]) ?? reportFailed(person, [faultOf('', 'concurrent-change')])
  return [...created, ...left.map(explain)]
}

function describeUser({ candidate, roles, parentId }: Reviewed, hashes: Hashes): ImportedUser {
  return {
    kind: candidate.kind ?? 'user',
    parentId,
    email: candidate.email ?? null,
    isEmailVerified: candidate.email_verified ?? false,
    phone: candidate.phone ?? null,
    isPhoneVerified: candidate.phone_verified ?? false,
    username: candidate.username ?? null,
    name: candidate.name ?? null,
    firstName: candidate.first_name ?? null,
    lastName: candidate.last_name ?? null,
    language: candidate.language ?? 'en',
    status: candidate.status ?? 'active',
    passwordHash: candidate.password_hash ?? hashes.get(candidate.line) ?? null,
    mustChange: candidate.must_change ?? false,
    roles,
    externalId: candidate.external_id ?? null,
  }
}

const patienceSeconds = 60

/** Sign-ins come first: where they leave no place, the import waits. @throws Problem `hashing-busy` after a minute */
async function hashPatiently({ hasher }: Deps, password: string): Promise<string> {
  for (let waited = 0; ; waited += 1) {
    try {
      return await hasher.hash(password)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'hashing-busy' || waited === patienceSeconds) throw error
    }
    await pause(1_000)
  }
}
