import { IdText, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { EmailAddress } from '../memberships/index.ts'
import { TenantName, TenantSlug } from '../tenants/index.ts'
import { FirstName, LastName, Password } from '../users/index.ts'

export const BootstrapState = Type.Object({ initialised: Type.Boolean() })

export const BootstrapInput = strictObject({
  company: strictObject({ name: TenantName, slug: Type.Optional(TenantSlug) }),
  user: strictObject({
    email: EmailAddress,
    password: Password,
    first_name: Type.Optional(FirstName),
    last_name: Type.Optional(LastName),
  }),
})
export type BootstrapInput = Static<typeof BootstrapInput>

export const Bootstrapped = Type.Object({
  platform: Type.Object({ id: IdText, slug: Type.String({ examples: ['platform'] }) }),
  company: Type.Object({
    id: IdText,
    slug: Type.String({ examples: ['acme'] }),
    name: Type.String({ examples: ['Acme Mobility'] }),
  }),
  user: Type.Object({ id: IdText, email: Type.String({ examples: ['ada@example.com'] }) }),
})
export type Bootstrapped = Static<typeof Bootstrapped>
