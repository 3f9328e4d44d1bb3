import { Readable } from 'node:stream'
import { allowSlowBody, type App, problemResponses, toProblem } from '@signet/http'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { exportPeople } from './export.ts'
import { ExportedLine, ExportQuery, ImportQuery, PersonLine, ReportLine } from './schema.ts'
import { assertMayImport, importPeople } from './service.ts'

const config = { access: {} }
const tags = ['Import and export']
const ndjson = 'application/x-ndjson'

export function serveImports(app: App, deps: Deps): void {
  // A scope of its own: this type is read nowhere else, and here no other.
  void app.register(async scope => {
    scope.removeAllContentTypeParsers()
    // The lines are taken out of the connection as they are needed.
    scope.addContentTypeParser(ndjson, (_request, _payload, done) => done(null))
    serveImport(scope, deps)
  })
  serveExport(app, deps)
}

function serveImport(app: App, deps: Deps): void {
  app.post(
    '/users/import',
    {
      config,
      // What is called the body here is one line, and each of them is looked at by itself.
      validatorCompiler: route => (route.httpPart === 'body' ? () => true : compilerOf(app)(route)),
      schema: {
        operationId: 'importUsers',
        tags,
        summary: 'Import people',
        description:
          'One person a line, of up to 64 kB, and as many lines as there are; the answer has a line for each of them and is sent ' +
          'while the file is still being read: read it while you send. Some hundred lines are one transaction; a line that ' +
          'cannot be used is reported and stops no other. A file may be sent again: whoever is there is left as they are. Needs ' +
          '`users:create`; for roles `memberships:modify` and all that they hold; `clients:create`, `sub-clients:create`.',
        querystring: ImportQuery,
        body: { content: { [ndjson]: { schema: PersonLine } } },
        response: {
          200: { description: 'The report, line by line', content: { [ndjson]: { schema: ReportLine } } },
          ...problemResponses(400, 401, 403, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      await assertMayImport(deps, caller)
      allowSlowBody(request, reply)
      const file = request.raw.iterator({ destroyOnReturn: false })
      const options = { isDryRun: request.query.dry_run, isStopping: () => app.drain.isStopping }
      const report = endWithProblem(importPeople(deps, caller, file, options), request)
      return reply.type(ndjson).header('cache-control', 'no-store').send(Readable.from(report))
    },
  )
}

function compilerOf(app: App): NonNullable<App['validatorCompiler']> {
  if (app.validatorCompiler === undefined) throw new Error('The server has no validator compiler.')
  return app.validatorCompiler
}

interface RunningRequest {
  readonly id: string
  readonly log: App['log']
  readonly raw: { readonly errored: Error | null }
}

/** The answer has begun, so that its last line alone can say that the import has not come to its end. */
async function* endWithProblem(report: AsyncIterable<string>, request: RunningRequest): AsyncGenerator<string> {
  try {
    yield* report
  } catch (error) {
    if (request.raw.errored !== null) {
      request.log.info('the sender of an import is gone')
      return
    }
    const found = toProblem(error)
    if (found.status >= 500) request.log.error({ err: found.cause ?? error, code: found.code }, 'import stopped')
    yield `${JSON.stringify({ problem: { ...found.toDocument(), instance: `urn:uuid:${request.id}` } })}\n`
  }
}

function serveExport(app: App, deps: Deps): void {
  app.get(
    '/users/export',
    {
      config,
      schema: {
        operationId: 'exportUsers',
        tags,
        summary: 'Export people',
        description:
          'Those who are at home in this tenant, one a line, as an import reads them, but for passwords and their hashes: those ' +
          'leave by no way. An export that cannot be brought to its end breaks off in the middle of the answer. Needs ' +
          '`users:list`; roles are named to those who also have `users:read`.',
        querystring: ExportQuery,
        response: {
          200: { description: 'The people, line by line', content: { [ndjson]: { schema: ExportedLine } } },
          ...problemResponses(400, 401, 403, 503),
        },
      },
    },
    async (request, reply) => {
      const pages = exportPeople(deps, callerOf(request), request.query)
      // Whoever may not hears so before the answer begins.
      const first = await pages.next()
      const lines = async function* () {
        if (first.done !== true) yield first.value
        yield* pages
      }
      return reply.type(ndjson).header('cache-control', 'no-store').send(Readable.from(lines()))
    },
  )
}
