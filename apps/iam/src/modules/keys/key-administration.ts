/**
 * What people do to the ring. Each change is read, decided and stored as one version; whoever loses against another writer
 * decides again on what the other has stored. Private keys lie on disk before the ring names them, and leave it after the
 * ring has let go of them.
 */
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '@signet/kernel'
import {
  deletePrivateKey,
  type GeneratedKey,
  generateKey,
  KeyFolderError,
  listPrivateKeys,
  prepareFolder,
  writePrivateKey,
} from './key-files.ts'
import {
  activeKey,
  findKey,
  firstRing,
  nextKeys,
  type Ring,
  withActive,
  withNext,
  withoutExpired,
  withRemoved,
  withRetired,
} from './ring.ts'
import { readRing, storeRing } from './ring-store.ts'

export interface KeyFolder {
  readonly folder: string
  /** How long a token lives: so long does a retired key stay published. */
  readonly tokenLifeMs: number
  readonly clock: Clock
}

/** `changed` is false where everything was already as it was wished. */
export interface RingChange {
  readonly ring: Ring
  readonly changed: boolean
}

/** The ring, made where there is none. @throws KeyFolderError */
export async function ensureRing(keys: KeyFolder): Promise<RingChange> {
  return change(keys, async (ring, make) => ring ?? firstRing(await make(), await make(), timestamp(keys)))
}

/** The ring as it is; looks and makes nothing. @throws KeyFolderError, also where there is none */
export async function findRing({ folder }: KeyFolder): Promise<Ring> {
  const ring = await readRing(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  })
  if (ring === undefined) {
    throw new KeyFolderError(`${folder} holds no keys yet. The first start makes them, or run: pnpm keys add`)
  }
  return ring
}

/** Adds a key that will sign, unless there is one already. On an empty folder makes the first ring. */
export async function addKey(keys: KeyFolder): Promise<RingChange> {
  return change(keys, async (ring, make) => {
    if (ring === undefined) return firstRing(await make(), await make(), timestamp(keys))
    return nextKeys(ring).length > 0 ? ring : withNext(ring, await make(), timestamp(keys))
  })
}

/**
 * The next key becomes active, the active one retired, and a new next one is made. Where another process rotates at the same
 * moment there is one rotation, not two: a key that nobody had time to fetch does not become active.
 */
export async function rotateKeys(keys: KeyFolder): Promise<RingChange> {
  const before = activeKey(await findRing(keys)).kid
  return change(keys, async (found, make) => {
    const ring = found ?? (await findRing(keys))
    if (activeKey(ring).kid !== before) return ring
    const now = timestamp(keys)
    let rotated = ring
    const stored = await listPrivateKeys(keys.folder)
    let successor = nextKeys(ring).find(key => stored.includes(key.kid))?.kid
    if (successor === undefined) {
      const key = await make()
      rotated = withNext(rotated, key, now)
      successor = key.kid
    }
    rotated = withNext(withActive(rotated, successor, now), await make(), now)
    return withoutExpired({ ...rotated, version: ring.version + 1 }, keys.clock(), keys.tokenLifeMs)
  })
}

/** @throws RingRefusal for the active key or an unknown one */
export async function retireKey(keys: KeyFolder, prefix: string): Promise<RingChange & { kid: string }> {
  const { kid } = findKey(await findRing(keys), prefix)
  const changed = await change(keys, async found => {
    const ring = found ?? (await findRing(keys))
    const { state } = findKey(ring, kid)
    return state === 'retired' || state === 'removed' ? ring : withRetired(ring, kid, timestamp(keys))
  })
  return { ...changed, kid }
}

/** @throws RingRefusal for the active key or an unknown one */
export async function removeKey(keys: KeyFolder, prefix: string): Promise<RingChange & { kid: string }> {
  const { kid } = findKey(await findRing(keys), prefix)
  const changed = await change(keys, async found => {
    const ring = found ?? (await findRing(keys))
    return findKey(ring, kid).state === 'removed' ? ring : withRemoved(ring, kid, timestamp(keys))
  })
  return { ...changed, kid }
}

const attempts = 50

async function change(
  { folder }: KeyFolder,
  decide: (ring: Ring | undefined, make: () => Promise<GeneratedKey>) => Promise<Ring>,
): Promise<RingChange> {
  await prepareFolder(folder)
  const made: GeneratedKey[] = []
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const before = (await readRing(folder)) ?? (await awaitRingOfAnother(folder, made))
    let taken = 0
    const make = async (): Promise<GeneratedKey> => {
      const key = made[taken] ?? (await generateKey())
      made[taken] = key
      taken += 1
      return key
    }
    const ring = await decide(before, make)
    if (ring === before) {
      await discard(folder, made)
      return { ring, changed: false }
    }
    for (const key of made.slice(0, taken)) await writePrivateKey(folder, key)
    if (!(await storeRing(folder, ring))) continue
    await discard(folder, made.slice(taken))
    await discardPrivateKeysOf(folder, before, ring)
    return { ring, changed: true }
  }
  throw new KeyFolderError(`${folder} was changed by somebody else ${attempts} times in a row. Try again.`)
}

/** How long another process may take between its first private keys and its first ring. */
const firstRingPatienceMs = 5_000

/**
 * Private keys without a ring: another process is making its first at this moment, or the ring was lost. In the second case
 * a new one would end every session in silence.
 */
async function awaitRingOfAnother(folder: string, made: readonly GeneratedKey[]): Promise<Ring | undefined> {
  const own = new Set(made.map(key => key.kid))
  const deadline = performance.now() + firstRingPatienceMs
  while ((await listPrivateKeys(folder)).some(kid => !own.has(kid))) {
    if (performance.now() > deadline) {
      throw new KeyFolderError(
        `${folder} holds private keys, but ring-*.json is missing. Restore it from your backup. To begin anew, which ends every session, run: rm ${resolve(folder)}/*.pem`,
      )
    }
    await pause(50)
    const ring = await readRing(folder)
    if (ring !== undefined) return ring
  }
  return undefined
}

async function discard(folder: string, unused: readonly GeneratedKey[]): Promise<void> {
  for (const { kid } of unused) await deletePrivateKey(folder, kid)
}

/** A key that will never sign again keeps its public half alone. */
async function discardPrivateKeysOf(folder: string, before: Ring | undefined, after: Ring): Promise<void> {
  const signing = new Set(after.keys.filter(key => key.state === 'active' || key.state === 'next').map(key => key.kid))
  for (const { kid, state } of before?.keys ?? []) {
    if ((state === 'active' || state === 'next') && !signing.has(kid)) await deletePrivateKey(folder, kid)
  }
}

function timestamp({ clock }: KeyFolder): string {
  return new Date(clock()).toISOString()
}
