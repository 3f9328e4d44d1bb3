import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'

const BrandName = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\p{Cc}]*\\S[^\\p{Cc}]*$',
  examples: ['Harbour Advice'],
})
// Pages of others load it: over plain HTTP it could be exchanged on its way, and no other scheme is an address of a picture.
const LogoUrl = Type.String({
  format: 'uri',
  maxLength: 2_000,
  pattern: '^https://[^\\s\\\\@/]+(/[^\\s\\\\]*)?$',
  description: 'An https address without a user name',
  examples: ['https://cdn.example.com/harbour.png'],
})
const Color = Type.String({ pattern: '^#[0-9a-f]{6}$', description: '`#rrggbb` in lower case', examples: ['#0a7cff'] })

const example = {
  name: 'Harbour Advice',
  logo_url: 'https://cdn.example.com/harbour.png',
  primary_color: '#0a7cff',
}

export const BrandView = Type.Object(
  {
    id: IdText,
    name: Type.String(),
    logo_url: nullable(Type.String()),
    primary_color: nullable(Type.String()),
    created_at: Moment,
    updated_at: Moment,
  },
  {
    examples: [
      {
        id: '0198a0c0-0000-7000-8000-000000000001',
        ...example,
        created_at: '2026-01-05T09:00:00.000Z',
        updated_at: '2026-01-05T09:00:00.000Z',
      },
    ],
  },
)
export type BrandView = Static<typeof BrandView>

export const BrandQuery = listQuery(['created_at', 'name'], '-created_at', {
  q: SearchText,
  name: Type.Optional(BrandName),
})
export type BrandQuery = Static<typeof BrandQuery>

export const BrandParams = strictObject({ id: IdText })
export const CarrierParams = strictObject({ id: IdText, user_id: IdText })

export const NewBrand = strictObject(
  {
    name: BrandName,
    logo_url: Type.Optional(LogoUrl),
    primary_color: Type.Optional(Color),
  },
  { examples: [example] },
)
export type NewBrand = Static<typeof NewBrand>

export const BrandChange = strictObject(
  {
    name: Type.Optional(BrandName),
    logo_url: Type.Optional(nullable(LogoUrl)),
    primary_color: Type.Optional(nullable(Color)),
  },
  {
    minProperties: 1,
    description: 'A merge patch (RFC 7396): absent members stay, null clears',
    examples: [{ primary_color: '#ff5a00' }],
  },
)
export type BrandChange = Static<typeof BrandChange>
