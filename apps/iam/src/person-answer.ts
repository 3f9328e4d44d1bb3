import type { User } from '@signet/accounts'
import { IdText, Moment, nullable } from '@signet/http'
import { Type } from 'typebox'

/** The members of a person on the wire. */
export const personMembers = {
  id: IdText,
  tenant_id: Type.String({ format: 'uuid', description: 'The home tenant' }),
  kind: Type.String({ description: 'user, client or sub_client', examples: ['user'] }),
  email: nullable(Type.String({ examples: ['ada@example.com'] })),
  email_verified_at: nullable(Moment),
  phone: nullable(Type.String({ examples: ['+14155552671'] })),
  phone_verified_at: nullable(Moment),
  username: nullable(Type.String({ examples: ['ada'] })),
  name: nullable(Type.String({ examples: ['Ada Lovelace'] })),
  first_name: nullable(Type.String({ examples: ['Ada'] })),
  last_name: nullable(Type.String({ examples: ['Lovelace'] })),
  language: Type.String({ examples: ['en'] }),
  has_avatar: Type.Boolean({ description: 'The administration serves it at `/admin/v1/users/{id}/avatar`' }),
  status: Type.String({ description: 'active, suspended or deleted', examples: ['active'] }),
  created_at: Moment,
  updated_at: Moment,
}

export function describePerson(user: User) {
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
    status: user.status,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  }
}
