/** What a company says of itself, as it is asked for and as it is changed. */
import type { TenantProfile } from '@signet/db'
import { nullable } from '@signet/http'
import { type TSchema, Type } from 'typebox'
import { lineOf, linesOf } from '../../wire/texts.ts'

const texts = {
  description: linesOf(2_000, 'Charges what drives'),
  website: lineOf(500, 'https://acme.example'),
  phone: lineOf(50, '+33 1 23 45 67 89', 'As it is written'),
  email: lineOf(254, 'contact@acme.example'),
  address: linesOf(500, '1 rue de la Paix'),
  postal_code: lineOf(20, '75002'),
  city: lineOf(200, 'Paris'),
  country: lineOf(100, 'France'),
}

export const profileMembers = mapTexts(text => Type.Optional(text))
export const profileChangeMembers = mapTexts(text => Type.Optional(nullable(text)))

function mapTexts<S extends TSchema>(wrap: (text: typeof texts.city) => S) {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, wrap(text)])) as Record<
    keyof typeof texts,
    S
  >
}

/** As in a merge patch: null takes a member away, an absent one stays. */
export type ProfileChange = { readonly [Name in keyof TenantProfile]: TenantProfile[Name] | null | undefined }

/** RFC 7396. */
export function mergeProfile(before: TenantProfile, change: ProfileChange | null): TenantProfile {
  const merged = Object.entries(change === null ? {} : { ...before, ...change }).filter(
    ([, value]) => value !== null && value !== undefined,
  )
  return Object.fromEntries(merged) as TenantProfile
}
