import { IdText, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { personMembers } from '../../person-answer.ts'
import { FirstName, Language, LastName, PersonName } from '../../person-fields.ts'

const Tenant = strictObject({
  id: IdText,
  slug: Type.String({ examples: ['acme'] }),
  name: Type.String({ examples: ['Acme Mobility'] }),
})
const Brand = strictObject({
  id: IdText,
  name: Type.String({ examples: ['Harbour Advisors'] }),
  logo_url: nullable(Type.String({ examples: ['/admin/v1/brands/0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b/logo'] })),
  primary_color: nullable(Type.String({ description: '`#rrggbb`', examples: ['#0b6e4f'] })),
})
export type Brand = Static<typeof Brand>
const roles = Type.Array(Type.String(), { examples: [['member']] })

export const Me = strictObject({
  ...personMembers,
  password_change_required: Type.Boolean({ examples: [false] }),
  tenant: Type.Object(Tenant.properties, { additionalProperties: false, description: 'Where this token works' }),
  roles: Type.Array(Type.String(), { description: 'In that tenant', examples: [['member']] }),
  permissions: Type.Array(Type.String(), {
    description: 'In that tenant, as they are now',
    examples: [['places:read']],
  }),
  brand: Type.Union([Brand, Type.Null()], {
    description:
      'What the person sees in the place of ours: the brand of their first advisor who carries one, else of the tenant',
  }),
  memberships: Type.Array(strictObject({ id: IdText, tenant: Tenant, roles })),
})
export type Me = Static<typeof Me>

/** E-mail and phone are changed by proving them, a username by an administrator: people sign in with them. */
export const MeChange = strictObject(
  {
    name: Type.Optional(nullable(PersonName)),
    first_name: Type.Optional(nullable(FirstName)),
    last_name: Type.Optional(nullable(LastName)),
    language: Type.Optional(Language),
  },
  { description: 'A merge patch (RFC 7396): what is absent stays, null clears' },
)
export type MeChange = Static<typeof MeChange>

export const MembershipPath = strictObject({ id: IdText })
export const AcceptedMembership = strictObject({ id: IdText, tenant_id: IdText })
export type AcceptedMembership = Static<typeof AcceptedMembership>
