// Decisions with Cedar, for whoever holds a bundle: the same code and the same words wherever it is asked.

import type { Bundle } from './bundle.ts'
import { preparePolicies } from './cedar.ts'
import { createDecider as createDeciderWith, type Decider } from './decider.ts'

export type { Attachment, Bundle, BundlePolicy, BundleRole, BundleStatement } from './bundle.ts'
export type { Decider } from './decider.ts'
export { findQuestionFault, type Question, type QuestionFault, type Resource, type Subject } from './question.ts'
export { type Decision, type Reason, unknownSubject } from './reasons.ts'

/** Nothing is prepared before a question needs it: by roles alone Cedar is never loaded. */
export function createDecider(bundle: Bundle): Decider {
  return createDeciderWith(bundle, preparePolicies)
}
