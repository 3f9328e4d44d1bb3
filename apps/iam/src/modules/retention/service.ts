/**
 * Removes what is over (docs/retention.md), beside the work and never in its way: a batch, a pause, a batch. Every node does so; the
 * database lets one at a time. Nothing ends it but `stop`: what fails is tried again with the next round.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '@signet/db'
import {
  batchSize,
  dropPartitions,
  type Expiring,
  expiring,
  makePartitions,
  removeExpired,
  renewStatusList,
} from './repo.ts'

export interface RetentionLog {
  info(facts: object, text: string): void
  warn(facts: object, text: string): void
}

export interface RetentionOptions {
  readonly database: Database
  /** A month of audit events leaves when the last of them is so old. */
  readonly auditDays: number
  readonly log: RetentionLog
  readonly timing?: RetentionTiming
}

export interface RetentionTiming {
  /** Between two rounds. */
  readonly roundMs: number
  /** Between two batches: the database is there for others. */
  readonly pauseMs: number
}

export interface Retention {
  /** Resolves when the batch that runs is over. */
  stop(): Promise<void>
}

const usualTiming: RetentionTiming = { roundMs: 600_000, pauseMs: 100 }
/** Long enough to send what could not be delivered once more (`pnpm outbox retry`). */
const messageDays = 30

export function startRetention(options: RetentionOptions): Retention {
  const stopping = new AbortController()
  const timing = options.timing ?? usualTiming
  const running = goRound({ ...options, timing, stopping: stopping.signal })
  return {
    stop: () => {
      stopping.abort()
      return running
    },
  }
}

interface Run extends RetentionOptions {
  readonly timing: RetentionTiming
  readonly stopping: AbortSignal
}

async function goRound(run: Run): Promise<void> {
  const { log, timing, stopping } = run
  while (!stopping.aborted) {
    try {
      await makeRoom(run)
    } catch (error) {
      log.warn({ err: error }, 'what is over could not be removed: it is tried again with the next round')
    }
    await rest(timing.roundMs, stopping)
  }
}

async function makeRoom(run: Run): Promise<void> {
  const { database, auditDays, log } = run
  const made = await makePartitions(database)
  if (made.length > 0) log.info({ partitions: made }, 'partitions were made for the months to come')
  const dropped = [
    ...(await dropPartitions(database, 'audit_events', auditDays)),
    ...(await dropPartitions(database, 'outbound_messages', messageDays)),
  ]
  if (dropped.length > 0)
    log.info({ partitions: dropped }, 'partitions were dropped: all in them is past its retention')
  const removed: Record<string, number> = {}
  for (const what of expiring) {
    const count = await removeAll(run, what)
    if (count > 0) removed[what] = count
  }
  if (Object.keys(removed).length > 0) log.info({ removed }, 'rows that were over were removed')
  await renewStatusList(database)
}

async function removeAll({ database, timing, stopping }: Run, what: Expiring): Promise<number> {
  let total = 0
  while (!stopping.aborted) {
    const removed = await removeExpired(database, what)
    total += removed ?? 0
    if (removed === undefined || removed < batchSize) break
    await rest(timing.pauseMs, stopping)
  }
  return total
}

async function rest(ms: number, until: AbortSignal): Promise<void> {
  // Ended early is what `until` is for.
  await pause(ms, undefined, { signal: until }).catch(() => undefined)
}
