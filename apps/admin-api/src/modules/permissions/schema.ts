import { Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'

export const permissionPattern = '^[a-z][a-z0-9-]{0,62}:[a-z][a-z-]{0,31}$'

export const PermissionCode = Type.String({
  pattern: permissionPattern,
  description: '`resource:verb`',
  examples: ['invoices:read'],
})

const description = Type.String({ maxLength: 500, examples: ['Read an invoice'] })

export const PermissionView = Type.Object({
  code: PermissionCode,
  service: Type.String({ description: 'The service that asks for it', examples: ['billing'] }),
  description: Type.String({ examples: ['Read an invoice'] }),
  is_platform: Type.Boolean({ description: 'Works on the installation itself: only roles of the platform hold it' }),
  created_at: Moment,
  updated_at: Moment,
})
export type PermissionView = Static<typeof PermissionView>

export const PermissionQuery = listQuery(['code', 'created_at'], 'code', {
  q: SearchText,
  service: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
  is_platform: Type.Optional(Type.Boolean()),
})
export type PermissionQuery = Static<typeof PermissionQuery>

export const PermissionParams = strictObject({ code: PermissionCode })

export const NewPermission = strictObject({
  code: PermissionCode,
  service: Type.String({
    pattern: '^(?!signet$)[a-z][a-z0-9-]{0,62}$',
    description: 'The service that asks for it; `signet` has its own',
    examples: ['billing'],
  }),
  description: Type.Optional(description),
})
export type NewPermission = Static<typeof NewPermission>

export const PermissionChange = strictObject(
  { description: nullable(description) },
  { description: 'A merge patch (RFC 7396). What a permission means to its service is all that can change.' },
)
export type PermissionChange = Static<typeof PermissionChange>
