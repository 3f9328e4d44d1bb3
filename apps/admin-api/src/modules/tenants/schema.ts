import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'
import { profileChangeMembers, profileMembers } from './profile.ts'

export const TenantSlug = Type.String({
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
  description: 'Names the tenant at sign-in; made of the name where it is left out',
  examples: ['acme'],
})
export const TenantName = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S', examples: ['Acme Mobility'] })
const TenantStatus = Type.Enum(['active', 'suspended', 'closed'])
const selfRegistration = Type.Boolean({
  description: 'May anybody create an account here? Absent means no',
  examples: [false],
})

export const TenantView = Type.Object({
  id: IdText,
  slug: Type.String({ examples: ['acme'] }),
  name: Type.String({ examples: ['Acme Mobility'] }),
  status: TenantStatus,
  is_platform: Type.Boolean({ description: 'The home of those who run this installation', examples: [false] }),
  settings: Type.Object({
    self_registration: Type.Optional(selfRegistration),
    profile: Type.Optional(Type.Object(profileMembers)),
  }),
  has_logo: Type.Boolean({ description: 'At `/admin/v1/tenants/{id}/logo`' }),
  brand_id: nullable(Type.String({ format: 'uuid', description: 'What clients see whose advisors carry no brand' })),
  created_at: Moment,
  updated_at: Moment,
})
export type TenantView = Static<typeof TenantView>

export const TenantQuery = listQuery(['created_at', 'name', 'slug'], '-created_at', {
  q: SearchText,
  slug: Type.Optional(TenantSlug),
  status: Type.Optional(TenantStatus),
})
export type TenantQuery = Static<typeof TenantQuery>

export const TenantParams = strictObject({ id: IdText })

export const NewTenant = strictObject({
  name: TenantName,
  slug: Type.Optional(TenantSlug),
  settings: Type.Optional(
    strictObject({
      self_registration: Type.Optional(selfRegistration),
      profile: Type.Optional(strictObject(profileMembers)),
    }),
  ),
})
export type NewTenant = Static<typeof NewTenant>

export const TenantChange = strictObject(
  {
    name: Type.Optional(TenantName),
    settings: Type.Optional(
      nullable(
        strictObject({
          self_registration: Type.Optional(nullable(selfRegistration)),
          profile: Type.Optional(nullable(strictObject(profileChangeMembers))),
        }),
      ),
    ),
    status: Type.Optional(TenantStatus),
    brand_id: Type.Optional(nullable(IdText)),
  },
  { minProperties: 1, description: 'A merge patch (RFC 7396). `status` is for the platform.' },
)
export type TenantChange = Static<typeof TenantChange>
