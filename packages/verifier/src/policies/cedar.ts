// Cedar is megabytes of WebAssembly: it is loaded when the first policy has to be asked, once a process. What it has prepared
// it keeps by name until something else is prepared under the same name, so names are used again.

import { createRequire } from 'node:module'
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { PolicyEngine } from './engine.ts'

let cedar: typeof Cedar | undefined
const freeNames: string[] = []
let namesGiven = 0

/** The engine, where Cedar is installed. @throws Error where it is not */
export function loadEngine(): PolicyEngine {
  loadCedar()
  return preparePolicies
}

// Synchronous, so that whoever holds a bundle can decide within one statement.
function loadCedar(): typeof Cedar {
  cedar ??= createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as typeof Cedar
  return cedar
}

export const preparePolicies: PolicyEngine = texts => {
  const { preparsePolicySet, statefulIsAuthorized } = loadCedar()
  const name = freeNames.pop() ?? `policies ${++namesGiven}`
  const outcome = preparsePolicySet(name, texts)
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
