import { type App, problemResponses } from '@signet/http'
import { type TSchema, Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import {
  CustomerChange,
  CustomerView,
  type EntryChange,
  EntryParams,
  EntryQuery,
  type EntryView,
  type NewEntry,
  NewCustomer,
  NewSubcontractor,
  SubcontractorChange,
  SubcontractorView,
} from './schema.ts'
import {
  changeEntry,
  createEntry,
  customers,
  type Directory,
  type Entry,
  listEntries,
  readEntry,
  removeEntry,
  subcontractors,
} from './service.ts'

interface Served {
  readonly directory: Directory
  readonly view: TSchema
  readonly create: TSchema
  readonly change: TSchema
}

const config = { access: {} }
const tags = ['Customers and subcontractors']

export function serveDirectory(app: App, deps: Deps): void {
  serve(app, deps, { directory: customers, view: CustomerView, create: NewCustomer, change: CustomerChange })
  serve(app, deps, {
    directory: subcontractors,
    view: SubcontractorView,
    create: NewSubcontractor,
    change: SubcontractorChange,
  })
}

function serve(app: App, deps: Deps, { directory, view, create, change }: Served): void {
  const { name, entry } = directory
  const path = `/${name}`
  /** `Customer`, for the ids of the operations. */
  const noun = entry.replace(/^./, letter => letter.toUpperCase())
  const notFound = `${entry}-not-found` as const

  app.get(
    path,
    {
      config,
      schema: {
        operationId: `list${noun}s`,
        tags,
        summary: `List ${name}`,
        description: `Needs \`${name}:list\`.`,
        querystring: EntryQuery,
        response: { 200: pageOf(view), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listEntries(deps, callerOf(request), directory, request.query), presentEntry),
  )

  app.post(
    path,
    {
      config,
      schema: {
        operationId: `create${noun}`,
        tags,
        summary: `Create a ${entry}`,
        description: `Names need not be unique. Needs \`${name}:create\`.`,
        headers: IdempotencyHeader,
        body: create,
        response: { 201: view, ...problemResponses(400, 401, 403, ...onceProblems, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      const present = (made: Entry): Answer<EntryView> => ({
        status: 201,
        headers: { location: `/admin/v1${path}/${made.id}`, etag: etagOf(made) },
        body: presentEntry(made),
      })
      const once = onceOf(deps.keys.idempotency, request, present)
      const answer = await createEntry(deps, callerOf(request), directory, request.body as NewEntry, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    `${path}/:id`,
    {
      config,
      schema: {
        operationId: `read${noun}`,
        tags,
        summary: `Read a ${entry}`,
        description: `Needs \`${name}:read\`.`,
        params: EntryParams,
        response: { 200: view, ...problemResponses(400, 401, 403, notFound, 503) },
      },
    },
    async (request, reply) => {
      const found = await readEntry(deps, callerOf(request), directory, request.params.id)
      reply.header('etag', etagOf(found))
      return presentEntry(found)
    },
  )

  app.patch(
    `${path}/:id`,
    {
      config,
      schema: {
        operationId: `change${noun}`,
        tags,
        summary: `Change a ${entry}`,
        description: `Needs \`${name}:modify\`.`,
        params: EntryParams,
        headers: Precondition,
        body: change,
        response: { 200: view, ...problemResponses(400, 401, 403, notFound, 412, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const wanted = body as EntryChange
      const changed = await changeEntry(deps, callerOf(request), directory, params.id, wanted, headers['if-match'])
      reply.header('etag', etagOf(changed))
      return presentEntry(changed)
    },
  )

  app.delete(
    `${path}/:id`,
    {
      config,
      schema: {
        operationId: `remove${noun}`,
        tags,
        summary: `Remove a ${entry}`,
        description: `Needs \`${name}:delete\`.`,
        params: EntryParams,
        headers: Precondition,
        response: {
          204: Type.Null({ description: 'Removed' }),
          ...problemResponses(400, 401, 403, notFound, 412, 503),
        },
      },
    },
    async (request, reply) => {
      await removeEntry(deps, callerOf(request), directory, request.params.id, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )
}

function presentEntry({ id, name, email, contactPerson, phone, address, ...row }: Entry): EntryView {
  return {
    id,
    name,
    ...(row.description === undefined ? {} : { description: row.description }),
    email,
    contact_person: contactPerson,
    phone,
    address,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}
