import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify'
import { problem } from '@signet/kernel'
import { createDrain, type Drain } from './drain.ts'
import { readJsonBodies } from './json-bodies.ts'
import { logRequests } from './logging.ts'
import { type Metrics, silentMetrics } from './metrics.ts'
import { allowOrigins } from './origins.ts'
import { shedUnderPressure } from './pressure.ts'
import { answerBrokenConnections, answerProblems } from './problems.ts'
import { measureRequests } from './request-metrics.ts'
import { ProblemSchema } from './schemas.ts'
import { traceRequests } from './trace-requests.ts'
import type { Tracer } from './tracing.ts'
import { compileValidator } from './validation.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly drain: Drain
  }
}

/** A Fastify instance whose handlers take their types from TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export interface ServerOptions {
  readonly logger: FastifyServerOptions['logger']
  /** Addresses of the proxies whose `X-Forwarded-*` is believed; none by default (THREATS H-02). */
  readonly trustProxy: readonly string[]
  /** Of pages that may call us from a browser, e.g. `https://app.example.com`; none by default. */
  readonly allowedOrigins?: readonly string[]
  /** Without them nothing is counted. */
  readonly metrics?: Metrics
  /** Without it nothing is traced. */
  readonly tracer?: Tracer | undefined
}

const largestBody = 64 * 1024
const largestHeader = 16 * 1024

/**
 * What the OWASP REST security cheat sheet asks of an API. They never change, so they are set at once: a plugin that puts
 * them together for each request cost a fiftieth of a sign-in.
 */
const protectiveHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-site',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/**
 * The server that every program stands on: strict input, problems for every failure, limits on every wait.
 * The time-outs are those under which 200 slow connections are gone within 20 s while a good client is served.
 */
export async function createServer(options: ServerOptions): Promise<App> {
  const app = Fastify({
    logger: options.logger ?? false,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: options.trustProxy.length === 0 ? false : [...options.trustProxy],
    genReqId: () => randomUUID(),
    bodyLimit: largestBody,
    requestTimeout: 10_000,
    connectionTimeout: 15_000,
    keepAliveTimeout: 72_000,
    http: { maxHeaderSize: largestHeader, headersTimeout: 8_000, connectionsCheckingInterval: 2_000 },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenConnections,
    routerOptions: { maxParamLength: 512 },
  }).withTypeProvider<TypeBoxTypeProvider>()

  traceRequests(app, options.tracer)
  app.addSchema(ProblemSchema)
  app.removeContentTypeParser('text/plain')
  readJsonBodies(app)
  app.setValidatorCompiler(({ schema, httpPart }) => compileValidator(schema as object, httpPart ?? 'body'))
  app.decorate('drain', createDrain())
  app.addHook('preClose', async () => app.drain.refuse())
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(protectiveHeaders).header('x-request-id', request.id)
    // Whoever keeps a connection to a node that stops would send its next request to nobody.
    if (app.drain.isStopping) reply.header('connection', 'close')
    done()
  })
  await allowOrigins(app, options.allowedOrigins ?? [])
  await shedUnderPressure(app)
  app.addHook('preParsing', (request, _reply, body, done) => {
    done(isOtherCharset(request.headers['content-type']) ? problem('unsupported-media-type') : null, body)
  })
  logRequests(app)
  measureRequests(app, options.metrics ?? silentMetrics)
  answerProblems(app)
  return app
}

/** Bodies are read as UTF-8, whatever they say: what says otherwise would be read as something else than its sender wrote. */
function isOtherCharset(contentType: string | undefined): boolean {
  const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType ?? '') ?? []
  return charset !== undefined && !/^utf-?8$/i.test(charset)
}
