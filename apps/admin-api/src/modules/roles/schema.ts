import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'
import { PermissionCode } from '../permissions/index.ts'

const name = Type.String({
  pattern: '^[\\p{L}\\p{N}](?:[\\p{L}\\p{N} _.-]{0,61}[\\p{L}\\p{N}])?$',
  description: 'Letters, digits, spaces, and _ . - between them; up to 63',
  examples: ['billing'],
})
const description = Type.String({ maxLength: 500, examples: ['Reads and writes invoices'] })
const permissions = Type.Array(PermissionCode, {
  maxItems: 1_000,
  uniqueItems: true,
  description: 'No more than you hold yourself',
  examples: [['invoices:read', 'invoices:create']],
})

export const RoleView = Type.Object({
  id: IdText,
  name: Type.String({ examples: ['billing'] }),
  description: Type.String({ examples: ['Reads and writes invoices'] }),
  is_built_in: Type.Boolean({ description: 'Made with the tenant; never changed', examples: [false] }),
  permissions: Type.Array(Type.String(), {
    description: 'What the role holds now, in alphabetical order',
    examples: [['invoices:create', 'invoices:read']],
  }),
  created_at: Moment,
  updated_at: Moment,
})
export type RoleView = Static<typeof RoleView>

export const RoleQuery = listQuery(['created_at', 'name'], 'created_at', {
  q: SearchText,
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
  is_built_in: Type.Optional(Type.Boolean()),
})
export type RoleQuery = Static<typeof RoleQuery>

export const RolePermissionPage = Type.Object({
  items: Type.Array(Type.Object({ code: Type.String({ examples: ['invoices:read'] }) })),
  next_cursor: Type.Null({ description: 'Always null: all of them fit on one page' }),
})

export const RoleParams = strictObject({ id: IdText })
export const RolePermissionParams = strictObject({ id: IdText, code: PermissionCode })

export const NewRole = strictObject({
  name,
  description: Type.Optional(description),
  permissions: Type.Optional(permissions),
})
export type NewRole = Static<typeof NewRole>

export const RoleChange = strictObject(
  {
    name: Type.Optional(name),
    description: Type.Optional(nullable(description)),
    permissions: Type.Optional(permissions),
  },
  { minProperties: 1, description: 'A merge patch (RFC 7396): absent members stay, a list is replaced as a whole' },
)
export type RoleChange = Static<typeof RoleChange>
