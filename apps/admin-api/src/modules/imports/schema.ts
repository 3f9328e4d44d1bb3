import { IdText, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { EmailAddress } from '../memberships/index.ts'
import { Language, PersonKind, PersonName, PersonStatus, Phone, UserFilters, Username } from '../users/index.ts'

const identifierOfClient = Type.String({
  minLength: 1,
  maxLength: 254,
  description: 'E-mail, username or phone of the client that a sub-client belongs to; it may stand in the same file',
})

/** One line of the file. A member that is null is as if it were not there. */
export const PersonLine = strictObject(
  {
    email: Type.Optional(EmailAddress),
    username: Type.Optional(Username),
    phone: Type.Optional(Phone),
    name: Type.Optional(PersonName),
    first_name: Type.Optional(PersonName),
    last_name: Type.Optional(PersonName),
    language: Type.Optional(Language),
    kind: Type.Optional(PersonKind),
    client: Type.Optional(identifierOfClient),
    password_hash: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, description: 'bcrypt, argon2, werkzeug or passlib' }),
    ),
    password: Type.Optional(Type.String({ minLength: 1, description: 'Hashed here, which takes its time' })),
    must_change: Type.Optional(Type.Boolean({ description: 'The password has to be changed before anything else' })),
    email_verified: Type.Optional(Type.Boolean({ description: 'True is for platform staff to say' })),
    phone_verified: Type.Optional(Type.Boolean({ description: 'True is for platform staff to say' })),
    status: Type.Optional(PersonStatus),
    roles: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
        maxItems: 50,
        description: 'By name. Everybody has `member`',
      }),
    ),
    external_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'What the person was called there: repeated in the report',
      }),
    ),
  },
  {
    description: 'At least one of e-mail, username and phone',
    examples: [
      {
        email: 'ada@example.com',
        name: 'Ada Lovelace',
        password_hash: '$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m',
        external_id: '1815',
      },
    ],
  },
)
export type PersonLine = Static<typeof PersonLine>

/** A line that can be used, and which it is. The e-mail address is folded. */
export interface Candidate extends PersonLine {
  readonly line: number
}

/** What an export writes: lines that an import reads. */
export const ExportedLine = Type.Omit(PersonLine, ['password_hash', 'password', 'must_change'])
export type ExportedLine = Static<typeof ExportedLine>

export const ImportQuery = strictObject({
  dry_run: Type.Boolean({ default: false, description: 'Check everything and write nothing' }),
})

export const ExportQuery = strictObject(UserFilters)
export type ExportQuery = Static<typeof ExportQuery>

const LineFault = Type.Object({
  pointer: Type.String({ description: 'The member (JSON Pointer), or empty for the line' }),
  message: Type.String(),
  code: Type.Optional(Type.String({ description: 'Of the problem that a single creation would have answered' })),
})
export type LineFault = Static<typeof LineFault>

const LineReport = Type.Object({
  line: Type.Integer({ description: 'Counted from one, blank lines too' }),
  status: Type.Enum(['created', 'would_create', 'exists', 'failed']),
  id: Type.Optional(IdText),
  external_id: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Array(LineFault)),
})
export type LineReport = Static<typeof LineReport>

const ImportSummary = Type.Object({
  created: Type.Integer(),
  would_create: Type.Integer(),
  exists: Type.Integer(),
  failed: Type.Integer(),
  lines: Type.Integer({ description: 'Without blank ones' }),
  seconds: Type.Number(),
})
export type ImportSummary = Static<typeof ImportSummary>

/** One line of the answer. */
export const ReportLine = Type.Union(
  [
    LineReport,
    Type.Object({ summary: ImportSummary }, { description: 'The last line of an import that was read to its end' }),
    Type.Object({ problem: Type.Ref('Problem#') }, { description: 'The last line of one that had to stop' }),
  ],
  {
    examples: [
      { line: 1, status: 'created', id: '0198c1f2-7c3e-7d4a-9b1f-2f6f0c9b7a11', external_id: '1815' },
      {
        line: 2,
        status: 'failed',
        errors: [{ pointer: '/email', message: 'This e-mail address is in use', code: 'email-taken' }],
      },
      { summary: { created: 1, would_create: 0, exists: 0, failed: 1, lines: 2, seconds: 0.1 } },
    ],
  },
)
