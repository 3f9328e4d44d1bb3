import { IdText, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'

export const HolderParams = strictObject({ id: IdText, user_id: IdText })

export const HolderQuery = listQuery(['created_at'], '-created_at', { q: SearchText })
export type HolderQuery = Static<typeof HolderQuery>

export const MembershipChange = strictObject(
  { position_id: Type.Optional(nullable(Type.String({ ...IdText, description: 'Null takes the position away' }))) },
  { minProperties: 1, description: 'A merge patch (RFC 7396)' },
)
export type MembershipChange = Static<typeof MembershipChange>
