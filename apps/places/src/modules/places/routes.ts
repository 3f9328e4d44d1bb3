import type { Database } from '@signet/db'
import { type App, problemResponses } from '@signet/http'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { NewPlace, Place, PlaceChange, PlacePage, PlaceParams, PlacePrecondition, PlaceQuery } from './schema.ts'
import { changePlace, createPlace, findPlace, listPlaces, removePlace, type VersionedPlace } from './service.ts'

const may = (permission: string) => ({ access: { permissions: [permission] } })
const tags = ['Places']

export function servePlaces(app: App, db: Database): void {
  app.get(
    '/places',
    {
      config: may('places:read'),
      schema: {
        tags,
        operationId: 'listPlaces',
        summary: 'List places',
        description: 'In the order in which they were added, by kind and bounding box, page by page.',
        querystring: PlaceQuery,
        response: { 200: PlacePage, ...problemResponses(400, 401, 403, 503) },
      },
    },
    async request => listPlaces(db, request.query),
  )

  app.get(
    '/places/:id',
    {
      config: may('places:read'),
      schema: {
        tags,
        operationId: 'readPlace',
        summary: 'Read a place',
        description: 'The answer carries an `ETag`.',
        params: PlaceParams,
        response: { 200: Place, ...problemResponses(400, 401, 403, 'place-not-found', 503) },
      },
    },
    async (request, reply) => sendPlace(reply, await findPlace(db, request.params.id)),
  )

  app.post(
    '/places',
    {
      config: may('places:create'),
      schema: {
        tags,
        operationId: 'createPlace',
        summary: 'Add a place',
        description: 'The answer names the new place in `Location`.',
        body: NewPlace,
        response: { 201: Place, ...problemResponses(400, 401, 403, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      const created = await createPlace(db, request.body)
      reply.code(201).header('location', `/places/${created.place.id}`)
      return sendPlace(reply, created)
    },
  )

  app.patch(
    '/places/:id',
    {
      config: may('places:modify'),
      schema: {
        tags,
        operationId: 'changePlace',
        summary: 'Change a place',
        description: 'With `If-Match` only while the place is as it was read.',
        params: PlaceParams,
        headers: PlacePrecondition,
        body: PlaceChange,
        response: { 200: Place, ...problemResponses(400, 401, 403, 'place-not-found', 412, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      const version = readVersion(request.headers['if-match'])
      return sendPlace(reply, await changePlace(db, request.params.id, version, request.body))
    },
  )

  app.delete(
    '/places/:id',
    {
      config: may('places:delete'),
      schema: {
        tags,
        operationId: 'removePlace',
        summary: 'Remove a place',
        description: 'With `If-Match` only while the place is as it was read.',
        params: PlaceParams,
        headers: PlacePrecondition,
        response: {
          204: Type.Null({ description: 'Removed' }),
          ...problemResponses(400, 401, 403, 'place-not-found', 412, 503),
        },
      },
    },
    async (request, reply) => {
      await removePlace(db, request.params.id, readVersion(request.headers['if-match']))
      return reply.code(204).send(null)
    },
  )
}

function sendPlace(reply: FastifyReply, { place, version }: VersionedPlace): Place {
  reply.header('etag', `"${version}"`)
  return place
}

/** No version has the number 0: an ETag that is not one of ours matches nothing. */
function readVersion(ifMatch: string | undefined): number | null {
  if (ifMatch === undefined) return null
  return Number(/^"([1-9]\d{0,8})"$/.exec(ifMatch)?.[1] ?? 0)
}
