/**
 * The one route of scalable-auth that is a map directory's. Failures are problem documents, in whose `detail` its callers read what
 * they have always read there.
 */
import type { Database } from '@signet/db'
import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'
import { listAllPlaces, Place } from '../modules/places/index.ts'

export function serveScalableAuth(app: App, db: Database): void {
  app.get(
    '/mapdirectory/places/all',
    {
      config: { access: { permissions: ['places:read'] } },
      schema: {
        tags: ['scalable-auth'],
        operationId: 'listAllPlaces',
        summary: 'All places at once',
        description: 'A bare list, for callers that keep a copy. Others read `GET /places` page by page.',
        response: { 200: Type.Array(Place), ...problemResponses(401, 403, 503) },
      },
    },
    async () => listAllPlaces(db),
  )
}
