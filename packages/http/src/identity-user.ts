/** A person as callers of pm-identity-api know one: both programs answer with it. */
import { type Static, Type } from 'typebox'
import { IdText, Moment, nullable } from './schemas.ts'

const id = { examples: ['0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b'] }

export const IdentityUser = Type.Object({
  id: IdText,
  email: nullable(Type.String({ examples: ['ada@example.com'] })),
  first_name: nullable(Type.String({ examples: ['Ada'] })),
  last_name: nullable(Type.String({ examples: ['Lovelace'] })),
  phone_number: nullable(Type.String({ examples: ['+4915112345678'] })),
  avatar_url: nullable(Type.String({ examples: ['/users/0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b/avatar'] })),
  has_avatar: Type.Boolean(),
  is_active: Type.Boolean(),
  is_verified: Type.Boolean({ description: 'The e-mail address is' }),
  language: Type.Enum(['en', 'fr']),
  last_login_at: nullable(Moment),
  company_id: IdText,
  position_id: nullable(Type.String(id)),
  created_at: Moment,
  updated_at: Moment,
})
export type IdentityUser = Static<typeof IdentityUser>

/** The row of a person, whoever has read it. */
interface Row {
  readonly id: string
  readonly email: string | null
  readonly firstName: string | null
  readonly lastName: string | null
  readonly phone: string | null
  readonly avatarKey: string | null
  readonly status: string
  readonly emailVerifiedAt: Date | null
  readonly language: 'en' | 'fr'
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Where they work, and since when nobody has seen them. */
export interface IdentityFacts {
  readonly companyId: string
  readonly positionId: string | null
  readonly lastSignInAt: Date | null
}

export function presentIdentityUser(user: Row, { companyId, positionId, lastSignInAt }: IdentityFacts): IdentityUser {
  const hasAvatar = user.avatarKey !== null
  return {
    id: user.id,
    email: user.email,
    first_name: user.firstName,
    last_name: user.lastName,
    phone_number: user.phone,
    avatar_url: hasAvatar ? `/users/${user.id}/avatar` : null,
    has_avatar: hasAvatar,
    is_active: user.status === 'active',
    is_verified: user.emailVerifiedAt !== null,
    language: user.language,
    last_login_at: lastSignInAt?.toISOString() ?? null,
    company_id: companyId,
    position_id: positionId,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  }
}
