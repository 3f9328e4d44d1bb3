import { type Database, runStatement } from '@signet/db'
import type { SealedMessage } from '@signet/delivery'
import type { TenantId, UserId } from '@signet/kernel'
import type { RequestFacts } from '../../deps.ts'

/** One of the three. */
export interface PersonIdentifier {
  readonly email: string | null
  readonly username: string | null
  readonly phone: string | null
}

/** A secret by which somebody signs in. */
export type SecretKind = 'password' | 'refresh-key'

export interface SignInRow {
  /** Null where nobody is known. */
  readonly userId: UserId | null
  readonly homeTenantId: TenantId | null
  /** Where they would be signed in; null without a membership there. */
  readonly tenantId: TenantId | null
  readonly hash: string | null
  /** Why this person may not sign in, whatever the secret; null where they may. */
  readonly refusal: string | null
  /** May this attempt be evaluated? */
  readonly verdict: 'allowed' | 'throttled' | 'locked'
  readonly retryAfter: number | null
  /** The attempt that met the limit first. */
  readonly isFirst: boolean
}

/** The person behind an identifier, also one who may not sign in; and one attempt taken of those that they have. */
export async function beginSignIn(
  database: Database,
  kind: SecretKind,
  { email, username, phone }: PersonIdentifier,
  tenant: { readonly slug: string | undefined; readonly defaultSlug: string | undefined },
  { subject, fingerprint }: { readonly subject: string; readonly fingerprint: Uint8Array },
): Promise<SignInRow> {
  const [row] = await runStatement(
    database,
    sql => sql<[SignInRow]>`
      select user_id as "userId", home_tenant_id as "homeTenantId", tenant_id as "tenantId", hash, refusal, verdict,
        retry_after as "retryAfter", is_first as "isFirst"
      from begin_sign_in(${kind}, ${email}, ${username}, ${phone}, ${tenant.slug ?? null}, ${tenant.defaultSlug ?? null},
        ${subject}, ${fingerprint})`,
  )
  return row
}

/** Into the tenant that was meant, the person's own, or the platform where nobody is known. */
export async function recordFailure(
  database: Database,
  action: 'sign-in.failed' | 'sign-in.throttled',
  { tenantId, homeTenantId, userId }: Pick<SignInRow, 'tenantId' | 'homeTenantId' | 'userId'>,
  reason: string,
  request: RequestFacts,
): Promise<void> {
  await runStatement(
    database,
    sql => sql`
      select record_event(${tenantId ?? homeTenantId}, ${action}, null, null, 'user', ${userId}, ${sql.json({ reason })},
        ${request.ip}, ${request.id}, ${request.userAgent})`,
  )
}

/** A way in is locked for devices that are not known: the event, and a message to the owner, or to nobody. */
export async function recordLock(
  database: Database,
  kind: SecretKind,
  { tenantId, homeTenantId, userId }: Pick<SignInRow, 'tenantId' | 'homeTenantId' | 'userId'>,
  notice: SealedMessage,
  request: RequestFacts,
): Promise<void> {
  await runStatement(
    database,
    sql => sql`
      select record_lock(${tenantId}, ${homeTenantId}, ${userId}, ${kind}, ${notice.id}, ${notice.payload}, ${request.ip},
        ${request.id}, ${request.userAgent})`,
  )
}
