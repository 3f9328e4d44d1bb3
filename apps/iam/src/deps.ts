import type { PasswordHasher } from '@signet/accounts'
import type { Database } from '@signet/db'
import type { Clock } from '@signet/kernel'
import type { SigningKeys } from './modules/keys/index.ts'
import type { RefreshTokens } from './refresh-token.ts'

/** What tokens say and how long they live. */
export interface TokenSettings {
  readonly issuer: string
  readonly audience: string
  readonly accessTokenTtlSeconds: number
  /** A session that is not refreshed for so long is over. */
  readonly refreshTokenTtlSeconds: number
  /** Beyond this the claim `permissions` is left out. Bytes of its JSON. */
  readonly permissionsMaxBytes: number
}

/** What the services work with. */
export interface Deps {
  readonly database: Database
  readonly signingKeys: SigningKeys
  readonly refreshTokens: RefreshTokens
  readonly hasher: PasswordHasher
  readonly clock: Clock
  readonly tokens: TokenSettings
  readonly passwordMinLength: number
  /** The slug of the tenant that people without one belong to; undefined is the first that is not the platform. */
  readonly defaultTenant: string | undefined
  /** Seals cursors. */
  readonly cursorKey: Uint8Array
}

/** The request behind a call: its id and where it came from. */
export interface RequestFacts {
  readonly id: string
  readonly ip: string
  readonly userAgent: string | null
}
