import { Type } from 'typebox'
import { problem } from '@signet/kernel'
import { problemResponses } from './problem-responses.ts'
import type { App } from './server.ts'

/** Says what is wrong by throwing. */
export type ReadinessCheck = () => Promise<void> | void

export interface Health {
  readonly version: string
  readonly checks: Readonly<Record<string, ReadinessCheck>>
}

const Word = Type.String({ examples: ['ok'] })
const readiness = Type.Object({
  status: Word,
  checks: Type.Record(Type.String(), Type.String(), { examples: [{ database: 'ok' }] }),
})

/** `/livez`: the process answers. `/readyz`: it can do its work. `/version`. */
export function serveHealth(app: App, health: Health): void {
  const open = { config: { access: 'public' as const, isVital: true } }
  app.get(
    '/livez',
    {
      ...open,
      schema: {
        tags: ['Operations'],
        operationId: 'readLiveness',
        summary: 'Is the process alive?',
        description: 'Asks nobody else: a balancer restarts what does not answer.',
        response: { 200: Type.Object({ status: Word }) },
      },
    },
    async () => ({ status: 'ok' }),
  )
  app.get(
    '/version',
    {
      ...open,
      schema: {
        tags: ['Operations'],
        operationId: 'readVersion',
        summary: 'Which version runs here?',
        description: 'As it was released.',
        response: { 200: Type.Object({ version: Type.String({ examples: ['0.1.0'] }) }) },
      },
    },
    async () => ({ version: health.version }),
  )
  app.get(
    '/readyz',
    {
      ...open,
      schema: {
        tags: ['Operations'],
        operationId: 'readReadiness',
        summary: 'Can it serve requests?',
        description: 'Asks what it stands on: 503 while that fails, and while it is stopping.',
        response: { 200: readiness, ...problemResponses(503) },
      },
    },
    async request => {
      if (app.drain.isStopping) throw problem('not-ready', 'This node is stopping.')
      const checks: Record<string, string> = {}
      for (const [name, check] of Object.entries(health.checks)) {
        try {
          await check()
          checks[name] = 'ok'
        } catch (error) {
          request.log.warn({ err: error, check: name }, 'not ready')
          throw problem('not-ready', `The check "${name}" fails.`, { retryAfterSeconds: 1 })
        }
      }
      app.drain.noteTold()
      return { status: 'ok', checks }
    },
  )
}
