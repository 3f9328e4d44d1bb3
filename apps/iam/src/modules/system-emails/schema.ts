import { IdText, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { Email } from '../../person-fields.ts'

/** One line: a break in a subject would be a header of its own in the mail. */
const oneLine = '^[^\\p{Cc}\\u2028\\u2029]*$'
const Line = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: oneLine })

export const SystemEmailRequest = strictObject(
  {
    to: Type.Optional(
      Type.String({ ...Email, description: 'One address; the administrator’s (ADMIN_EMAIL) where it is left out' }),
    ),
    subject: Line(200),
    text: Type.Optional(Type.String({ minLength: 1, maxLength: 20_000 })),
    html: Type.Optional(Type.String({ minLength: 1, maxLength: 40_000, description: 'Sent as it is' })),
    reply_to: Type.Optional(Type.String({ ...Email, description: 'One address' })),
  },
  { description: 'At least one of text and html' },
)
export type SystemEmailRequest = Static<typeof SystemEmailRequest>

export const QueuedEmail = strictObject({ id: IdText })
export type QueuedEmail = Static<typeof QueuedEmail>
