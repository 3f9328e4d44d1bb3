/** Callers of older systems read failures in forms of their own. What throws knows nothing of that: it is a problem until it is sent. */
import type { ProblemDocument } from '@signet/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { App } from './server.ts'

/** Rewrites every problem that the routes of a scope answer, also one of the guard, the validator or a hook before them. */
export function rewriteProblems(
  scope: App,
  rewrite: (problem: ProblemDocument, request: FastifyRequest, reply: FastifyReply) => object,
): void {
  scope.addHook('onSend', async (request, reply, payload) => {
    const type = String(reply.getHeader('content-type'))
    if (typeof payload !== 'string' || !type.startsWith('application/problem+json')) return payload
    reply.type('application/json')
    return JSON.stringify(rewrite(JSON.parse(payload) as ProblemDocument, request, reply))
  })
}

const Failed = Type.Object({
  ok: Type.Literal(false),
  error: Type.String({ description: 'What is wrong, in words', examples: ['email is required'] }),
})

/** As eng-identity fails: `{ ok: false, error }`, which names each faulty member. */
export function answerInOk(scope: App): void {
  rewriteProblems(scope, ({ status, detail, errors }, request) => {
    const needsToken = request.routeOptions.config.access !== 'public'
    if (status === 401 && needsToken) return { ok: false, error: 'Authentication required' }
    const faults = errors?.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`.trim())
    return { ok: false, error: faults?.join('; ') ?? detail }
  })
}

/** The `response` entries of the failures that such a route documents. */
export function okFailures<const S extends number>(...statuses: readonly S[]) {
  const content = { 'application/json': { schema: Failed } }
  return Object.fromEntries(statuses.map(status => [status, { description: 'Failed', content }])) as Record<
    S,
    { description: string; content: typeof content }
  >
}
