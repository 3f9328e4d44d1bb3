/**
 * One a process: hears what the database announces and passes it on. While it is live nothing that commits is missed. When the
 * connection is lost it says so at once, and is live again only after it has read what was missed; what it passes on twice does
 * no harm.
 */
import { type Database, listenForNotices, type NoticeListener } from '@signet/db'
import { findPosition, listEndedSince, type Revocation } from './repo.ts'

export type { Revocation }

export interface BundleChange {
  /** Null for every tenant: the catalogue has changed, or nobody knows what was missed. */
  readonly tenantId: string | null
  /** Of the tenant's bundle; without a tenant that of the catalogue, which compares with no bundle's. */
  readonly version: number
}

export interface HubListener {
  revoked?(revocation: Revocation): void
  bundleChanged?(change: BundleChange): void
  /** Something may be missed from now on. */
  lost?(): void
}

export interface EventHub {
  /** False while something may be missed. */
  isLive(): boolean
  /** The database's time up to which everything was passed on, in microseconds since 1970. */
  position(): number
  /** Calls back until the function that it gives is called. */
  listen(listener: HubListener): () => void
  /** What ended since a position, as far as tokens of it may still be valid. */
  replay(since: number): Promise<Revocation[]>
  open(log: HubLog): void
  close(): Promise<void>
}

interface HubLog {
  info(text: string): void
  warn(fields: object, text: string): void
}

/** A transaction commits later than it says of itself; none lasts so long. */
const overlapMicros = 60_000_000
/** Clocks of verifiers may be behind by less than this. */
const toleranceMicros = 300_000_000

export function createEventHub(
  database: Database,
  /** How long any token lives. */
  longestTtlSeconds: number,
): EventHub {
  const listeners = new Set<HubListener>()
  let notices: NoticeListener | undefined
  let isLive = false
  let position = 0

  function publishRevoked(revocation: Revocation): void {
    position = Math.max(position, revocation.at)
    for (const listener of listeners) listener.revoked?.(revocation)
  }

  function publishBundle(change: BundleChange): void {
    for (const listener of listeners) listener.bundleChanged?.(change)
  }

  function readNotice(channel: string, payload: string): void {
    if (channel === 'signet_revoked') {
      const { list, indexes, at } = JSON.parse(payload) as { list: number; indexes: number[]; at: number }
      for (const index of indexes) publishRevoked({ list, index, at })
    } else {
      const { tid, version, at } = JSON.parse(payload) as { tid: string | null; version: number; at: number }
      position = Math.max(position, at)
      publishBundle({ tenantId: tid, version })
    }
  }

  async function catchUp(log: HubLog): Promise<void> {
    const { at, catalogue } = await findPosition(database)
    // The first time nobody has been told anything yet.
    if (position > 0) {
      for (const revocation of await replay(position)) publishRevoked(revocation)
      publishBundle({ tenantId: null, version: catalogue })
    }
    position = Math.max(position, at)
    isLive = true
    log.info('the database is listened to')
  }

  async function replay(since: number): Promise<Revocation[]> {
    const { at } = await findPosition(database)
    const lastUseful = at - longestTtlSeconds * 1_000_000 - toleranceMicros
    return listEndedSince(database, Math.max(since - overlapMicros, lastUseful))
  }

  return {
    isLive: () => isLive,
    position: () => position,
    listen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    replay,
    open(log) {
      let isTold = false
      notices = listenForNotices(database, {
        channels: ['signet_revoked', 'signet_bundle'],
        onNotice: readNotice,
        onListening: async () => {
          await catchUp(log)
          isTold = false
        },
        onLost: error => {
          isLive = false
          for (const listener of listeners) listener.lost?.()
          if (!isTold)
            log.warn({ err: error }, 'the database is not listened to: status lists are read from it meanwhile')
          isTold = true
        },
      })
    },
    close: async () => notices?.close(),
  }
}
