import { Type } from 'typebox'
import { problem } from '@signet/kernel'
import { problemResponses } from './problem-responses.ts'
import type { App } from './server.ts'

/** Says what is wrong by throwing; a word that it gives stands in the answer instead of `ok`, and takes nothing out of service. */
export type ReadinessCheck = () => Promise<string | void> | string | void

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
        description:
          'Asks what it stands on: 503 while any of that fails, naming all that does, and while it is stopping. What is `degraded` takes nothing out of service.',
        response: { 200: readiness, ...problemResponses(503) },
      },
    },
    async request => {
      if (app.drain.isStopping) throw problem('not-ready', 'This node is stopping.')
      const failing: string[] = []
      const words = Object.entries(health.checks).map(async ([name, check]): Promise<[string, string]> => {
        try {
          return [name, (await check()) ?? 'ok']
        } catch (error) {
          request.log.warn({ err: error, check: name }, 'not ready')
          failing.push(name)
          return [name, 'failing']
        }
      })
      const checks = Object.fromEntries(await Promise.all(words))
      if (failing.length > 0)
        throw problem('not-ready', `These checks fail: ${failing.toSorted().join(', ')}.`, { retryAfterSeconds: 1 })
      app.drain.noteTold()
      return { status: 'ok', checks }
    },
  )
}
