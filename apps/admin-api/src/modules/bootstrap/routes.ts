import { passwordProblems } from '@signet/accounts'
import { type App, problemResponses } from '@signet/http'
import type { Deps } from '../../deps.ts'
import { BootstrapInput, Bootstrapped, BootstrapState } from './schema.ts'
import { assertMaySetUp, bootstrapInstallation, isInitialised } from './service.ts'
import { describeSetupCaller } from './setup-caller.ts'

const config = { access: 'public' } as const
const tags = ['Setup']

export function serveBootstrap(app: App, deps: Deps): void {
  app.get(
    '/bootstrap',
    {
      config,
      schema: {
        tags,
        operationId: 'readBootstrap',
        summary: 'Is the installation initialised?',
        description: 'For installers. Says nothing else.',
        response: { 200: BootstrapState, ...problemResponses(503) },
      },
    },
    async () => ({ initialised: await isInitialised(deps) }),
  )

  app.post(
    '/bootstrap',
    {
      config,
      // Before the body is read: a stranger is told nothing about it.
      onRequest: async request => assertMaySetUp(deps, describeSetupCaller(request)),
      schema: {
        tags,
        operationId: 'bootstrap',
        summary: 'Initialise the installation',
        description:
          'Once: the platform, a first company, and the administrator of both. From this machine itself, or with ' +
          '`Authorization: Bearer <SETUP_TOKEN>`.',
        body: BootstrapInput,
        response: {
          201: Bootstrapped,
          ...problemResponses(
            400,
            ...passwordProblems,
            401,
            'setup-token-invalid',
            'already-bootstrapped',
            413,
            415,
            503,
            'hashing-busy',
          ),
        },
      },
    },
    async (request, reply) => {
      const made = await bootstrapInstallation(deps, request.body, { id: request.id, ip: request.ip })
      return reply.code(201).send(made)
    },
  )
}
