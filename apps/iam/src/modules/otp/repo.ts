import { type Database, runStatement } from '@signet/db'
import type { SealedMessage, TemplateName } from '@signet/delivery'
import type { TenantId, UserId } from '@signet/kernel'
import type { RequestFacts } from '../../deps.ts'

export type CodePurpose = 'sign-in' | 'contact' | 'password-reset'
export type CodeChannel = 'email' | 'sms'

/** Where a code goes: an e-mail address in lower case, or a number in E.164. */
export interface Destination {
  readonly channel: CodeChannel
  readonly address: string
}

/** Whom a code is for, and whom attempts at it are counted for. */
export interface CodeRef extends Destination {
  readonly purpose: CodePurpose
  /** The person of the session; null where the address tells who is meant. */
  readonly userId: UserId | null
  readonly tenant: { readonly slug: string | null; readonly defaultSlug: string | null }
  /** Stands for the address where nobody has it. */
  readonly subject: string
  /** The same, for all spellings of the address. */
  readonly counted: string
  readonly fingerprint: Uint8Array
  readonly hash: Uint8Array
}

export interface NewCode extends CodeRef {
  /** Stands for the network of the caller. */
  readonly network: string
  readonly ttlSeconds: number
  readonly maxAttempts: number
  readonly template: TemplateName
  readonly message: SealedMessage
}

/** Makes the code and its message where the limits allow it. Tells nothing: no caller may know. */
export async function insertCode(database: Database, code: NewCode, request: RequestFacts): Promise<void> {
  const { purpose, channel, address, userId, tenant, subject, counted, network, fingerprint, hash } = code
  await runStatement(
    database,
    sql => sql`
      select request_code(${purpose}, ${channel}, ${address}, ${userId}, ${tenant.slug}, ${tenant.defaultSlug}, ${subject},
        ${counted}, ${network}, ${fingerprint}, ${hash}, make_interval(secs => ${code.ttlSeconds}), ${code.maxAttempts},
        ${code.template}, ${code.message.id}, ${code.message.payload}, ${request.ip}, ${request.id}, ${request.userAgent})`,
  )
}

/** `tenantId` is where they would be signed in. */
export type CodeOutcome =
  | { readonly outcome: 'right'; readonly userId: UserId; readonly homeTenantId: TenantId; readonly tenantId: TenantId }
  | { readonly outcome: 'new-person' }
  /** The code was right, and the person may not come in. */
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'wrong' }

/** Evaluates one guess. `notice` goes to the owner where it is the one that closes this way in. */
export async function spendCode(
  database: Database,
  { purpose, channel, address, userId, tenant, subject, counted, fingerprint, hash }: CodeRef,
  notice: SealedMessage,
  request: RequestFacts,
): Promise<CodeOutcome> {
  const [row] = await runStatement(
    database,
    sql => sql<[CodeOutcome]>`
      select outcome, user_id as "userId", home_tenant_id as "homeTenantId", tenant_id as "tenantId"
      from verify_code(${purpose}, ${channel}, ${address}, ${userId}, ${tenant.slug}, ${tenant.defaultSlug}, ${subject},
        ${counted}, ${fingerprint}, ${hash}, ${notice.id}, ${notice.payload}, ${request.ip}, ${request.id}, ${request.userAgent})`,
  )
  return row
}

/** A code that was right and has opened nothing may be shown again. */
export async function unspendCode(
  database: Database,
  { purpose, hash }: CodeRef,
  { userId, homeTenantId }: { readonly userId: UserId; readonly homeTenantId: TenantId },
): Promise<void> {
  await runStatement(database, sql => sql`select return_code(${homeTenantId}, ${userId}, ${purpose}, ${hash})`)
}

/** A right code that opened nothing: person, membership or tenant were over by then, or the address had been taken. */
export async function recordRefusal(
  database: Database,
  tenantId: TenantId | null,
  userId: UserId | null,
  {
    purpose,
    channel,
    reason,
  }: { readonly purpose: CodePurpose; readonly channel: CodeChannel; readonly reason: string },
  request: RequestFacts,
): Promise<void> {
  await runStatement(
    database,
    sql => sql`
      select record_event(${tenantId}, 'code.refused', null, null, 'user', ${userId}, ${sql.json({ purpose, channel, reason })},
        ${request.ip}, ${request.id}, ${request.userAgent})`,
  )
}
