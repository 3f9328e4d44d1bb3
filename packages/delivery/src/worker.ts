/**
 * Delivers what the outbox holds: one message in flight a channel, so that a worker that is killed repeats at most that one.
 * Nothing ends it but `stop`: while the database or a receiver is away it waits and goes on.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '@signet/db'
import { nextAttemptMs } from './back-off.ts'
import type { Outbox } from './outbox.ts'
import { type ClaimedMessage, claimMessage, type Outcome, settleMessage } from './outbox-repo.ts'
import { composeMessage } from './templates/index.ts'
import { type Channel, PermanentFailure, type Transport } from './transport.ts'

export interface WorkerLog {
  info(facts: object, text: string): void
  warn(facts: object, text: string): void
  error(facts: object, text: string): void
}

export interface WorkerTiming {
  /** Between two looks into an empty outbox, and after a failure. Default 500. */
  readonly pollMs: number
  /** Longest attempt. Default 30,000. */
  readonly sendTimeoutMs: number
  /** After it a message belongs to whoever takes it next. Longer than an attempt. Default 90,000. */
  readonly leaseMs: number
  /** How long a running attempt may go on once the worker has to stop. Default 5,000. */
  readonly graceMs: number
}

export interface WorkerOptions {
  /** Closing it stays with the caller, after `stop`. */
  readonly database: Database
  readonly outbox: Outbox
  /** A channel without one is left to other workers. */
  readonly transports: Readonly<Partial<Record<Channel, Transport>>>
  readonly log: WorkerLog
  readonly timing?: Partial<WorkerTiming>
  /** Is told how each attempt went. */
  readonly onAttempt?: (channel: Channel, outcome: Outcome['kind']) => void
}

export interface Worker {
  /** Takes nothing more, lets running attempts end within the grace, hands back what it holds, and closes the transports. */
  stop(): Promise<void>
}

const usualTiming: WorkerTiming = { pollMs: 500, sendTimeoutMs: 30_000, leaseMs: 90_000, graceMs: 5_000 }

export function startWorker(options: WorkerOptions): Worker {
  const timing = { ...usualTiming, ...options.timing }
  if (timing.leaseMs <= timing.sendTimeoutMs) throw new TypeError('A lease has to be longer than an attempt.')
  const stopping = new AbortController()
  const outOfTime = new AbortController()
  const transports = Object.entries(options.transports) as [Channel, Transport][]
  const running = Promise.all(
    transports.map(([channel, transport]) =>
      deliverChannel({
        ...options,
        channel,
        transport,
        timing,
        stopping: stopping.signal,
        outOfTime: outOfTime.signal,
      }),
    ),
  )
  let stopped: Promise<void> | undefined
  const stop = async () => {
    stopping.abort()
    const timer = setTimeout(() => outOfTime.abort(), timing.graceMs)
    await running
    clearTimeout(timer)
    await Promise.all(transports.map(([, transport]) => transport.close()))
  }
  return { stop: () => (stopped ??= stop()) }
}

interface ChannelRun extends Omit<WorkerOptions, 'timing' | 'transports'> {
  readonly channel: Channel
  readonly transport: Transport
  readonly timing: WorkerTiming
  readonly stopping: AbortSignal
  readonly outOfTime: AbortSignal
}

async function deliverChannel(run: ChannelRun): Promise<void> {
  const { database, channel, timing, stopping } = run
  const askOutbox = patientCalls(run)
  const tellFailures = failureTeller(run)
  while (!stopping.aborted) {
    const claimed = await askOutbox(() => claimMessage(database, channel, timing.leaseMs))
    if (claimed === undefined) {
      await rest(timing.pollMs, stopping)
      continue
    }
    const outcome = await attempt(run, claimed)
    tellFailures(claimed, outcome)
    run.onAttempt?.(channel, outcome.kind)
    await settle(run, askOutbox, claimed, outcome)
    // A receiver that is away is not asked for every message that waits, one right after the other.
    if (outcome.kind === 'retry') await rest(timing.pollMs, stopping)
  }
}

async function attempt({ outbox, transport, channel, timing, outOfTime }: ChannelRun, claimed: ClaimedMessage) {
  const { id, recipient, userId, template, createdAt, personName, language } = claimed
  const tooLong = AbortSignal.timeout(timing.sendTimeoutMs)
  try {
    const words = composeMessage(template, readPayload(outbox, claimed), { channel, personName, language })
    const signal = AbortSignal.any([tooLong, outOfTime])
    await untilAborted(signal, transport.send({ id, to: recipient, userId, template, createdAt, ...words }, signal))
    return { kind: 'sent' } as const
  } catch (error) {
    return judge(claimed, error, { hasTimedOut: tooLong.aborted, isStopping: outOfTime.aborted })
  }
}

function readPayload(outbox: Outbox, { id, payload }: ClaimedMessage): unknown {
  try {
    return outbox.unseal(id, payload)
  } catch {
    throw new PermanentFailure('It cannot be unsealed: it was written with another SIGNET_KEYS/secret, or altered.')
  }
}

/** A transport is told to end the attempt; one that does not is not waited for. */
async function untilAborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new Error('The attempt was ended.'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

const longestError = 200

function judge(claimed: ClaimedMessage, error: unknown, end: { hasTimedOut: boolean; isStopping: boolean }): Outcome {
  if (end.isStopping) return { kind: 'retry', error: 'The worker stopped during the attempt.', afterMs: 0 }
  const told = error instanceof Error ? error.message : 'It failed without saying why.'
  const text = (end.hasTimedOut ? 'No answer in time.' : told).slice(0, longestError)
  if (error instanceof PermanentFailure) return { kind: 'dead', error: text }
  const afterMs = nextAttemptMs(claimed, Date.now(), Math.random)
  return afterMs === undefined ? { kind: 'dead', error: text } : { kind: 'retry', error: text, afterMs }
}

/** Says how it went, until the database has heard it or the lease is over. */
async function settle(run: ChannelRun, askOutbox: PatientCall, claimed: ClaimedMessage, outcome: Outcome) {
  const deadline = performance.now() + run.timing.leaseMs
  while ((await askOutbox(() => settleMessage(run.database, claimed, outcome))) === undefined) {
    if (performance.now() >= deadline || run.outOfTime.aborted) return
    await rest(run.timing.pollMs, run.outOfTime)
  }
}

type PatientCall = <T>(call: () => Promise<T>) => Promise<T | undefined>

/** Gives undefined while the database is away, which is told once, and so is its return. */
function patientCalls({ log, channel }: ChannelRun): PatientCall {
  let isAway = false
  return async call => {
    try {
      const answer = await call()
      if (isAway) log.info({ channel }, 'the outbox can be read again: delivery goes on')
      isAway = false
      return answer
    } catch (error) {
      if (!isAway) log.error({ err: error, channel }, 'the outbox cannot be read: delivery waits for the database')
      isAway = true
      return undefined
    }
  }
}

/** An outage is told when it begins and when it ends, a message that is given up always. Never to whom or what. */
function failureTeller({ log, channel }: ChannelRun): (claimed: ClaimedMessage, outcome: Outcome) => void {
  let isFailing = false
  return ({ id, template, attempts }, outcome) => {
    const facts = { channel, message: id, template, attempts }
    if (outcome.kind === 'dead') log.error({ ...facts, reason: outcome.error }, 'a message was given up')
    if (outcome.kind === 'retry' && !isFailing) {
      log.warn({ ...facts, reason: outcome.error }, 'a message was not delivered: it and all others are tried again')
    }
    if (outcome.kind === 'sent' && isFailing) log.info(facts, 'messages are delivered again')
    if (outcome.kind !== 'dead') isFailing = outcome.kind === 'retry'
  }
}

async function rest(ms: number, until: AbortSignal): Promise<void> {
  // Ended early is what `until` is for.
  await pause(ms, undefined, { signal: until }).catch(() => undefined)
}
