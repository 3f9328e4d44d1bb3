// What the roles and policies of one tenant say, in one version: plain data, so that whoever holds it decides the same.

export interface Bundle {
  /** Rises with each change of a role or a policy. */
  readonly version: number
  /** Tenant id. */
  readonly tenant: string
  /** The permissions that a policy of this tenant can give: nothing else exists for it, whatever a statement names. */
  readonly permissions: readonly string[]
  readonly roles: readonly BundleRole[]
  readonly policies: readonly BundlePolicy[]
}

/** Names are unique in a tenant: a token names roles. */
export interface BundleRole {
  readonly id: string
  readonly name: string
  readonly permissions: readonly string[]
}

export interface BundlePolicy {
  readonly id: string
  readonly name: string
  /** Cedar text of one or more statements. */
  readonly source: string
  /** In the order of the text. */
  readonly statements: readonly BundleStatement[]
  readonly attachments: readonly Attachment[]
}

export interface BundleStatement {
  /** 1 for the first of the text. */
  readonly number: number
  /** Where it begins in the text, 1-based. */
  readonly line: number
  readonly effect: 'permit' | 'forbid'
  /** The permissions in its scope; null for every one. */
  readonly actions: readonly string[] | null
  /** It speaks of those the policy is attached to (`?principal`), else of everybody in the tenant. */
  readonly isTemplate: boolean
}

export interface Attachment {
  readonly type: 'user' | 'role'
  readonly id: string
}
