/** A company on the way in: what it says of itself goes into its profile. */
import type { TenantProfile } from '@signet/db'
import { type Static, Type } from 'typebox'
import { profileMembers, TenantName } from '../../modules/tenants/index.ts'
import { looseMembers } from './bodies.ts'

const { phone, ...rest } = profileMembers
const profile = looseMembers({ ...rest, phone_number: phone })

export const CompanyBody = Type.Object({ name: TenantName, ...profile })
export const CompanyChange = Type.Object({ ...looseMembers({ name: TenantName }), ...profile })

/** The members that were sent, null where they are to be cleared. */
export function profileOf(body: Omit<Static<typeof CompanyChange>, 'name'>): {
  [Name in keyof TenantProfile]: string | null
} {
  const { description, website, phone_number, email, address, postal_code, city, country } = body
  const sent = { description, website, phone: phone_number, email, address, postal_code, city, country }
  return Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined))
}
