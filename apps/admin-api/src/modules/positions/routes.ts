import { type App, problemResponses } from '@signet/http'
import type { OrgUnitId, PositionId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import { OrgUnitParams } from '../org-units/index.ts'
import {
  NewPosition,
  PositionChange,
  PositionOfUnitQuery,
  PositionParams,
  PositionQuery,
  PositionView,
} from './schema.ts'
import {
  changePosition,
  createPosition,
  listPositions,
  listPositionsOf,
  type Position,
  readPosition,
  removePosition,
} from './service.ts'

const config = { access: {} }
const tags = ['Positions']

export function servePositions(app: App, deps: Deps): void {
  app.get(
    '/positions',
    {
      config,
      schema: {
        operationId: 'listPositions',
        tags,
        summary: 'List positions',
        description: 'By `level`, those that have none come last. Needs `positions:list`.',
        querystring: PositionQuery,
        response: { 200: pageOf(PositionView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listPositions(deps, callerOf(request), request.query), presentPosition),
  )

  app.get(
    '/org-units/:id/positions',
    {
      config,
      schema: {
        operationId: 'listOrgUnitPositions',
        tags,
        summary: 'List the positions of a unit',
        description:
          'Without those of the units below it: `/positions?org_unit_id=` lists them as well. Needs `positions:list`.',
        params: OrgUnitParams,
        querystring: PositionOfUnitQuery,
        response: {
          200: pageOf(PositionView),
          ...problemResponses(400, 'invalid-cursor', 401, 403, 'org-unit-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const page = await listPositionsOf(deps, callerOf(request), request.params.id as OrgUnitId, request.query)
      return sendPage(reply, request, page, presentPosition)
    },
  )

  app.post(
    '/positions',
    {
      config,
      schema: {
        operationId: 'createPosition',
        tags,
        summary: 'Create a position',
        description: 'In the unit that `org_unit_id` names, or in none. Needs `positions:create`.',
        headers: IdempotencyHeader,
        body: NewPosition,
        response: {
          201: PositionView,
          ...problemResponses(400, 401, 403, 'org-unit-not-found', ...onceProblems, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const once = onceOf(deps.keys.idempotency, request, presentCreated)
      const answer = await createPosition(deps, callerOf(request), request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/positions/:id',
    {
      config,
      schema: {
        operationId: 'readPosition',
        tags,
        summary: 'Read a position',
        description: 'Needs `positions:read`.',
        params: PositionParams,
        response: { 200: PositionView, ...problemResponses(400, 401, 403, 'position-not-found', 503) },
      },
    },
    async (request, reply) => {
      const position = await readPosition(deps, callerOf(request), request.params.id as PositionId)
      reply.header('etag', etagOf(position))
      return presentPosition(position)
    },
  )

  app.patch(
    '/positions/:id',
    {
      config,
      schema: {
        operationId: 'changePosition',
        tags,
        summary: 'Change a position',
        description: '`org_unit_id` moves it, with who holds it. Needs `positions:modify`.',
        params: PositionParams,
        headers: Precondition,
        body: PositionChange,
        response: {
          200: PositionView,
          ...problemResponses(400, 401, 403, 'position-not-found', 'org-unit-not-found', 412, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const position = await changePosition(deps, callerOf(request), params.id as PositionId, body, headers['if-match'])
      reply.header('etag', etagOf(position))
      return presentPosition(position)
    },
  )

  app.delete(
    '/positions/:id',
    {
      config,
      schema: {
        operationId: 'removePosition',
        tags,
        summary: 'Remove a position',
        description: 'One that nobody holds: else the problem names the first who do. Needs `positions:delete`.',
        params: PositionParams,
        headers: Precondition,
        response: {
          204: Type.Null({ description: 'Removed' }),
          ...problemResponses(400, 401, 403, 'position-not-found', 'position-in-use', 412, 503),
        },
      },
    },
    async (request, reply) => {
      await removePosition(deps, callerOf(request), request.params.id as PositionId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )
}

function presentPosition({ id, title, description, level, orgUnitId, createdAt, updatedAt }: Position): PositionView {
  return {
    id,
    title,
    description,
    level,
    org_unit_id: orgUnitId,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  }
}

function presentCreated(position: Position): Answer<PositionView> {
  const headers = { location: `/admin/v1/positions/${position.id}`, etag: etagOf(position) }
  return { status: 201, headers, body: presentPosition(position) }
}
