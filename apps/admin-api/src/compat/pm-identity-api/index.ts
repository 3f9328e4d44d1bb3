/**
 * Routes of pm-identity-api (CONTRACT section 5). Failures are `{ message, errors? }`, lists are bare arrays, and members that
 * nobody knows are ignored. Each route calls the service of the native one: what may be done is decided there.
 */
import { answerInMessages, type App } from '@signet/http'
import type { Deps } from '../../deps.ts'
import { readEmptyAsNull } from './bodies.ts'
import { serveAssignments } from './assignments.ts'
import { serveCompanies } from './companies.ts'
import { serveDirectory } from './directory.ts'
import { serveImages } from './images.ts'
import { serveInitDb } from './init-db.ts'
import { servePermissions } from './permissions.ts'
import { servePositions } from './positions.ts'
import { serveUnits } from './units.ts'
import { serveUsers } from './users.ts'
import { wordings } from './wordings.ts'

/** Call it in a scope of its own: whatever fails there is answered in the form of pm-identity-api. */
export async function servePmIdentityApi(scope: App, deps: Deps): Promise<void> {
  answerInMessages(scope, wordings)
  readEmptyAsNull(scope)
  serveInitDb(scope, deps)
  serveUsers(scope, deps)
  serveAssignments(scope, deps)
  servePermissions(scope, deps)
  serveCompanies(scope, deps)
  serveUnits(scope, deps)
  servePositions(scope, deps)
  serveDirectory(scope, deps)
  await serveImages(scope, deps)
}
