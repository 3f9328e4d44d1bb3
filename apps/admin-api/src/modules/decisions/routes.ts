import { type App, problemResponses, serviceKeyHolderOf } from '@signet/http'
import type { Reason } from '@signet/verifier/policies'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { AuthzenConfiguration, Evaluation, Evaluations, EvaluationsView, EvaluationView } from './schema.ts'
import { type Answered, type Asker, evaluate, evaluateAll, questionOf } from './service.ts'

const config = { access: {}, serviceKey: 'or-bearer' } as const
const tags = ['Decisions']
const evaluationPath = '/access/v1/evaluation'
const evaluationsPath = '/access/v1/evaluations'
const whoMayAsk =
  'Whoever is signed in asks about themself; about others of the tenant with `decisions:read`. A service key asks about ' +
  'anybody of the tenant that `subject.properties.tenant_id` names.'

/** @param url where callers reach this app */
export function serveDecisions(app: App, deps: Deps, url: string): void {
  app.post(
    evaluationPath,
    {
      config,
      schema: {
        tags,
        operationId: 'evaluateAccess',
        summary: 'May somebody do something?',
        description: `OpenID AuthZEN 1.0. With \`context.explain\` the answer says what decided, or what is missing. Whoever is not known may do nothing. ${whoMayAsk}`,
        body: Evaluation,
        response: { 200: EvaluationView, ...problemResponses(400, 401, 403, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      return present(await evaluate(deps, askerOf(request), request.body))
    },
  )

  app.post(
    evaluationsPath,
    {
      config,
      schema: {
        tags,
        operationId: 'evaluateAccessAll',
        summary: 'May somebody do these things?',
        description: `Up to 100 questions in one call. ${whoMayAsk}`,
        body: Evaluations,
        response: { 200: EvaluationsView, ...problemResponses(400, 401, 403, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      const { body } = request
      // AuthZEN 7.1: without evaluations the call is one of the other path.
      if ((body.evaluations ?? []).length === 0) {
        return present(await evaluate(deps, askerOf(request), questionOf(body)))
      }
      return { evaluations: (await evaluateAll(deps, askerOf(request), body)).map(present) }
    },
  )

  app.get(
    '/.well-known/authzen-configuration',
    {
      config: { access: 'public' },
      schema: {
        tags,
        operationId: 'readAuthzenConfiguration',
        summary: 'Where decisions are made',
        description: 'The metadata of OpenID AuthZEN 1.0, section 9.',
        response: { 200: AuthzenConfiguration },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'max-age=300')
      return {
        policy_decision_point: url,
        access_evaluation_endpoint: url + evaluationPath,
        access_evaluations_endpoint: url + evaluationsPath,
      }
    },
  )
}

function askerOf(request: Parameters<typeof serviceKeyHolderOf>[0]): Asker {
  return serviceKeyHolderOf(request) === undefined ? callerOf(request) : undefined
}

function present({ decision: { decision, reasons }, isExplained }: Answered): EvaluationView {
  return isExplained ? { decision, context: { reasons: reasons.map(presentReason) } } : { decision }
}

function presentReason(reason: Reason): NonNullable<EvaluationView['context']>['reasons'][number] {
  return { ...reason }
}
