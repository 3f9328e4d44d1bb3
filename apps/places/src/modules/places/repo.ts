import type { ServiceTx } from '@signet/db'
import type { BoundingBox } from './bounding-box.ts'
import type { NewPlace, Place, PlaceChange } from './schema.ts'

/** A row, in the names of the wire. */
export interface PlaceRow extends Omit<Place, 'created_at' | 'updated_at'> {
  readonly created_at: Date
  readonly updated_at: Date
  readonly version: number
}

export interface PlaceFilter {
  readonly kind: Place['kind'] | undefined
  readonly box: BoundingBox | undefined
  /** The id of the last place of the page before. */
  readonly after: string | undefined
  /** All of them when undefined. */
  readonly limit: number | undefined
}

const columns = [
  'id',
  'kind',
  'name',
  'address',
  'city',
  'country',
  'longitude',
  'latitude',
  'bays',
  'power_kw',
  'created_at',
  'updated_at',
  'version',
] as const

/** In the order of their ids, which is the order in which they were made. */
export async function selectPlaces({ sql }: ServiceTx, filter: PlaceFilter): Promise<PlaceRow[]> {
  const { kind = null, box, after = null, limit = null } = filter
  const inBox =
    box === undefined
      ? sql`true`
      : sql`latitude between ${box.south} and ${box.north} and case when ${box.west}::float8 <= ${box.east}::float8
          then longitude between ${box.west} and ${box.east} else longitude >= ${box.west} or longitude <= ${box.east} end`
  return sql<PlaceRow[]>`
    select ${sql(columns)} from places.places
    where (${kind}::text is null or kind = ${kind}) and (${after}::uuid is null or id > ${after}) and ${inBox}
    order by id limit ${limit}`
}

export async function selectPlace({ sql }: ServiceTx, id: string): Promise<PlaceRow | undefined> {
  const [row] = await sql<PlaceRow[]>`select ${sql(columns)} from places.places where id = ${id}`
  return row
}

export async function insertPlace({ sql }: ServiceTx, id: string, place: NewPlace): Promise<PlaceRow | undefined> {
  const [row] = await sql<PlaceRow[]>`
    insert into places.places ${sql({ id, ...place })} returning ${sql(columns)}`
  return row
}

/** Nothing when there is no such place, or not in this version. */
export async function updatePlace(
  { sql }: ServiceTx,
  id: string,
  version: number | null,
  change: PlaceChange,
): Promise<PlaceRow | undefined> {
  const [row] = await sql<PlaceRow[]>`
    update places.places set ${sql(change)}, updated_at = now(), version = version + 1
    where id = ${id} and (${version}::integer is null or version = ${version})
    returning ${sql(columns)}`
  return row
}

/** False when there is no such place, or not in this version. */
export async function deletePlace({ sql }: ServiceTx, id: string, version: number | null): Promise<boolean> {
  const { count } = await sql`
    delete from places.places where id = ${id} and (${version}::integer is null or version = ${version})`
  return count === 1
}
