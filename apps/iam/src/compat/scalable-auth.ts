/**
 * The routes of scalable-auth (CONTRACT section 5). Failures are `{ "detail": … }`, unknown members are ignored. Its callers keep
 * secrets in addresses: the log writes the pattern of a route and never its address.
 */
import type { App } from '@signet/http'
import type { Deps } from '../deps.ts'
import { answerInDetail } from './detail-errors.ts'
import { serveAccounts } from './scalable-auth/accounts.ts'
import { serveCodes } from './scalable-auth/codes.ts'
import { serveShortKeys } from './scalable-auth/refresh-keys.ts'

/** Call it in a scope of its own. */
export function serveScalableAuth(scope: App, deps: Deps): void {
  answerInDetail(scope)
  serveCodes(scope, deps)
  serveAccounts(scope, deps)
  serveShortKeys(scope, deps)
}
