import { strictObject } from '@signet/http'
import { Type } from 'typebox'

export const StatusListPath = Type.Object({
  id: Type.String({
    pattern: '^[1-9][0-9]{0,8}$',
    description: 'The last part of the address in a token',
    examples: ['1'],
  }),
})

export const StatusListAggregation = strictObject(
  { status_lists: Type.Array(Type.String(), { examples: [['https://id.example.com/status-lists/1']] }) },
  { description: 'Of every session whose tokens may still be valid, and of the next ones' },
)

export const StatusListToken = {
  description: 'A JWS in compact form of type statuslist+jwt (draft-ietf-oauth-status-list section 5.1)',
  content: {
    'application/statuslist+jwt': {
      schema: Type.String({
        examples: ['eyJhbGciOiJSUzI1NiIsInR5cCI6InN0YXR1c2xpc3Qrand0In0.eyJzdGF0dXNfbGlzdCI6e319.c2lnbmF0dXJl'],
      }),
    },
  },
}
