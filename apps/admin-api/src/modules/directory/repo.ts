import { customers, subcontractors, type TenantTx } from '@signet/db'
import { type CustomerId, type Grant, newId, type Page } from '@signet/kernel'
import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import type { EntryQuery } from './schema.ts'

/** A line of the business directory. Only subcontractors have a description. */
export type Entry = Omit<typeof customers.$inferSelect, 'id'> & { readonly id: string; readonly description?: string }
export type EntryMembers = Omit<Entry, 'tenantId' | 'id' | 'createdAt' | 'updatedAt' | 'version'>

export type EntryTable = 'customers' | 'subcontractors'

/** Their tables are the same but for the description, which goes in and out as any other column. */
const tables: Readonly<Record<EntryTable, typeof customers>> = {
  customers,
  subcontractors: subcontractors as unknown as typeof customers,
}

export function listEntries(
  tx: TenantTx,
  name: EntryTable,
  cursorKey: Uint8Array,
  query: EntryQuery,
): Promise<Page<Entry>> {
  const table = tables[name]
  return listRows<Entry>(
    tx,
    cursorKey,
    {
      name,
      from: table,
      columns: getTableColumns(table),
      id: { by: table.id, type: 'uuid' },
      sorts: { name: sortText(table.name), created_at: { by: table.createdAt, type: 'timestamptz' } },
      filters: [
        eq(table.tenantId, tx.tenantId),
        holdsText(query.q, table.name, table.email, table.contactPerson, table.phone, table.address),
        query.name === undefined ? undefined : eq(table.name, query.name),
        query.email === undefined ? undefined : eq(sql`lower(${table.email})`, query.email.toLowerCase()),
      ],
    },
    query,
  )
}

/** Undefined when there is none. */
export async function findEntry(tx: TenantTx, name: EntryTable, id: string): Promise<Entry | undefined> {
  const [entry] = await tx.db
    .select()
    .from(tables[name])
    .where(isEntry(tx, name, id))
  return entry
}

/** As `findEntry`, and nobody else changes it before this transaction ends. */
export async function lockEntry(tx: TenantTx, name: EntryTable, id: string): Promise<Entry | undefined> {
  const [entry] = await tx.db
    .select()
    .from(tables[name])
    .where(isEntry(tx, name, id))
    .for('update')
  return entry
}

export async function insertEntry(
  { db, tenantId }: TenantTx,
  _grant: Grant<'create', Entry | null>,
  name: EntryTable,
  members: EntryMembers,
): Promise<Entry> {
  const row = { tenantId, id: newId<CustomerId>(), ...members }
  const [entry] = await db.insert(tables[name]).values(row).returning()
  return entry as Entry
}

export async function updateEntry(
  tx: TenantTx,
  { resource }: Grant<'modify', Entry>,
  name: EntryTable,
  change: Partial<EntryMembers>,
): Promise<Entry> {
  const [entry] = await tx.db
    .update(tables[name])
    .set({ ...change, version: resource.version + 1, updatedAt: sql`now()` })
    .where(isEntry(tx, name, resource.id))
    .returning()
  return entry as Entry
}

export async function deleteEntry(tx: TenantTx, { resource }: Grant<'delete', Entry>, name: EntryTable): Promise<void> {
  await tx.db.delete(tables[name]).where(isEntry(tx, name, resource.id))
}

function isEntry({ tenantId }: TenantTx, name: EntryTable, id: string) {
  return and(eq(tables[name].tenantId, tenantId), eq(tables[name].id, id as CustomerId))
}
