export type { Attachment, Bundle, BundlePolicy, BundleRole, BundleStatement } from './bundle.ts'
export { createDecider, type Decider } from './decider.ts'
export { findQuestionFault, type Question, type QuestionFault, type Resource, type Subject } from './question.ts'
export { type Decision, type Reason, unknownSubject } from './reasons.ts'
