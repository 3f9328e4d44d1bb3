import { IdText, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { Email } from '../../person-fields.ts'

/** One line: a break in a subject or a label would be a header, or a line of its own, in the mail. */
const oneLine = '^[^\\p{Cc}\\u2028\\u2029]*$'
const Line = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: oneLine })

const NoticeData = strictObject(
  {
    heading: Line(200),
    body: Type.String({ minLength: 1, maxLength: 10_000, description: 'Paragraphs, with empty lines between them' }),
    action_url: Type.Optional(
      Type.String({ format: 'uri', pattern: '^https?://[^\\s"<>]+$', maxLength: 2_000, description: 'Of a button' }),
    ),
    action_label: Type.Optional(Line(60)),
  },
  { description: 'What `notice` is filled with: plain words, which are escaped' },
)

export const SystemEmailRequest = strictObject(
  {
    to: Type.Optional(
      Type.String({ ...Email, description: 'One address; the administrator’s (ADMIN_EMAIL) where it is left out' }),
    ),
    subject: Line(200),
    text: Type.Optional(Type.String({ minLength: 1, maxLength: 20_000 })),
    html: Type.Optional(Type.String({ minLength: 1, maxLength: 40_000, description: 'Sent as it is' })),
    reply_to: Type.Optional(Type.String({ ...Email, description: 'One address' })),
    template: Type.Optional(Type.Literal('notice')),
    data: Type.Optional(NoticeData),
  },
  {
    description: 'Words of one’s own, as text, html or both; or `template` with its `data`',
    examples: [{ to: 'ops@example.com', subject: 'Nightly import', text: 'The nightly import is done: 1,204 rows.' }],
  },
)
export type SystemEmailRequest = Static<typeof SystemEmailRequest>

export const QueuedEmail = strictObject({ id: IdText })
export type QueuedEmail = Static<typeof QueuedEmail>
