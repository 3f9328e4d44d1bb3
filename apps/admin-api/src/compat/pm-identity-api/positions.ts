import { type App, IdentityUser } from '@signet/http'
import type { OrgUnitId, PositionId } from '@signet/kernel'
import { type Static, Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { listHolders } from '../../modules/placements/index.ts'
import {
  changePosition,
  createPosition,
  listPositions,
  listPositionsOf,
  NewPosition,
  type Position,
  readPosition,
  removePosition,
} from '../../modules/positions/index.ts'
import { type Caller, callerOf } from '../../wire/caller.ts'
import { assertOwnCompany, CompanyRef, looseMembers, withoutNulls } from './bodies.ts'
import { collectPages, eachTime, IdParams } from './lists.ts'
import { serveResource } from './resource.ts'
import { config, describeRoute } from './route-options.ts'
import { presentPosition, PositionView } from './structure-view.ts'
import { presentHolders } from './users-read.ts'

const { title, description, level, org_unit_id } = NewPosition.properties
const optional = looseMembers({ description, level, organization_unit_id: org_unit_id })
const NewPositionBody = Type.Object({ title, ...optional, ...CompanyRef })
const PositionBody = Type.Object({ ...looseMembers({ title }), ...optional, ...CompanyRef })

export function servePositions(scope: App, deps: Deps): void {
  serveResource(scope, {
    path: '/positions',
    native: '/admin/v1/positions',
    permission: 'positions',
    noun: ['CompanyPosition', 'position'],
    view: PositionView,
    body: NewPositionBody,
    change: PositionBody,
    list: (caller, query) => listPositions(deps, caller, { ...query, sort: 'created_at' }),
    read: (caller, id) => readPosition(deps, caller, id as PositionId),
    create: (caller, body) => create(deps, caller, body),
    modify: (caller, id, body) => {
      assertOwnCompany(body, caller.tenantId)
      const { company_id: _company, title: called, organization_unit_id: unit, ...rest } = body
      const change = {
        ...withoutNulls({ title: called }),
        ...rest,
        ...(unit === undefined ? {} : { org_unit_id: unit }),
      }
      return changePosition(deps, caller, id as PositionId, change, undefined)
    },
    remove: (caller, id) => removePosition(deps, caller, id as PositionId, undefined),
    present: presentPosition,
  })

  scope.get(
    '/organization_units/:id/positions',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'listOrganizationUnitPositions',
          summary: 'List the positions of a unit',
          description: 'Instead: GET /admin/v1/org-units/{id}/positions. Needs `positions:list`.',
        },
        { params: IdParams },
        { 200: Type.Array(PositionView) },
        404,
      ),
    },
    async (request, reply) => {
      const { id } = request.params
      const caller = callerOf(request)
      const positions = await collectPages(reply, `/admin/v1/org-units/${id}/positions`, 'created_at', query =>
        listPositionsOf(deps, caller, id as OrgUnitId, query),
      )
      return positions.map(presentPosition)
    },
  )

  scope.post(
    '/organization_units/:id/positions',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'createOrganizationUnitPosition',
          summary: 'Create a position in a unit',
          description: 'Instead: POST /admin/v1/positions. Needs `positions:create`.',
        },
        { params: IdParams, body: NewPositionBody },
        { 201: PositionView },
        404,
      ),
    },
    async (request, reply) => {
      const body = { ...request.body, organization_unit_id: request.params.id }
      return reply.code(201).send(presentPosition(await create(deps, callerOf(request), body)))
    },
  )

  scope.get(
    '/positions/:id/users',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'listCompanyPositionUsers',
          summary: 'List who holds a position',
          description: 'Instead: GET /admin/v1/positions/{id}/users. Needs `positions:read` and `users:read`.',
        },
        { params: IdParams },
        { 200: Type.Array(IdentityUser) },
        404,
      ),
    },
    async (request, reply) => {
      const { id } = request.params
      const caller = callerOf(request)
      const holders = await collectPages(reply, `/admin/v1/positions/${id}/users`, 'created_at', query =>
        listHolders(deps, caller, id as PositionId, query),
      )
      return presentHolders(deps, caller, holders)
    },
  )
}

async function create(deps: Deps, caller: Caller, body: Static<typeof NewPositionBody>): Promise<Position> {
  assertOwnCompany(body, caller.tenantId)
  const { title: called, description: text, level: rank, organization_unit_id } = body
  const position = {
    title: called,
    ...withoutNulls({ description: text, level: rank, org_unit_id: organization_unit_id }),
  }
  return (await createPosition(deps, caller, position, eachTime())).body
}
