import { type Database, runStatement } from '@signet/db'

/** The bits of a list as the database has them now. Undefined where no index of such a list was ever drawn. */
export async function loadBits(database: Database, list: number, byteCount: number): Promise<Buffer | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<{ indexes: Buffer | null }[]>`select load_status_list(${list}) as indexes`,
  )
  if (row === undefined || row.indexes === null) return undefined
  const { indexes } = row
  const bits = Buffer.alloc(byteCount)
  for (let offset = 0; offset < indexes.length; offset += 4) setBit(bits, indexes.readInt32BE(offset))
  return bits
}

/** Least significant bit first (draft-ietf-oauth-status-list section 4.1). */
export function setBit(bits: Buffer, index: number): void {
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7))
}

/** The lists of sessions whose tokens may still be valid, and the one that indexes are drawn from now. */
export async function findLiveLists(database: Database, tokenLifeSeconds: number): Promise<number[]> {
  const rows = await runStatement(
    database,
    sql => sql<{ list: number }[]>`
      select list::int as list from live_status_lists(make_interval(secs => ${tokenLifeSeconds})) as l (list)`,
  )
  return rows.map(({ list }) => list)
}
