// What decides by policies, in the words of Cedar: types of our own, so that nobody needs Cedar's to compile.

export type CedarValue = string | number | boolean | CedarValue[] | { [name: string]: CedarValue }

export interface EntityId {
  readonly type: string
  readonly id: string
}

export interface PolicyCall {
  readonly principal: EntityId
  readonly action: EntityId
  readonly resource: EntityId
  readonly context: Record<string, CedarValue>
  readonly entities: { uid: EntityId; attrs: Record<string, CedarValue>; parents: EntityId[] }[]
}

export interface PolicyAnswer {
  /** Ids of the statements that decided. */
  readonly deciding: readonly string[]
  readonly errors: readonly { readonly id: string; readonly message: string }[]
}

/** Texts by their ids, and whom templates are attached to. */
export interface PolicyTexts {
  readonly staticPolicies: Record<string, string>
  readonly templates: Record<string, string>
  readonly templateLinks: { templateId: string; newId: string; values: Record<string, EntityId> }[]
}

export interface PreparedPolicies {
  /** @throws Error for a question that Cedar cannot read */
  ask(call: PolicyCall): PolicyAnswer
  /** Gives the memory back; nothing may be asked any more. */
  release(): void
}

/** @throws Error for text that Cedar refuses: it was not what has been checked when it was written */
export type PolicyEngine = (texts: PolicyTexts) => PreparedPolicies
