/** What this system does with each kind of thing that a company has: list, create, read, change, delete. */
import type { App } from '@signet/http'
import type { Page } from '@signet/kernel'
import { type Static, type TObject, Type } from 'typebox'
import { type Caller, callerOf } from '../../wire/caller.ts'
import { collectPages, Gone, IdParams } from './lists.ts'
import { config, describeRoute } from './route-options.ts'

export interface Resource<Row, View extends TObject, Body extends TObject, Change extends TObject> {
  readonly path: string
  /** The native route that its callers are told to go over to. */
  readonly native: string
  /** The first half of the permissions that it needs. */
  readonly permission: string
  /** As the ids of the operations have it, and as people say it. */
  readonly noun: readonly [name: string, word: string]
  readonly view: View
  readonly body: Body
  readonly change: Change
  readonly list: (
    caller: Caller,
    query: { readonly limit: number; readonly count: false; readonly cursor?: string },
  ) => Promise<Page<Row>>
  readonly read: (caller: Caller, id: string) => Promise<Row>
  readonly create: (caller: Caller, body: Static<Body>) => Promise<Row>
  readonly modify: (caller: Caller, id: string, change: Static<Change>) => Promise<Row>
  readonly remove: (caller: Caller, id: string) => Promise<void>
  readonly present: (row: Row) => Static<View>
}

export function serveResource<Row, View extends TObject, Body extends TObject, Change extends TObject>(
  scope: App,
  resource: Resource<Row, View, Body, Change>,
): void {
  const { path, native, permission, present } = resource
  const [name, word] = resource.noun
  // What the compiler cannot follow through a schema that is a parameter, the validator has checked.
  const view = resource.view as TObject
  const say = (operationId: string, summary: string, route: string, verb: string) => ({
    operationId,
    summary,
    description: `Instead: ${route}. Needs \`${permission}:${verb}\`.`,
  })

  scope.get(
    path,
    {
      config,
      schema: describeRoute(
        say(`list${name}s`, `List ${word}s`, `GET ${native}`, 'list'),
        {},
        { 200: Type.Array(view) },
      ),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const rows = await collectPages(reply, native, 'created_at', query => resource.list(caller, query))
      return rows.map(present) as never
    },
  )

  scope.post(
    path,
    {
      config,
      schema: describeRoute(
        say(`create${name}`, `Create a ${word}`, `POST ${native}`, 'create'),
        { body: resource.body },
        { 201: view },
        404,
        409,
      ),
    },
    async (request, reply) => {
      const made = await resource.create(callerOf(request), request.body as Static<Body>)
      return reply.code(201).send(present(made))
    },
  )

  scope.get(
    `${path}/:id`,
    {
      config,
      schema: describeRoute(
        say(`read${name}`, `Read a ${word}`, `GET ${native}/{id}`, 'read'),
        { params: IdParams },
        { 200: view },
        404,
      ),
    },
    async request => present(await resource.read(callerOf(request), request.params.id)) as never,
  )

  for (const method of ['PUT', 'PATCH'] as const) {
    scope.route({
      method,
      url: `${path}/:id`,
      config,
      schema: describeRoute(
        say(
          `${method === 'PUT' ? 'replace' : 'change'}${name}`,
          `Change a ${word}: the members that are sent`,
          `PATCH ${native}/{id}`,
          'modify',
        ),
        { params: IdParams, body: resource.change },
        { 200: view },
        404,
        409,
      ),
      handler: async request => {
        const { params, body } = request
        return present(await resource.modify(callerOf(request), params.id, body as Static<Change>))
      },
    })
  }

  scope.delete(
    `${path}/:id`,
    {
      config,
      schema: describeRoute(
        say(`remove${name}`, `Delete a ${word}`, `DELETE ${native}/{id}`, 'delete'),
        { params: IdParams },
        { 204: Gone },
        404,
        409,
      ),
    },
    async (request, reply) => {
      await resource.remove(callerOf(request), request.params.id)
      return reply.code(204).send(null)
    },
  )
}
