import { IdText, Moment, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery } from '../lists/index.ts'

const exampleId = '0190f3c4-7d3a-7cc0-a1b2-3c4d5e6f7a8b'
const exampleTime = '2026-11-21T09:30:00.000Z'

export const PolicyParams = strictObject({ id: IdText })
export const HolderParams = strictObject({ id: IdText })
export const AttachmentParams = strictObject({ id: IdText, policy_id: IdText })
export const NewAttachment = strictObject({ policy_id: IdText }, { examples: [{ policy_id: exampleId }] })

export const AttachedPolicy = Type.Object(
  { id: IdText, name: Type.String(), description: Type.String(), attached_at: Moment },
  {
    examples: [{ id: exampleId, name: 'own invoices', description: '', attached_at: exampleTime }],
  },
)
export type AttachedPolicy = Static<typeof AttachedPolicy>

export const AttachedPolicyPage = Type.Object({
  items: Type.Array(AttachedPolicy),
  next_cursor: Type.Null({ description: 'Always null: all of them fit on one page' }),
})

export const AttachmentQuery = listQuery(['attached_at'], 'attached_at', {})
export type AttachmentQuery = Static<typeof AttachmentQuery>

export const AttachmentView = Type.Object(
  { type: Type.Enum(['user', 'role']), id: IdText, name: Type.String(), attached_at: Moment },
  { examples: [{ type: 'role', id: exampleId, name: 'billing', attached_at: exampleTime }] },
)
export type AttachmentView = Static<typeof AttachmentView>
