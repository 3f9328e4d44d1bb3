import { type TObject, type TProperties, type TSchema, Type } from 'typebox'

/** An object that refuses members it does not know. */
export function strictObject<P extends TProperties>(
  members: P,
  options: { description?: string; minProperties?: number; examples?: readonly unknown[] } = {},
): TObject<P> {
  return Type.Object(members, { additionalProperties: false, ...options })
}

export function nullable<S extends TSchema>(schema: S) {
  return Type.Union([schema, Type.Null()])
}

export const IdText = Type.String({
  format: 'uuid',
  pattern: '^[0-9a-f-]{36}$',
  description: 'A UUID in its canonical form',
})

export const Moment = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })

/** One faulty member of the input. */
export const FaultSchema = Type.Object({
  pointer: Type.String({ description: 'A JSON pointer (RFC 6901) into the body, or `?name` for a query member' }),
  message: Type.String(),
  line: Type.Optional(Type.Integer({ description: 'In a text of several lines, from 1' })),
  column: Type.Optional(Type.Integer({ description: 'In characters, from 1' })),
})

/** What every failure looks like (RFC 9457). Registered with the server once; routes refer to it. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    instance: Type.String(),
    errors: Type.Optional(Type.Array(FaultSchema)),
  },
  { $id: 'Problem', description: 'application/problem+json (RFC 9457)' },
)
