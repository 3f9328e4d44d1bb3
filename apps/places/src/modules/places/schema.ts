import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'

const longest = 200

const PlaceKind = Type.Union([Type.Literal('ev_charger'), Type.Literal('swap_station')], {
  description: 'Where vehicles charge, or where they change an empty battery for a full one',
})

const text = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: longest, description, examples: [example] })

const details = {
  name: text('As drivers know it', 'Harbour Steps'),
  address: text('Street and number', '9 Harbour Steps'),
  city: text('City', 'Singapore'),
  country: Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2', examples: ['SG'] }),
  longitude: Type.Number({ minimum: -180, maximum: 180, description: 'Degrees, WGS 84', examples: [103.8198] }),
  latitude: Type.Number({ minimum: -90, maximum: 90, description: 'Degrees, WGS 84', examples: [1.3521] }),
  bays: Type.Integer({ minimum: 1, maximum: 10_000, description: 'Charging points, or batteries', examples: [12] }),
}

const PowerKw = nullable(
  Type.Number({ exclusiveMinimum: 0, maximum: 10_000, description: 'Of the strongest charging point, in kilowatts' }),
)

export const Place = Type.Object({
  id: IdText,
  kind: PlaceKind,
  ...details,
  power_kw: PowerKw,
  created_at: Moment,
  updated_at: Moment,
})
export type Place = Static<typeof Place>

export const PlacePage = Type.Object({
  items: Type.Array(Place),
  next_cursor: nullable(Type.String({ description: 'Pass it as `cursor` for the next page; null on the last one' })),
})
export type PlacePage = Static<typeof PlacePage>

export const PlaceQuery = strictObject({
  kind: Type.Optional(PlaceKind),
  bbox: Type.Optional(
    Type.String({
      description: 'minLon,minLat,maxLon,maxLat in degrees; minLon above maxLon goes across the 180th meridian',
      examples: ['77.4,12.8,77.8,13.1'],
    }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: longest, description: '`next_cursor` of the page before' })),
})
export type PlaceQuery = Static<typeof PlaceQuery>

export const PlaceParams = strictObject({ id: IdText })

/** DELETE and PATCH go through only while the place is as the caller read it. */
export const PlacePrecondition = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'The ETag of the place as it was read' })),
})

export const NewPlace = strictObject({ kind: PlaceKind, ...details, power_kw: Type.Optional(PowerKw) })
export type NewPlace = Static<typeof NewPlace>

export const PlaceChange = strictObject(
  { ...Type.Partial(Type.Object(details)).properties, power_kw: Type.Optional(PowerKw) },
  { minProperties: 1, description: 'A merge patch (RFC 7396): members that are absent stay as they are' },
)
export type PlaceChange = Static<typeof PlaceChange>
