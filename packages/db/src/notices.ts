/**
 * What the database announces (NOTIFY), heard on a connection of its own. Whoever listens is told when nothing can be missed any
 * more and when something may have been: a connection that is lost, or that no longer answers, is made anew. It has to lead to
 * the server itself: behind a pooler that shares connections nothing would ever arrive, so each one proves first that what the
 * programs announce is heard on it.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import type { Database } from './connect.ts'
import { runStatement } from './tenant-scope.ts'

export interface NoticeOptions {
  readonly channels: readonly string[]
  /** Called for every announcement, in the order of their commits. Must not throw. */
  readonly onNotice: (channel: string, payload: string) => void
  /**
   * Everything that commits from now on will be heard, nothing else is known: read what was missed. Where it fails the
   * connection is given up and made anew.
   */
  readonly onListening: () => Promise<void>
  /** Something may be missed from now on. Called once for each call of `onListening`, and for each attempt that fails before. */
  readonly onLost: (error: unknown) => void
}

export interface NoticeListener {
  close(): Promise<void>
}

const probeChannel = 'signet_probe'
/** A connection whose other end has gone without a word is found out after so long, and an answer. */
const askEveryMs = 5_000
const answerWithinMs = 5_000
/** As for the other connections: the database is heard again within a second of its return. */
const betweenAttemptsMs = 200

export function listenForNotices(database: Database, options: NoticeOptions): NoticeListener {
  const closing = new AbortController()
  const running = run()

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await listenOnce()
      } catch (error) {
        if (!closing.signal.aborted) options.onLost(error)
      }
      await pause(betweenAttemptsMs, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }

  /** Never returns. @throws whatever ends the connection, the closing of the program included */
  async function listenOnce(): Promise<never> {
    const probe = { text: randomUUID(), heard: Promise.withResolvers<void>() }
    let lostBy: { readonly error: unknown } | undefined
    let fail: (error: unknown) => void = () => undefined
    const lose = (error: unknown) => {
      lostBy ??= { error }
      fail(error)
    }
    const onAbort = () => lose(closing.signal.reason)
    closing.signal.addEventListener('abort', onAbort)
    /** One wait at a time, each of its own: what a wait leaves behind on one promise for all would pile up for months. */
    const orLost = <T>(work: PromiseLike<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        fail = reject
        if (lostBy !== undefined) reject(lostBy.error)
        work.then(resolve, reject)
      })
    const sql = postgres(database.directUrl, {
      max: 1,
      connect_timeout: 5,
      backoff: () => betweenAttemptsMs / 1_000,
      // Never retired: the client would take up another connection, on which nobody listens.
      max_lifetime: null,
      connection: { application_name: 'signet-notices' },
      onnotice: () => undefined,
      onclose: () => lose(new Error('The connection that listens was closed.')),
      onnotify: (channel: string, payload: string) => {
        if (channel !== probeChannel) options.onNotice(channel, payload)
        else if (payload === probe.text) probe.heard.resolve()
      },
    } as postgres.Options<Record<string, never>>)
    try {
      const held = await orLost(within(sql.reserve(), 'connecting to listen'))
      for (const channel of [...options.channels, probeChannel]) {
        await orLost(within(held`listen ${held(channel)}`, 'listening'))
      }
      await orLost(runStatement(database, app => app`select pg_notify(${probeChannel}, ${probe.text})`))
      await orLost(
        within(probe.heard.promise, 'an announcement to oneself (does DATABASE_ADMIN_URL lead through a pooler?)'),
      )
      await orLost(options.onListening())
      for (;;) {
        await orLost(pause(askEveryMs, undefined, { signal: closing.signal, ref: false }))
        await orLost(within(held`select 1`, 'an answer on the connection that listens'))
      }
    } finally {
      closing.signal.removeEventListener('abort', onAbort)
      await sql.end({ timeout: 0 })
    }
  }

  return {
    async close() {
      closing.abort()
      await running
    },
  }
}

async function within<T>(work: PromiseLike<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`No sign of ${what} within ${answerWithinMs} ms.`)),
    answerWithinMs,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
