/** Two of the older systems say at their root that they run. */
import type { App } from '@signet/http'
import type { ReplacedSystem } from '@signet/kernel'
import { Type } from 'typebox'

const systems: readonly ReplacedSystem[] = ['eng-identity', 'scalable-auth']

export function serveRoot(app: App, { compat }: { readonly compat: ReadonlySet<ReplacedSystem> }): void {
  const [system] = systems.filter(name => compat.has(name))
  if (system === undefined) return
  app.get(
    '/',
    {
      config: { access: 'public' },
      schema: {
        tags: [system],
        operationId: 'readRoot',
        summary: 'Does it run?',
        description: 'Asks nobody: `/readyz` asks the database as well.',
        response: {
          200: Type.Object({
            service: Type.String({ examples: ['eng-identity'] }),
            status: Type.Literal('running'),
            detail: Type.String({ examples: ['Signet issuer is running'] }),
          }),
        },
      },
    },
    async () => ({ service: system, status: 'running' as const, detail: 'Signet issuer is running' }),
  )
}
