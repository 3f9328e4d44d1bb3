import type { App } from '@signet/http'
import type { OrgUnitId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import {
  changeOrgUnit,
  createOrgUnit,
  listChildren,
  listOrgUnits,
  NewOrgUnit,
  readOrgUnit,
  removeOrgUnit,
} from '../../modules/org-units/index.ts'
import { callerOf } from '../../wire/caller.ts'
import { assertOwnCompany, CompanyRef, looseMembers, withoutNulls } from './bodies.ts'
import { collectPages, IdParams, eachTime } from './lists.ts'
import { serveResource } from './resource.ts'
import { config, describeRoute } from './route-options.ts'
import { presentUnit, UnitView } from './structure-view.ts'

const { name, description, parent_id } = NewOrgUnit.properties
const optional = looseMembers({ description, parent_id })
const NewUnit = Type.Object({ name, ...optional, ...CompanyRef })
const UnitChange = Type.Object({ ...looseMembers({ name }), ...optional, ...CompanyRef })

export function serveUnits(scope: App, deps: Deps): void {
  serveResource(scope, {
    path: '/organization_units',
    native: '/admin/v1/org-units',
    permission: 'org-units',
    noun: ['OrganizationUnit', 'unit'],
    view: UnitView,
    body: NewUnit,
    change: UnitChange,
    list: (caller, query) => listOrgUnits(deps, caller, { ...query, sort: 'created_at' }),
    read: (caller, id) => readOrgUnit(deps, caller, id as OrgUnitId),
    create: async (caller, body) => {
      assertOwnCompany(body, caller.tenantId)
      const { company_id: _company, name: called, ...rest } = body
      const unit = { name: called, ...withoutNulls(rest) }
      return (await createOrgUnit(deps, caller, unit, eachTime())).body
    },
    modify: (caller, id, body) => {
      assertOwnCompany(body, caller.tenantId)
      const { company_id: _company, name: called, ...rest } = body
      return changeOrgUnit(deps, caller, id as OrgUnitId, { ...withoutNulls({ name: called }), ...rest }, undefined)
    },
    remove: (caller, id) => removeOrgUnit(deps, caller, id as OrgUnitId, undefined),
    present: presentUnit,
  })

  scope.get(
    '/organization_units/:id/children',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'listOrganizationUnitChildren',
          summary: 'List the units right below one',
          description: 'Instead: GET /admin/v1/org-units/{id}/children. Needs `org-units:read`.',
        },
        { params: IdParams },
        { 200: Type.Array(UnitView) },
        404,
      ),
    },
    async (request, reply) => {
      const { id } = request.params
      const caller = callerOf(request)
      const units = await collectPages(reply, `/admin/v1/org-units/${id}/children`, 'created_at', query =>
        listChildren(deps, caller, id as OrgUnitId, query),
      )
      return units.map(presentUnit)
    },
  )
}
