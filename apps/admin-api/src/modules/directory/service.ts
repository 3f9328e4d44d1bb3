/** The business directory: customers and subcontractors are the same thing twice, each with permissions of its own. */
import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type Page, type Policy, problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { type EntryAction, entryPolicy } from './policy.ts'
import * as repo from './repo.ts'
import type { EntryChange, EntryQuery, NewEntry } from './schema.ts'

export type Entry = repo.Entry

/** One of the two parts of the directory. */
export interface Directory {
  /** Its table, its path and the first half of its permissions. */
  readonly name: repo.EntryTable
  /** What one of it is called. */
  readonly entry: 'customer' | 'subcontractor'
  readonly events: { readonly created: string; readonly modified: string; readonly deleted: string }
  readonly policy: Policy<EntryAction, Entry | null>
}

export const customers: Directory = {
  name: 'customers',
  entry: 'customer',
  events: { created: 'customer.created', modified: 'customer.modified', deleted: 'customer.deleted' },
  policy: entryPolicy('customers', 'customer-not-found'),
}

export const subcontractors: Directory = {
  name: 'subcontractors',
  entry: 'subcontractor',
  events: { created: 'subcontractor.created', modified: 'subcontractor.modified', deleted: 'subcontractor.deleted' },
  policy: entryPolicy('subcontractors', 'subcontractor-not-found'),
}

export function listEntries(
  deps: Deps,
  caller: Caller,
  { name, policy }: Directory,
  query: EntryQuery,
): Promise<Page<Entry>> {
  return actAs(deps, caller, `${name}:list`, async (tx, actor) => {
    authorize(policy, 'list', actor, null)
    return repo.listEntries(tx, name, deps.keys.cursor, query)
  })
}

/** @throws Problem `customer-not-found`, `subcontractor-not-found` */
export function readEntry(deps: Deps, caller: Caller, directory: Directory, id: string): Promise<Entry> {
  return actAs(deps, caller, `${directory.name}:read`, async (tx, actor) => {
    const entry = assertThere(directory, await repo.findEntry(tx, directory.name, id))
    authorize(directory.policy, 'read', actor, entry)
    return entry
  })
}

export function createEntry<Body>(
  deps: Deps,
  caller: Caller,
  directory: Directory,
  newEntry: NewEntry,
  once: Once<Entry, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, `${directory.name}:create`, (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const grant = authorize(directory.policy, 'create', actor, null)
      const { name, email = null, contact_person = null, phone = null, address = null } = newEntry
      const members = { name, email, contactPerson: contact_person, phone, address, ...describedBy(newEntry) }
      const entry = await repo.insertEntry(tx, grant, directory.name, members)
      await audit(tx, actor, directory, 'created', entry, { after: describe(entry) })
      return entry
    }),
  )
}

/** @throws Problem `customer-not-found`, `subcontractor-not-found`, `version-mismatch` */
export function changeEntry(
  deps: Deps,
  caller: Caller,
  directory: Directory,
  id: string,
  change: EntryChange,
  ifMatch: string | undefined,
): Promise<Entry> {
  return actAs(deps, caller, `${directory.name}:modify`, async (tx, actor) => {
    const before = assertThere(directory, await repo.lockEntry(tx, directory.name, id))
    const grant = authorize(directory.policy, 'modify', actor, before)
    assertVersion(ifMatch, before)
    const { name, email, contact_person, phone, address } = change
    const after = await repo.updateEntry(tx, grant, directory.name, {
      ...(name === undefined ? {} : { name }),
      ...(email === undefined ? {} : { email }),
      ...(contact_person === undefined ? {} : { contactPerson: contact_person }),
      ...(phone === undefined ? {} : { phone }),
      ...(address === undefined ? {} : { address }),
      ...describedBy(change),
    })
    await audit(tx, actor, directory, 'modified', after, { before: describe(before), after: describe(after) })
    return after
  })
}

/** @throws Problem `customer-not-found`, `subcontractor-not-found`, `version-mismatch` */
export function removeEntry(
  deps: Deps,
  caller: Caller,
  directory: Directory,
  id: string,
  ifMatch: string | undefined,
): Promise<void> {
  return actAs(deps, caller, `${directory.name}:delete`, async (tx, actor) => {
    const before = assertThere(directory, await repo.lockEntry(tx, directory.name, id))
    const grant = authorize(directory.policy, 'delete', actor, before)
    assertVersion(ifMatch, before)
    await repo.deleteEntry(tx, grant, directory.name)
    await audit(tx, actor, directory, 'deleted', before, { before: describe(before) })
  })
}

function assertThere({ policy }: Directory, entry: Entry | undefined): Entry {
  if (entry === undefined) throw problem(policy.hidden)
  return entry
}

/** Cleared, a description is empty; what has none keeps none. */
function describedBy({ description }: Pick<EntryChange, 'description'>): { description?: string } {
  return description === undefined ? {} : { description: description ?? '' }
}

function describe({ name, email, contactPerson, phone, address, description }: Entry): Record<string, unknown> {
  const members = { name, email, contact_person: contactPerson, phone, address }
  return description === undefined ? members : { ...members, description }
}

function audit(
  tx: TenantTx,
  actor: Actor,
  { entry, events }: Directory,
  what: keyof Directory['events'],
  { id }: Entry,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  const target = { targetType: entry, targetId: id }
  return recordAudit(tx, { action: events[what], actor, ...target, ...change, request: actor.request })
}
