// Cedar is megabytes of WebAssembly: it is loaded when the first policy has to be asked, once a process. What it has prepared
// it keeps by name until something else is prepared under the same name, so names are used again.

import { createRequire } from 'node:module'
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs'

type PolicySet = Parameters<typeof Cedar.preparsePolicySet>[1]
export type CedarCall = Omit<
  Parameters<typeof Cedar.statefulIsAuthorized>[0],
  'preparsedPolicySetId' | 'validateRequest'
>

export interface CedarAnswer {
  /** Ids of the statements that decided. */
  readonly deciding: readonly string[]
  readonly errors: readonly { readonly id: string; readonly message: string }[]
}

export interface PreparedPolicies {
  /** @throws Error for a question that Cedar cannot read */
  ask(call: CedarCall): CedarAnswer
  /** Gives the memory back; nothing may be asked any more. */
  release(): void
}

let cedar: typeof Cedar | undefined
const freeNames: string[] = []
let namesGiven = 0

// Synchronous, so that whoever holds a bundle can decide within one statement.
function loadCedar(): typeof Cedar {
  cedar ??= createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as typeof Cedar
  return cedar
}

/** @throws Error for text that Cedar refuses: it was not what has been checked when it was written */
export function preparePolicies(policies: PolicySet): PreparedPolicies {
  const { preparsePolicySet, statefulIsAuthorized } = loadCedar()
  const name = freeNames.pop() ?? `policies ${++namesGiven}`
  const outcome = preparsePolicySet(name, policies)
  if (outcome.type === 'failure') {
    freeNames.push(name)
    throw new Error(`Cedar refuses a policy: ${outcome.errors.map(error => error.message).join('; ')}`)
  }
  return {
    ask(call) {
      const answer = statefulIsAuthorized({ ...call, preparsedPolicySetId: name, validateRequest: false })
      if (answer.type === 'failure') {
        throw new Error(`Cedar refuses a question: ${answer.errors.map(error => error.message).join('; ')}`)
      }
      const { reason, errors } = answer.response.diagnostics
      return {
        deciding: reason,
        errors: errors.map(({ policyId, error }) => ({ id: policyId, message: error.message })),
      }
    },
    release() {
      preparsePolicySet(name, {})
      freeNames.push(name)
    },
  }
}
