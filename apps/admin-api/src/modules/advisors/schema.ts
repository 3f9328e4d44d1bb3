import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery } from '../lists/index.ts'

const Text = nullable(Type.String())

export const AdvisedView = Type.Object({
  user_id: IdText,
  email: Text,
  username: Text,
  name: Text,
  first_name: Text,
  last_name: Text,
  assigned_at: Moment,
})
export type AdvisedView = Static<typeof AdvisedView>

export const AdvisedQuery = listQuery(['assigned_at'], '-assigned_at', {})
export type AdvisedQuery = Static<typeof AdvisedQuery>

export const AdvisorParams = strictObject({ id: IdText })
export const AdvisedParams = strictObject({ id: IdText, user_id: IdText })
