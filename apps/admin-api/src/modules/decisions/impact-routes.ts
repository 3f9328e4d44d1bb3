import { type App, problemResponses } from '@signet/http'
import type { RoleId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { type Impact, previewRoleChange } from './impact.ts'
import { ImpactQuery, ImpactView, ProposedChange, RoleRef } from './schema.ts'

export function serveImpact(app: App, deps: Deps): void {
  app.post(
    '/roles/:id/impact',
    {
      config: { access: {} },
      schema: {
        tags: ['Decisions'],
        operationId: 'previewRoleChange',
        summary: 'Who would gain and lose what',
        description:
          'Makes the change as `PATCH /admin/v1/roles/{id}` and `PUT /admin/v1/roles/{id}/policies/{policy_id}` would, looks at ' +
          'everybody whom it concerns (who has the role, and the sub-clients of those), and undoes it. Needs `roles:modify` ' +
          'and all that the change itself needs; names are shown to whoever has `users:list`.',
        params: RoleRef,
        querystring: ImpactQuery,
        body: ProposedChange,
        response: {
          200: ImpactView,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'role-not-found',
            'policy-not-found',
            'built-in-role',
            413,
            415,
            'unknown-permission',
            'policy-not-attachable',
            503,
          ),
        },
      },
    },
    async request => {
      const { params, body, query } = request
      return present(await previewRoleChange(deps, callerOf(request), params.id as RoleId, body, query))
    },
  )
}

function present({ items, nextCursor, total }: Impact): ImpactView {
  return {
    items: items.map(({ userId, name, gains, loses, mayGain, mayLose }) => ({
      user_id: userId,
      name,
      gains: [...gains],
      loses: [...loses],
      may_gain: [...mayGain],
      may_lose: [...mayLose],
    })),
    next_cursor: nextCursor,
    total,
  }
}
