import type { PasswordHasher } from '@signet/accounts'
import type { Database } from '@signet/db'
import type { Outbox } from '@signet/delivery'
import type { ReplacedSystem } from '@signet/kernel'
import type { ImageConverter } from './imaging/convert.ts'
import type { ServiceClient } from './service-client.ts'
import type { ImageStorage } from './storage/storage.ts'

/** What the modules work with. */
export interface Deps {
  readonly db: Database
  /** A copy that may lag: lists are read from it, and from `db` while it is away. */
  readonly replica?: Database | undefined
  readonly hasher: PasswordHasher
  readonly passwordMinLength: number
  /** Messages written here are sent by the issuer. */
  readonly outbox: Outbox
  /** Is there a service that takes events? */
  readonly sendsEvents: boolean
  /** Asks the other services of the installation. */
  readonly services: ServiceClient
  /** Where they are, by their names. */
  readonly serviceUrls: Readonly<Record<string, string>>
  /** The older systems whose callers are served. */
  readonly compat: ReadonlySet<ReplacedSystem>
  /** The issuer's. */
  readonly cookies: { readonly domain: string | undefined; readonly prefix: string }
  readonly images: {
    /** Undefined where images are switched off. */
    readonly storage: ImageStorage | undefined
    readonly convert: ImageConverter
    /** Of 1,048,576 bytes each: the largest that is taken. */
    readonly maxMegabytes: number
  }
  readonly setup: {
    /** Who sends it may initialise the installation. */
    readonly token: string | undefined
    /** May whoever calls from this machine? No where a proxy stands before us: then everybody does. */
    readonly isLoopbackTrusted: boolean
  }
  /** Derived from the installation's secret, one key a purpose. */
  readonly keys: {
    readonly cursor: Uint8Array
    readonly idempotency: Uint8Array
    /** Seals the keys of services. */
    readonly serviceKey: Uint8Array
  }
}
