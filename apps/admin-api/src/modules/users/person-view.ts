/** A person on the wire, of whatever kind. */
import type { User } from '@signet/accounts'
import { IdText, Moment, nullable } from '@signet/http'
import { type Static, Type } from 'typebox'
import { Language, PersonKind, PersonStatus } from './person-fields.ts'

export const personMembers = {
  id: IdText,
  tenant_id: IdText,
  kind: PersonKind,
  email: nullable(Type.String({ examples: ['ada@example.com'] })),
  email_verified_at: nullable(Moment),
  phone: nullable(Type.String({ examples: ['+4915112345678'] })),
  phone_verified_at: nullable(Moment),
  username: nullable(Type.String({ examples: ['ada'] })),
  name: nullable(Type.String({ examples: ['Ada Lovelace'] })),
  first_name: nullable(Type.String({ examples: ['Ada'] })),
  last_name: nullable(Type.String({ examples: ['Lovelace'] })),
  language: Language,
  has_avatar: Type.Boolean({ description: 'At `/admin/v1/users/{id}/avatar`' }),
  status: PersonStatus,
  created_at: Moment,
  updated_at: Moment,
}

const PersonView = Type.Object(personMembers)

export function presentPerson(user: User): Static<typeof PersonView> {
  return {
    id: user.id,
    tenant_id: user.tenantId,
    kind: user.kind,
    email: user.email,
    email_verified_at: user.emailVerifiedAt?.toISOString() ?? null,
    phone: user.phone,
    phone_verified_at: user.phoneVerifiedAt?.toISOString() ?? null,
    username: user.username,
    name: user.name,
    first_name: user.firstName,
    last_name: user.lastName,
    language: user.language,
    has_avatar: user.avatarKey !== null,
    status: user.status as Static<typeof PersonStatus>,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  }
}
