/** What a person may do, and the policies that say so. */
import { type App, IdText } from '@signet/http'
import type { UserId } from '@signet/kernel'
import { type Static, Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { listAssignedRoles } from '../../modules/memberships/index.ts'
import { listPermissions, type Permission } from '../../modules/permissions/index.ts'
import { type HolderRef, listAttachedPolicies } from '../../modules/policy-attachments/index.ts'
import { listEffectivePermissions } from '../../modules/users/index.ts'
import { type Caller, callerOf } from '../../wire/caller.ts'
import { deriveId } from './derived-id.ts'
import { collectPages, IdParams } from './lists.ts'
import { config, describeRoute } from './route-options.ts'
import { withMember } from './users-read.ts'

const Policy = Type.Object({
  id: IdText,
  name: Type.String({ examples: ['own invoices'] }),
  description: Type.String({ examples: ['Reads the invoices that are their own'] }),
  company_id: IdText,
})

const Resource = Type.Object({
  id: IdText,
  service: Type.String({ examples: ['billing'] }),
  resource_name: Type.String({ examples: ['invoices'] }),
  description: Type.String({ examples: ['Read an invoice'] }),
  operations: Type.Array(Type.String(), { examples: [['read', 'update']] }),
})

export function servePermissions(scope: App, deps: Deps): void {
  scope.get(
    '/users/:id/policies',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'listIdentityPolicies',
          summary: 'List the policies of a person',
          description:
            'Those attached to them and to their roles. Instead: GET /admin/v1/users/{id}/policies. Needs `policies:read` and `users:read`.',
        },
        { params: IdParams },
        { 200: Type.Object({ policies: Type.Array(Policy) }) },
        404,
      ),
    },
    async request => {
      const caller = callerOf(request)
      return { policies: await listPolicies(deps, caller, request.params.id as UserId) }
    },
  )

  scope.get(
    '/users/:id/permissions',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'listIdentityPermissions',
          summary: 'List what a person may do',
          description:
            'By resource, without what a condition decides each time. Instead: GET /admin/v1/users/{id}/permissions. Needs `users:read` and `permissions:list`.',
        },
        { params: IdParams },
        { 200: Type.Object({ permissions: Type.Array(Resource) }) },
        404,
      ),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const held = await listEffectivePermissions(deps, caller, request.params.id as UserId)
      const native = '/admin/v1/permissions'
      const catalogue = await collectPages(reply, native, 'code', query => listPermissions(deps, caller, query))
      const permitted = new Set(held.flatMap(({ code, state }) => (state === 'permitted' ? [code] : [])))
      return { permissions: groupByResource(catalogue.filter(({ code }) => permitted.has(code))) }
    },
  )
}

async function listPolicies(deps: Deps, caller: Caller, userId: UserId): Promise<Static<typeof Policy>[]> {
  const roles = await withMember(deps, caller, userId, member => listAssignedRoles(deps, caller, member))
  const holders: HolderRef[] = [{ userId }, ...roles.map(({ id }) => ({ roleId: id }))]
  const found = new Map<string, Static<typeof Policy>>()
  for (const holder of holders) {
    for (const { id, name, description } of await listAttachedPolicies(deps, caller, holder))
      found.set(id, { id, name, description, company_id: caller.tenantId })
  }
  return Array.from(found.values())
}

function groupByResource(permissions: readonly Permission[]): Static<typeof Resource>[] {
  const byResource = Map.groupBy(permissions, ({ service, code }) => `${service} ${code.split(':', 1)[0]}`)
  return Array.from(byResource, ([key, of]) => {
    const [service = '', resource_name = ''] = key.split(' ')
    return {
      id: deriveId(service, resource_name),
      service,
      resource_name,
      description: of[0]?.description ?? '',
      operations: of.map(({ code }) => operationOf(code.slice(code.indexOf(':') + 1))),
    }
  })
}

/** Our verb under the name that they know it by. */
function operationOf(verb: string): string {
  return verb === 'modify' ? 'update' : verb
}
