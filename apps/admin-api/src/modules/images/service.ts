import type { TenantTx } from '@signet/db'
import { type Actor, newId, problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { ImageStorage } from '../../storage/storage.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertMatch } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import type { ImageType } from '../../imaging/image-type.ts'
import type { ImageOwner } from './owners.ts'
import { announceImage, claimImage, findUnusedImages, forgetImage } from './repo.ts'

export interface ServedImage {
  readonly etag: string
  /** Undefined when the caller has it. */
  readonly png: Uint8Array | undefined
}

const retryAfterSeconds = 5

/**
 * @param isAtHand whether the caller has the image of this ETag
 * @throws Problem `image-not-found`, `storage-off`, `storage-unavailable`, and the owner's
 */
export async function readImage(
  deps: Deps,
  caller: Caller,
  owner: ImageOwner,
  isAtHand: (etag: string) => boolean,
): Promise<ServedImage> {
  const key = await actAs(deps, caller, owner.toRead, owner.find, owner.scope)
  const storage = storageOf(deps)
  if (key === null) throw problem('image-not-found')
  const etag = etagOf(key)
  if (isAtHand(etag)) return { etag, png: undefined }
  const png = await fromStore(() => storage.get(key))
  if (png === undefined) throw problem('image-not-found')
  return { etag, png }
}

/**
 * Who may not is sent away before the image is looked at: converting costs far more than asking.
 * @returns the ETag of the new image
 * @throws Problem `invalid-image`, `unsupported-media-type`, `images-busy`, `version-mismatch`, and as {@link readImage}
 */
export async function putImage(
  deps: Deps,
  caller: Caller,
  owner: ImageOwner,
  { bytes, type, ifMatch }: { bytes: Buffer; type: ImageType; ifMatch: string | undefined },
): Promise<string> {
  const lock = async (tx: TenantTx, actor: Actor) => {
    const locked = await owner.lock(tx, actor)
    assertMatch(ifMatch, locked.key === null ? null : etagOf(locked.key))
    return locked
  }
  await actAs(deps, caller, owner.toChange, lock, owner.scope)
  const storage = storageOf(deps)
  const png = await deps.images.convert(bytes, type)
  const key: string = newId()
  await announceImage(deps.db, key)
  await fromStore(() => storage.put(key, png))
  const use = async (tx: TenantTx, actor: Actor) => {
    const { change } = await lock(tx, actor)
    await claimImage(tx, key)
    await change(key)
  }
  await actAs(deps, caller, owner.toChange, use, owner.scope)
  return etagOf(key)
}

/** @throws Problem `version-mismatch`, and as {@link readImage} */
export async function removeImage(
  deps: Deps,
  caller: Caller,
  owner: ImageOwner,
  ifMatch: string | undefined,
): Promise<void> {
  const work = async (tx: TenantTx, actor: Actor) => {
    const { key, change } = await owner.lock(tx, actor)
    storageOf(deps)
    if (key === null) throw problem('image-not-found')
    assertMatch(ifMatch, etagOf(key))
    await change(null)
  }
  await actAs(deps, caller, owner.toChange, work, owner.scope)
}

/** Removes from the store what nobody uses any more; gives how much that was. What fails is tried again the next time. */
export async function collectImages({ db, images: { storage } }: Pick<Deps, 'db' | 'images'>): Promise<number> {
  if (storage === undefined) return 0
  const keys = await findUnusedImages(db)
  for (const key of keys) {
    await storage.remove(key)
    await forgetImage(db, key)
  }
  return keys.length
}

function storageOf({ images: { storage } }: Deps): ImageStorage {
  if (storage === undefined) throw problem('storage-off')
  return storage
}

async function fromStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw problem('storage-unavailable', undefined, { cause, retryAfterSeconds })
  }
}

/** A new image has a new key: it is as good as a hash of the bytes. */
function etagOf(key: string): string {
  return `"${key}"`
}
