import type { KeyObject } from 'node:crypto'
import type { PasswordHasher } from '@signet/accounts'
import type { Database } from '@signet/db'
import type { Outbox } from '@signet/delivery'
import type { LimitSettings } from '@signet/http'
import type { Clock, ReplacedSystem } from '@signet/kernel'
import type { Counts } from './metrics.ts'
import type { SigningKeys } from './modules/keys/index.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { UnansweredRefreshes } from './unanswered-refreshes.ts'

/** `alias` says again what the claim `claim` says. */
export interface ClaimAlias {
  readonly alias: string
  readonly claim: string
}

/** What tokens say and how long they live. */
export interface TokenSettings {
  readonly issuer: string
  readonly audience: string
  readonly accessTokenTtlSeconds: number
  /** Of the tokens of chat-auth's form. */
  readonly formTokenTtlSeconds: number
  /** A session that is not refreshed for so long is over. */
  readonly refreshTokenTtlSeconds: number
  /** Beyond this the claim `permissions` is left out. Bytes of its JSON. */
  readonly permissionsMaxBytes: number
  /** Claims that are said again under another name, for consumers that know no other. */
  readonly claimAliases: readonly ClaimAlias[]
}

/** How long codes live, and how many guesses a reset allows. */
export interface CodeSettings {
  readonly signInTtlSeconds: number
  readonly resetTtlSeconds: number
  readonly resetMaxAttempts: number
}

export interface CookieSettings {
  readonly secure: boolean
  readonly domain: string | undefined
  /** `__Host-` or nothing. */
  readonly prefix: string
}

/** Of streams of events to verifiers, in one process. */
export interface StreamLimits {
  readonly mostStreams: number
  readonly mostPerNetwork: number
  /** Who has more than this waiting for so long is cut. */
  readonly mostBufferedBytes: number
  readonly mostBehindMs: number
  readonly heartbeatMs: number
}

/** Derived from the installation's secret, one key a purpose. */
export interface IamKeys {
  /** Seals cursors. */
  readonly cursor: Uint8Array
  /** Keys the hashes of codes. */
  readonly code: KeyObject
  /** Makes the ids under which unknown names and addresses are counted. */
  readonly subject: KeyObject
  /** Keys the fingerprints of devices. */
  readonly device: KeyObject
  /** Seals the keys of services. */
  readonly serviceKey: Uint8Array
}

/** What the services work with. */
export interface Deps {
  readonly database: Database
  readonly signingKeys: SigningKeys
  readonly refreshTokens: RefreshTokens
  readonly unanswered: UnansweredRefreshes
  readonly hasher: PasswordHasher
  readonly clock: Clock
  readonly counts: Counts
  readonly tokens: TokenSettings
  readonly passwordMinLength: number
  /** The slug of the tenant that people without one belong to; undefined is the first that is not the platform. */
  readonly defaultTenant: string | undefined
  readonly keys: IamKeys
  readonly outbox: Outbox
  readonly codes: CodeSettings
  readonly cookies: CookieSettings
  readonly limits: LimitSettings
  /** Any of them opens what is meant for services, as the keys that services were issued do. */
  readonly serviceKeys: readonly string[]
  /** Who gets system mail that names nobody. */
  readonly adminEmail: string | undefined
  /** Does a service take our events? */
  readonly sendsEvents: boolean
  /** The older systems whose callers are served. */
  readonly compat: ReadonlySet<ReplacedSystem>
  /** Of the streams to verifiers, in the place of the usual ones. */
  readonly streams?: Partial<StreamLimits>
}

/** The request behind a call: its id and where it came from. */
export interface RequestFacts {
  readonly id: string
  readonly ip: string
  readonly userAgent: string | null
}

/** How long any token lives that is given out now. */
export function longestTokenTtl({
  tokens,
  compat,
}: {
  readonly tokens: Pick<TokenSettings, 'accessTokenTtlSeconds' | 'formTokenTtlSeconds'>
  readonly compat: ReadonlySet<ReplacedSystem>
}): number {
  const { accessTokenTtlSeconds, formTokenTtlSeconds } = tokens
  return compat.has('chat-auth') ? Math.max(accessTokenTtlSeconds, formTokenTtlSeconds) : accessTokenTtlSeconds
}
