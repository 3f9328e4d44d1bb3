import { type App, problemResponses } from '@signet/http'
import type { OrgUnitId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import {
  ChildQuery,
  NewOrgUnit,
  OrgUnitChange,
  OrgUnitParams,
  OrgUnitQuery,
  OrgUnitTree,
  OrgUnitView,
} from './schema.ts'
import {
  changeOrgUnit,
  createOrgUnit,
  listChildren,
  listOrgUnits,
  type OrgUnit,
  readOrgUnit,
  readSubtree,
  readTree,
  removeOrgUnit,
} from './service.ts'

const config = { access: {} }
const tags = ['Units']

export function serveOrgUnits(app: App, deps: Deps): void {
  app.get(
    '/org-units',
    {
      config,
      schema: {
        operationId: 'listOrgUnits',
        tags,
        summary: 'List units',
        description: 'Of every level. Needs `org-units:list`.',
        querystring: OrgUnitQuery,
        response: { 200: pageOf(OrgUnitView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listOrgUnits(deps, callerOf(request), request.query), presentOrgUnit),
  )

  app.post(
    '/org-units',
    {
      config,
      schema: {
        operationId: 'createOrgUnit',
        tags,
        summary: 'Create a unit',
        description:
          'At the top, or below the unit that `parent_id` names; 64 levels are the most. Needs `org-units:create`.',
        headers: IdempotencyHeader,
        body: NewOrgUnit,
        response: {
          201: OrgUnitView,
          ...problemResponses(
            400,
            401,
            403,
            'org-unit-not-found',
            'org-unit-name-taken',
            'org-unit-too-deep',
            ...onceProblems,
            413,
            415,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const once = onceOf(deps.keys.idempotency, request, presentCreated)
      const answer = await createOrgUnit(deps, callerOf(request), request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/org-units/:id',
    {
      config,
      schema: {
        operationId: 'readOrgUnit',
        tags,
        summary: 'Read a unit',
        description: 'With its level and the units above it. Needs `org-units:read`.',
        params: OrgUnitParams,
        response: { 200: OrgUnitView, ...problemResponses(400, 401, 403, 'org-unit-not-found', 503) },
      },
    },
    async (request, reply) => {
      const unit = await readOrgUnit(deps, callerOf(request), request.params.id as OrgUnitId)
      reply.header('etag', etagOf(unit))
      return presentOrgUnit(unit)
    },
  )

  app.patch(
    '/org-units/:id',
    {
      config,
      schema: {
        operationId: 'changeOrgUnit',
        tags,
        summary: 'Change or move a unit',
        description:
          'What is below it moves along. Below itself, or deeper than 64 levels, it does not go. Needs `org-units:modify`.',
        params: OrgUnitParams,
        headers: Precondition,
        body: OrgUnitChange,
        response: {
          200: OrgUnitView,
          ...problemResponses(
            400,
            401,
            403,
            'org-unit-not-found',
            'org-unit-name-taken',
            'org-unit-cycle',
            'org-unit-too-deep',
            412,
            413,
            415,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const unit = await changeOrgUnit(deps, callerOf(request), params.id as OrgUnitId, body, headers['if-match'])
      reply.header('etag', etagOf(unit))
      return presentOrgUnit(unit)
    },
  )

  app.delete(
    '/org-units/:id',
    {
      config,
      schema: {
        operationId: 'removeOrgUnit',
        tags,
        summary: 'Remove a unit',
        description:
          'One that has neither units nor positions below it: else the problem names the first of them. Needs `org-units:delete`.',
        params: OrgUnitParams,
        headers: Precondition,
        response: {
          204: Type.Null({ description: 'Removed' }),
          ...problemResponses(400, 401, 403, 'org-unit-not-found', 'org-unit-in-use', 412, 503),
        },
      },
    },
    async (request, reply) => {
      await removeOrgUnit(deps, callerOf(request), request.params.id as OrgUnitId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/org-units/:id/children',
    {
      config,
      schema: {
        operationId: 'listOrgUnitChildren',
        tags,
        summary: 'List the units right below one',
        description: 'Needs `org-units:read`.',
        params: OrgUnitParams,
        querystring: ChildQuery,
        response: {
          200: pageOf(OrgUnitView),
          ...problemResponses(400, 'invalid-cursor', 401, 403, 'org-unit-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const page = await listChildren(deps, callerOf(request), request.params.id as OrgUnitId, request.query)
      return sendPage(reply, request, page, presentOrgUnit)
    },
  )

  app.get(
    '/org-units/tree',
    {
      config,
      schema: {
        operationId: 'readOrgTree',
        tags,
        summary: 'Read the whole tree',
        description: 'At once, as a flat list in the order of the tree. Needs `org-units:list`.',
        response: { 200: OrgUnitTree, ...problemResponses(401, 403, 503) },
      },
    },
    async request => readTree(deps, callerOf(request)),
  )

  app.get(
    '/org-units/:id/tree',
    {
      config,
      schema: {
        operationId: 'readOrgSubtree',
        tags,
        summary: 'Read a unit and all below it',
        description: 'As the whole tree. `level` counts from the top of the tenant. Needs `org-units:read`.',
        params: OrgUnitParams,
        response: { 200: OrgUnitTree, ...problemResponses(400, 401, 403, 'org-unit-not-found', 503) },
      },
    },
    async request => readSubtree(deps, callerOf(request), request.params.id as OrgUnitId),
  )
}

function presentOrgUnit(unit: OrgUnit): OrgUnitView {
  return {
    id: unit.id,
    name: unit.name,
    description: unit.description,
    parent_id: unit.parentId,
    level: unit.level,
    path: [...unit.path],
    created_at: unit.createdAt.toISOString(),
    updated_at: unit.updatedAt.toISOString(),
  }
}

function presentCreated(unit: OrgUnit): Answer<OrgUnitView> {
  const headers = { location: `/admin/v1/org-units/${unit.id}`, etag: etagOf(unit) }
  return { status: 201, headers, body: presentOrgUnit(unit) }
}
