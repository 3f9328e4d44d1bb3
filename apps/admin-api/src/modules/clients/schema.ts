import { IdText, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'
import { RoleIds } from '../memberships/index.ts'
import { newPersonMembers, personChangeMembers, personMembers, PersonStatus } from '../users/index.ts'

const clientId = 'The client that the sub-client belongs to'

export const AccountView = Type.Object({
  ...personMembers,
  client_id: nullable(Type.String({ description: `${clientId}; null for a client` })),
  roles: Type.Array(Type.Object({ id: IdText, name: Type.String({ examples: ['member'] }) }), {
    description: 'By name. What a sub-client may is bounded by what its client may, whatever its roles say',
  }),
})
export type AccountView = Static<typeof AccountView>

const sorts = ['created_at', 'name', 'email', 'username'] as const
const filters = { q: SearchText, status: Type.Optional(PersonStatus) }

export const ClientQuery = listQuery(sorts, '-created_at', filters)
export const SubClientQuery = listQuery(sorts, '-created_at', { ...filters, client_id: Type.Optional(IdText) })
export type AccountQuery = Static<typeof ClientQuery> & { readonly client_id?: string }

export const AccountParams = strictObject({ id: IdText })

const newMembers = {
  ...newPersonMembers,
  password_change_required: Type.Optional(
    Type.Boolean({ description: 'The password is temporary: it has to be changed before anything else' }),
  ),
}
const identified = { description: 'One of e-mail, phone and username is required' }

export const NewClient = strictObject(newMembers, identified)
export const NewSubClient = strictObject(
  {
    ...newMembers,
    client_id: Type.Optional(Type.String({ ...IdText, description: `${clientId}; of a client itself` })),
  },
  { description: `${identified.description}. Whoever is no client themself says \`client_id\`` },
)
export type NewAccount = Static<typeof NewClient>

export const AccountChange = strictObject(
  { ...personChangeMembers, role_ids: Type.Optional(RoleIds) },
  {
    minProperties: 1,
    description:
      'A merge patch (RFC 7396): absent members stay, null clears. `role_ids` are all roles beside `member`, which everybody has',
  },
)
export type AccountChange = Static<typeof AccountChange>
