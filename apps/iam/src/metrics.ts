/** What the issuer tells whoever watches it. No label says who somebody is: the audit does that. */
import type { Database } from '@signet/db'
import { measureOutbox } from '@signet/delivery'
import type { Metrics } from '@signet/http'
import type { Clock } from '@signet/kernel'
import type { SigningKeys } from './modules/keys/index.ts'

export type SignInMethod = 'password' | 'code' | 'refresh-key' | 'client-token'
export type TokenGrant = SignInMethod | 'refresh' | 'session-key' | 'tenant'

export interface Counts {
  signedIn(method: SignInMethod): void
  /** @param reason a word of the audit, of which there are few */
  signInFailed(method: SignInMethod, reason: string): void
  refreshRefused(reason: 'invalid' | 'ended' | 'reused'): void
  tokenIssued(grant: TokenGrant): void
  /** How an attempt to deliver a message went. */
  readonly delivered: (channel: string, outcome: 'sent' | 'retry' | 'dead') => void
}

export function createCounts(metrics: Metrics): Counts {
  const signIns = metrics.counter({
    name: 'signet_sign_ins_total',
    help: 'Sign-ins, by their way and whether they got in.',
    labels: ['method', 'outcome'],
  })
  const failures = metrics.counter({
    name: 'signet_sign_in_failures_total',
    help: 'Sign-ins that did not get in, by the reason that the audit has.',
    labels: ['method', 'reason'],
  })
  const refusals = metrics.counter({
    name: 'signet_refresh_refusals_total',
    help: 'Refresh tokens that were refused. A reused one was stolen, or its answer was lost for longer than the grace.',
    labels: ['reason'],
  })
  const tokens = metrics.counter({
    name: 'signet_tokens_issued_total',
    help: 'Access tokens, by what they were given for.',
    labels: ['grant'],
  })
  const attempts = metrics.counter({
    name: 'signet_delivery_attempts_total',
    help: 'Attempts to deliver a message, by how they went.',
    labels: ['channel', 'outcome'],
  })
  return {
    signedIn: method => signIns({ method, outcome: 'success' }),
    signInFailed(method, reason) {
      signIns({ method, outcome: 'failure' })
      failures({ method, reason })
    },
    refreshRefused: reason => refusals({ reason }),
    tokenIssued: grant => tokens({ grant }),
    delivered: (channel, outcome) => attempts({ channel, outcome }),
  }
}

/** Of the streams to verifiers, and of the one by which this process hears what to tell them. */
export function watchStreams(metrics: Metrics, countStreams: () => number, isListening: () => boolean): void {
  metrics.read(
    'gauge',
    { name: 'signet_event_streams', help: 'Verifiers that listen to this process.', labels: [] },
    () => [{ value: countStreams(), labels: {} }],
  )
  metrics.read(
    'gauge',
    { name: 'signet_database_listening', help: '1 while what other nodes do is heard at once, else 0.', labels: [] },
    () => [{ value: isListening() ? 1 : 0, labels: {} }],
  )
}

export function watchKeys(metrics: Metrics, signingKeys: SigningKeys, clock: Clock): void {
  metrics.read(
    'gauge',
    { name: 'signet_signing_key_age_seconds', help: 'How long the active key has been signing.', labels: ['kid'] },
    () => {
      const ageMs = clock() - signingKeys.activeSince()
      return [{ value: ageMs / 1_000, labels: { kid: signingKeys.activeKid() } }]
    },
  )
  metrics.read(
    'gauge',
    { name: 'signet_published_keys', help: 'Keys in the key set: next, active and retired.', labels: [] },
    () => [{ value: signingKeys.keySet().keys.length, labels: {} }],
  )
}

export function watchOutbox(metrics: Metrics, database: Database): void {
  metrics.read(
    'gauge',
    {
      name: 'signet_outbox_messages',
      help: 'Messages of all tenants that wait to be delivered, or were given up.',
      labels: ['channel', 'state'],
    },
    async () => {
      const loads = await measureOutbox(database)
      return loads.flatMap(({ channel, waiting, dead }) => [
        { value: waiting, labels: { channel, state: 'waiting' } },
        { value: dead, labels: { channel, state: 'dead' } },
      ])
    },
  )
  metrics.read(
    'gauge',
    {
      name: 'signet_outbox_oldest_seconds',
      help: 'Age of the message that has waited longest; 0 where none waits.',
      labels: ['channel'],
    },
    async () => {
      const loads = await measureOutbox(database)
      return loads.map(({ channel, oldestSeconds }) => ({ value: oldestSeconds, labels: { channel } }))
    },
  )
}
