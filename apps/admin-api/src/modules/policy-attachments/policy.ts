import { holds, lackedPermissions, type Policy, type RoleId, type UserId } from '@signet/kernel'

/** A person or a role to which policies are attached. */
export type Holder = (
  | { readonly type: 'user'; readonly id: UserId }
  | { readonly type: 'role'; readonly id: RoleId }
) & {
  /** What the person may at most; what the role gives or withholds. */
  readonly held: readonly string[]
  readonly version: number
}

type AttachmentAction = 'policies:read' | 'policies:modify'

/** Nobody acts on a person or a role that holds more than they do. */
function attachmentPolicyOf(hidden: 'user-not-found' | 'role-not-found'): Policy<AttachmentAction, Holder> {
  return {
    see: 'policies:read',
    hidden,
    rules: {
      'policies:read': holds('policies:read'),
      'policies:modify': (actor, { type, held }) => {
        const verdict = holds('policies:modify')(actor, null)
        if (verdict !== true) return verdict
        const lacked = lackedPermissions(actor, held)
        const what = type === 'user' ? 'This person holds' : 'This role gives or withholds'
        return lacked.length === 0 || `${what} permissions that you lack: ${lacked.join(', ')}.`
      },
    },
  }
}

export const attachmentPolicies = {
  user: attachmentPolicyOf('user-not-found'),
  role: attachmentPolicyOf('role-not-found'),
}
