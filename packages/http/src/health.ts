import { Type } from 'typebox'
import { problem } from '@signet/kernel'
import type { App } from './server.ts'

/** Says what is wrong by throwing. */
export type ReadinessCheck = () => Promise<void> | void

export interface Health {
  readonly version: string
  readonly checks: Readonly<Record<string, ReadinessCheck>>
  /** True once shutdown has begun: a balancer takes this node out before its connections close. */
  readonly isStopping: () => boolean
}

const readiness = Type.Object({ status: Type.String(), checks: Type.Record(Type.String(), Type.String()) })

/** `/livez`: the process answers. `/readyz`: it can do its work. `/version`. */
export function serveHealth(app: App, health: Health): void {
  const open = { config: { access: 'public' as const } }
  app.get(
    '/livez',
    {
      ...open,
      schema: {
        tags: ['Operations'],
        summary: 'Is the process alive?',
        response: { 200: Type.Object({ status: Type.String() }) },
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
        summary: 'Which version runs here?',
        response: { 200: Type.Object({ version: Type.String() }) },
      },
    },
    async () => ({ version: health.version }),
  )
  app.get(
    '/readyz',
    { ...open, schema: { tags: ['Operations'], summary: 'Can it serve requests?', response: { 200: readiness } } },
    async request => {
      if (health.isStopping()) throw problem('not-ready', 'This node is stopping.')
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
      return { status: 'ok', checks }
    },
  )
}
