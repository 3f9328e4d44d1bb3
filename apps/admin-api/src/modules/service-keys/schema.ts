import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery } from '../lists/index.ts'

const Name = Type.String({
  minLength: 1,
  maxLength: 100,
  description: 'Where it is used',
  examples: ['production, since March'],
})

export const ServiceKeyView = Type.Object({
  id: IdText,
  service_id: IdText,
  name: Name,
  created_at: Moment,
  expires_at: nullable(Moment),
  last_used_at: nullable(Type.String({ format: 'date-time', description: 'To the minute' })),
})
export type ServiceKeyView = Static<typeof ServiceKeyView>

export const IssuedKeyView = Type.Object({
  ...ServiceKeyView.properties,
  key: Type.String({
    description: 'Shown this once. The service sends it as `x-api-key`.',
    examples: ['sgk_…'],
  }),
})
export type IssuedKeyView = Static<typeof IssuedKeyView>

export const ServiceKeyQuery = listQuery(['created_at'], '-created_at', {})
export type ServiceKeyQuery = Static<typeof ServiceKeyQuery>

const id = Type.String({ pattern: '^[0-9a-z][0-9a-z-]{0,62}$', description: 'Id or name of the service' })
export const ServiceParams = strictObject({ id })
export const ServiceKeyParams = strictObject({ id, key_id: IdText })

export const NewServiceKey = strictObject({
  name: Name,
  expires_at: Type.Optional(
    nullable(
      Type.String({
        format: 'date-time',
        description: 'Counts no more from this time on; never where it is left out',
        examples: ['2030-01-01T00:00:00Z'],
      }),
    ),
  ),
})
export type NewServiceKey = Static<typeof NewServiceKey>
