import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { findSelfInPerson } from '../sessions/index.ts'
import { PasswordChange } from './schema.ts'
import { changePassword } from './service.ts'

export function servePassword(app: App, deps: Deps): void {
  app.put(
    '/api/v1/me/password',
    {
      config: { access: {} },
      schema: {
        tags: ['People'],
        summary: 'Change my password',
        description:
          'Ends all other sessions of the person and takes their refresh key away. They get a notice by mail.',
        body: PasswordChange,
        response: { 204: Type.Null(), ...problemResponses(400, 401, 403, 409, 503) },
      },
    },
    async (request, reply) => {
      const leave = { beforePasswordChange: true } as const
      const self = await findSelfInPerson(deps, request.principal, describeRequest(request), leave)
      await changePassword(deps, self, request.body)
      return reply.code(204).send(null)
    },
  )
}
