/** Which older systems this program answers for. */
import { describeOlderSystems } from '@signet/http'
import type { CompatDeps } from './compat-deps.ts'
import { serveEngIdentity } from './eng-identity.ts'
import { serveIamRs256 } from './iam-rs256.ts'
import { servePmIdentityApi } from './pm-identity-api/index.ts'

export const olderSystems = describeOlderSystems<CompatDeps>({
  'eng-identity': serveEngIdentity,
  'iam-rs256': serveIamRs256,
  'pm-identity-api': servePmIdentityApi,
})
