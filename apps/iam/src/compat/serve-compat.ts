/** Which older systems this program answers for. Of iam-rs256 all routes here are the native ones. */
import { describeOlderSystems } from '@signet/http'
import type { Deps } from '../deps.ts'
import { serveChatAuth } from './chat-auth.ts'
import { serveEngIdentity } from './eng-identity.ts'
import { servePmIdentityApi } from './pm-identity-api.ts'
import { serveScalableAuth } from './scalable-auth.ts'

export const olderSystems = describeOlderSystems<Deps>({
  'chat-auth': serveChatAuth,
  'eng-identity': serveEngIdentity,
  'pm-identity-api': servePmIdentityApi,
  'scalable-auth': serveScalableAuth,
})
