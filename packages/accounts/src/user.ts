import type { Grant, TenantId, UserId } from '@signet/kernel'
import type { users } from '@signet/db'

/** A person as they stand in their home tenant. */
export type User = typeof users.$inferSelect

/** The tenant in which something is about to be created. */
export interface TenantRef {
  readonly id: TenantId
}

/** What a person may be called and how they are reached. Absent members stay as they are, null clears. */
export interface UserChange {
  readonly email?: string | null
  /** E.164. */
  readonly phone?: string | null
  readonly username?: string | null
  readonly name?: string | null
  readonly firstName?: string | null
  readonly lastName?: string | null
  readonly language?: User['language']
}

/** At least one of e-mail, phone and username. */
export interface NewUser extends UserChange {
  readonly kind?: User['kind']
  /** The client of a sub-client. */
  readonly parentId?: UserId
  /** For whoever has shown that the address is theirs. */
  readonly emailVerifiedAt?: Date
  readonly phoneVerifiedAt?: Date
}

/** The request behind a change: its id and where it came from, for the audit. */
export interface RequestRef {
  readonly id: string
  readonly ip: string
  /** What the device calls itself. */
  readonly userAgent?: string | null
}

/** Business accounts are people as well, with policies of their own about who acts on them. */
export type ModifyGrant = Grant<'users:modify' | 'clients:modify' | 'sub-clients:modify', User>
export type DeleteGrant = Grant<'users:delete' | 'clients:delete' | 'sub-clients:delete', User>
