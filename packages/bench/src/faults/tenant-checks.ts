/** What must not be: something of one tenant in the answers or the rows of another. Each check lists what breaks it. */

import type { Directory } from '../seed-directory.ts'
import type { MadeRow } from './tenant-requests.ts'

export interface MarkedRow extends MadeRow {
  readonly tenantId: string
}

export interface TenantCount {
  readonly tenantId: string
  readonly users: number
  readonly memberships: number
  /** Audit events of people who were created. */
  readonly created: number
}

type Samples = Directory['samples']

/** Which tenant, by its place, each address of the directory belongs to. */
export function ownersOfAddresses(samples: Samples): ReadonlyMap<string, number> {
  return new Map(samples.flatMap(({ people }, tenant) => people.map(({ email }) => [email, tenant])))
}

/** Addresses and marks of others in what a tenant was answered. */
export function findForeignTexts(owners: ReadonlyMap<string, number>, tenant: number, body: string): string[] {
  const addresses = (body.match(/person-\d+@bench\.invalid/g) ?? []).filter(email => owners.get(email) !== tenant)
  const marks = (body.match(/mark-\d+-\d+/g) ?? []).filter(mark => tenantOfMark(mark) !== tenant)
  return [...new Set([...addresses, ...marks])].map(found => `${found} was told to tenant ${tenant}`)
}

export function idsOf(body: string): string[] {
  return body.match(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g) ?? []
}

/** @param seen the ids that each tenant was told, by its place; @param owners the tenant of each id */
export function findForeignIds(
  samples: Samples,
  seen: readonly ReadonlySet<string>[],
  owners: ReadonlyMap<string, string>,
): string[] {
  return seen.flatMap((ids, tenant) => {
    const own = samples[tenant]?.keeper.tenantId
    const foreign = [...ids].filter(id => (owners.get(id) ?? own) !== own)
    return foreign.map(id => `${id} was told to tenant ${tenant}`)
  })
}

export function findStrays(samples: Samples, rows: readonly MarkedRow[]): string[] {
  return rows
    .filter(({ mark, tenantId }) => samples[tenantOfMark(mark)]?.keeper.tenantId !== tenantId)
    .map(({ kind, mark, tenantId }) => `${kind} ${mark} is in ${tenantId}`)
}

/** @param acknowledged what was answered to have been made; @param possible what may have been, its answer being cut */
export function findUnexplained(
  rows: readonly MadeRow[],
  acknowledged: readonly MadeRow[],
  possible: readonly MadeRow[],
): { readonly lost: string[]; readonly unasked: string[] } {
  const there = new Set(rows.map(nameOf))
  const explained = new Set([...acknowledged, ...possible].map(nameOf))
  return {
    lost: acknowledged.map(nameOf).filter(name => !there.has(name)),
    unasked: [...there].filter(name => !explained.has(name)),
  }
}

/** A tenant has those it began with and those that its own requests made: people, memberships and events alike. */
export function findMiscounted(samples: Samples, counts: readonly TenantCount[], rows: readonly MarkedRow[]): string[] {
  return samples.flatMap(({ keeper, people }, tenant) => {
    const made = rows.filter(({ kind, mark }) => kind === 'user' && tenantOfMark(mark) === tenant).length
    const expected = { users: people.length + made, memberships: people.length + made, created: made }
    const { users, memberships, created } = counts.find(({ tenantId }) => tenantId === keeper.tenantId) ?? none
    const counted = { users, memberships, created }
    const isRight = JSON.stringify(counted) === JSON.stringify(expected)
    return isRight ? [] : [`tenant ${tenant} has ${JSON.stringify(counted)}, not ${JSON.stringify(expected)}`]
  })
}

const none = { users: 0, memberships: 0, created: 0 }

function tenantOfMark(mark: string): number {
  return Number(mark.split('-')[1])
}

function nameOf({ kind, mark }: MadeRow): string {
  return `${kind} ${mark}`
}
