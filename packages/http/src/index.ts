export { hasBearer, refuseCrossSite } from './cross-site.ts'
export { loadEnvironment } from './environment.ts'
export { answerInOk, okFailures, rewriteProblems } from './failure-forms.ts'
export { serveHealth } from './health.ts'
export { IdentityUser, presentIdentityUser } from './identity-user.ts'
export { loadInstallationSecret } from './installation-secret.ts'
export { type LimitSettings, limitRequests } from './limits.ts'
export { watchHashing, watchPool } from './load-metrics.ts'
export { type Program, startProgram, stopOnSignal } from './lifecycle.ts'
export { loggerOptions } from './logging.ts'
export { type Metrics, silentMetrics } from './metrics.ts'
export { type MetricsListener, openMetrics } from './metrics-listener.ts'
export { networkOf } from './networks.ts'
export { readForms, speakOAuth } from './oauth-scope.ts'
export { buildExample, type JsonSchema } from './examples.ts'
export { answerInMessages, messageResponses, type Wordings } from './message-errors.ts'
export { describeApi } from './openapi.ts'
export { generalProblems, problemResponses } from './problem-responses.ts'
export { FaultSchema, IdText, Moment, nullable, strictObject } from './schemas.ts'
export {
  acceptServiceKey,
  createServiceKeyring,
  mintServiceKey,
  requireServiceKey,
  type ServiceKeyHolder,
  serviceKeyHolderOf,
  type ServiceKeyring,
} from './service-keys.ts'
export { describeOlderSystems } from './older-systems.ts'
export { type App, createServer, type ServerOptions } from './server.ts'
export { allowSlowBody } from './slow-bodies.ts'
export { openTracing } from './open-tracing.ts'
export type { Tracing } from './tracing.ts'
export { userAgentOf } from './user-agent.ts'
export { toProblem } from './problems.ts'
export { compileValidator } from './validation.ts'
