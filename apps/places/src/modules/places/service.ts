import { type Database, inService, type ServiceTx } from '@signet/db'
import { isId, newId, problem } from '@signet/kernel'
import { readBoundingBox } from './bounding-box.ts'
import { deletePlace, insertPlace, type PlaceRow, selectPlace, selectPlaces, updatePlace } from './repo.ts'
import type { NewPlace, Place, PlaceChange, PlacePage, PlaceQuery } from './schema.ts'

/** A place, and the version of it that an ETag names. */
export interface VersionedPlace {
  readonly place: Place
  readonly version: number
}

/** A cursor is the id of the last place seen: places are public to whoever may read them, so there is nothing to seal. */
export async function listPlaces(db: Database, query: PlaceQuery): Promise<PlacePage> {
  const { kind, bbox, cursor, limit = 50 } = query
  if (cursor !== undefined && !isId(cursor)) throw problem('invalid-cursor')
  const box = bbox === undefined ? undefined : readBoundingBox(bbox)
  const rows = await inPlaces(db, tx => selectPlaces(tx, { kind, box, after: cursor, limit: limit + 1 }))
  const items = rows.slice(0, limit).map(toPlace)
  return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}

const everywhere = { kind: undefined, box: undefined, after: undefined }

export async function listAllPlaces(db: Database): Promise<Place[]> {
  const rows = await inPlaces(db, tx => selectPlaces(tx, { ...everywhere, limit: undefined }))
  return rows.map(toPlace)
}

/** @throws whatever keeps the service from its rows: no connection, no table, no right to it */
export async function assertReadable(db: Database): Promise<void> {
  await inPlaces(db, tx => selectPlaces(tx, { ...everywhere, limit: 1 }))
}

/** @throws Problem place-not-found */
export async function findPlace(db: Database, id: string): Promise<VersionedPlace> {
  return toVersioned(await inPlaces(db, tx => selectPlace(tx, id)))
}

export async function createPlace(db: Database, place: NewPlace): Promise<VersionedPlace> {
  return toVersioned(await inPlaces(db, tx => insertPlace(tx, newId(), place)))
}

/** @throws Problem place-not-found, or version-mismatch when the place is not in the `version` that is asked for */
export async function changePlace(
  db: Database,
  id: string,
  version: number | null,
  change: PlaceChange,
): Promise<VersionedPlace> {
  return inPlaces(db, async tx => {
    const changed = await updatePlace(tx, id, version, change)
    if (changed === undefined) await refuseUntouched(tx, id)
    return toVersioned(changed)
  })
}

/** @throws Problem place-not-found, or version-mismatch when the place is not in the `version` that is asked for */
export async function removePlace(db: Database, id: string, version: number | null): Promise<void> {
  await inPlaces(db, async tx => {
    if (!(await deletePlace(tx, id, version))) await refuseUntouched(tx, id)
  })
}

async function refuseUntouched(tx: ServiceTx, id: string): Promise<void> {
  if ((await selectPlace(tx, id)) !== undefined) throw problem('version-mismatch')
  throw problem('place-not-found')
}

function inPlaces<T>(db: Database, work: (tx: ServiceTx) => Promise<T>): Promise<T> {
  return inService(db, 'signet_places', work)
}

function toVersioned(row: PlaceRow | undefined): VersionedPlace {
  if (row === undefined) throw problem('place-not-found')
  return { place: toPlace(row), version: row.version }
}

function toPlace({ version: _version, created_at, updated_at, ...rest }: PlaceRow): Place {
  return { ...rest, created_at: created_at.toISOString(), updated_at: updated_at.toISOString() }
}
