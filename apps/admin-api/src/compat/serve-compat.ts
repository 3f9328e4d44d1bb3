/** Which older systems this program answers for. */
import { describeOlderSystems } from '@signet/http'
import type { CompatDeps } from './compat-deps.ts'
import { serveEngIdentity } from './eng-identity.ts'
import { serveIamRs256 } from './iam-rs256.ts'

export const olderSystems = describeOlderSystems<CompatDeps>({
  'eng-identity': serveEngIdentity,
  'iam-rs256': serveIamRs256,
})
