/**
 * One place turns whatever was thrown into a problem document. What it does not know becomes a plain 500 with nothing
 * inside; the log has the rest under the same request id.
 */
import type { Socket } from 'node:net'
import { AuthError } from '@signet/verifier'
import { Problem, type ProblemDocument, problem } from '@signet/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { mayArriveSlowly } from './slow-bodies.ts'
import { InputError } from './validation.ts'

const mediaType = 'application/problem+json'

export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof AuthError) return sendRefusal(error, request, reply)
    const found = toProblem(error)
    noteProblem(found, error, request)
    return sendProblem(found, request, reply)
  })
  app.setNotFoundHandler((request, reply) => {
    const found = problem('route-not-found')
    noteProblem(found, found, request)
    return sendProblem(found, request, reply)
  })
}

/**
 * The request's own line names the problem. What is a fault of the program has one more, with where it was thrown; a refusal for
 * now is none, and a crowd is refused many times a second.
 */
export function noteProblem(found: Problem, error: unknown, request: FastifyRequest): void {
  const { code, status, cause } = found
  request.problem = found
  const isRefusal = status === 503 && cause === undefined
  if (status >= 500 && !isRefusal) request.log.error({ err: cause ?? error, code }, 'request failed')
}

function sendProblem(found: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  setFailureHeaders(found, reply)
  return reply.code(found.status).type(mediaType).send(withInstance(found.toDocument(), request.id))
}

/** What every failure says in its headers, whatever the form of its body. */
export function setFailureHeaders(found: Problem, reply: FastifyReply): void {
  if (found.retryAfterSeconds !== undefined) reply.header('retry-after', String(Math.ceil(found.retryAfterSeconds)))
  else if (found.status === 503) reply.header('retry-after', '1')
  if (found.status === 401) reply.header('www-authenticate', 'Bearer')
  reply.headers({ ...found.headers }).header('cache-control', 'no-store')
}

function sendRefusal(error: AuthError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.status === 503) reply.header('retry-after', '1')
  else reply.header('www-authenticate', error.wwwAuthenticate())
  const document = error.toProblem()
  request.problem = document
  return reply
    .code(error.status)
    .header('cache-control', 'no-store')
    .type(mediaType)
    .send({ ...document, instance: `urn:uuid:${request.id}` })
}

function withInstance(document: ProblemDocument, requestId: string): ProblemDocument & { instance: string } {
  return { ...document, instance: `urn:uuid:${requestId}` }
}

const fastifyProblems: Readonly<Record<string, Parameters<typeof problem>>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-large'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed-body'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed-body'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-body'],
  FST_ERR_BAD_URL: ['invalid-input', 'The path cannot be decoded.'],
  FST_ERR_VALIDATION: ['invalid-input'],
}

export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof InputError) return problem('invalid-input', undefined, { errors: error.faults })
  const { code = '', statusCode } = error as { code?: string; statusCode?: number }
  const known = fastifyProblems[code]
  if (known !== undefined) return problem(...known)
  if (statusCode === 400) return problem('malformed-body', undefined, { cause: error })
  return problem('internal-error', undefined, { cause: error })
}

/** What the HTTP parser itself refuses has no request and no reply: the document is written to the socket. */
export function answerBrokenConnections(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && mayArriveSlowly(socket)) return
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy()
  const found =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? problem('headers-too-large')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? problem('request-timeout')
        : problem('malformed-body', 'This is not an HTTP request that can be read.')
  const requestId = crypto.randomUUID()
  const body = JSON.stringify(withInstance(found.toDocument(), requestId))
  socket.end(
    `HTTP/1.1 ${found.status} ${found.title}\r\ncontent-type: ${mediaType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `x-request-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`,
  )
}
