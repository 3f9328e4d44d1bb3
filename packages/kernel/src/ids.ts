import { v7, validate } from 'uuid'

declare const kind: unique symbol

/** A UUID of one kind: a `UserId` is no `TenantId`, and the compiler says so. */
export type Id<Kind extends string> = string & { readonly [kind]: Kind }

export type TenantId = Id<'tenant'>
export type UserId = Id<'user'>
export type MembershipId = Id<'membership'>
export type RoleId = Id<'role'>
export type SessionId = Id<'session'>
export type AuditEventId = Id<'audit-event'>
export type MessageId = Id<'message'>
export type ClientTokenId = Id<'client-token'>
export type PolicyId = Id<'policy'>
export type OrgUnitId = Id<'org-unit'>
export type PositionId = Id<'position'>
export type CustomerId = Id<'customer'>
export type SubcontractorId = Id<'subcontractor'>
export type BrandId = Id<'brand'>
export type ServiceId = Id<'service'>
export type ServiceKeyId = Id<'service-key'>

/** A new UUIDv7 (RFC 9562): ids sort by the time they were made, so indexes grow at one end. */
export function newId<T extends Id<string>>(): T {
  return v7() as T
}

/** Is this text a UUID in its canonical, lower-case form? */
export function isId(text: unknown): boolean {
  return typeof text === 'string' && validate(text) && text === text.toLowerCase()
}
