// Why a decision is as it is, for people who read it in a log: each reason is a sentence, with what it names beside it.
// The shapes are fixed; other programs read them. Everywhere the same words: offline, by the API, in a log.

import type { BundlePolicy, BundleRole, BundleStatement } from './bundle.ts'
import type { QuestionFault, Subject } from './question.ts'

export interface Explanation {
  readonly decision: boolean
  /** What decided: never empty. */
  readonly reasons: readonly Reason[]
}

export type Decision = Explanation

export type Reason =
  /** A role holds the permission. */
  | { readonly type: 'role'; readonly permission: string; readonly role: Named; readonly message: string }
  /** Nobody could look further than the token, which lists the permission or does not. */
  | { readonly type: 'token'; readonly permission: string; readonly message: string }
  /** A statement of a policy permits or forbids. */
  | ({ readonly type: 'permit' | 'forbid' } & Deciding)
  /** A condition cannot be evaluated: a forbid denies then, a permit permits nothing. */
  | ({ readonly type: 'forbid-error' | 'permit-error'; readonly error: string } & Deciding)
  /** Nothing gives the permission. */
  | { readonly type: 'missing'; readonly permission: string; readonly message: string }
  /** The client of this sub-client may not; its reasons follow. */
  | { readonly type: 'ceiling'; readonly permission: string; readonly client: string; readonly message: string }
  /** The question cannot be put to the policies. */
  | { readonly type: 'question'; readonly pointer: string; readonly message: string }
  /** Nobody of this tenant who may do anything. */
  | { readonly type: 'subject'; readonly message: string }

export interface Named {
  readonly id: string
  readonly name: string
}

interface Deciding {
  readonly permission: string
  readonly policy: Named
  /** 1 for the first of the policy. */
  readonly statement: number
  /** Of the policy's text, 1-based. */
  readonly line: number
  readonly message: string
}

export interface Origin {
  readonly policy: BundlePolicy
  readonly statement: BundleStatement
}

export function byRole({ id, name }: BundleRole, permission: string): Reason {
  return {
    type: 'role',
    permission,
    role: { id, name },
    message: `The role ${name} holds the permission ${permission}.`,
  }
}

export function byStatement(origin: Origin, permission: string): Reason {
  const { effect } = origin.statement
  const message = `${describe(origin)} ${effect}s ${permission}.`
  return { type: effect, permission, ...namesOf(origin), message }
}

export function byError(origin: Origin, permission: string, error: string): Reason {
  const { effect } = origin.statement
  const outcome = effect === 'forbid' ? `so it forbids ${permission}` : 'so it permits nothing'
  const message = `${describe(origin)} cannot be evaluated, ${outcome}: ${error}.`
  return { type: `${effect}-error`, permission, ...namesOf(origin), error, message }
}

export function missing({ roles }: Subject, permission: string, isKnown: boolean): Reason {
  const why = isKnown
    ? `which ${roles.length === 0 ? 'no role gives' : `none of the roles (${roles.join(', ')}) holds`} and no policy permits here`
    : 'which is not in the catalogue of this tenant'
  return { type: 'missing', permission, message: `This needs the permission ${permission}, ${why}.` }
}

export function beyondClient(client: Subject, permission: string): Reason {
  const message = `A sub-client may do only what its client may, and the client ${client.id} may not do ${permission} here.`
  return { type: 'ceiling', permission, client: client.id, message }
}

export function unaskable({ pointer, message }: QuestionFault): Reason {
  return { type: 'question', pointer, message: `No policy can read this question: ${pointer || 'it'} ${message}.` }
}

/** For whoever looks a subject up and finds nobody. */
export function unknownSubject(message: string): Reason {
  return { type: 'subject', message }
}

function describe({ policy, statement }: Origin): string {
  return `Statement ${statement.number} (line ${statement.line}) of the policy ${policy.name}`
}

function namesOf({ policy, statement }: Origin) {
  return { policy: { id: policy.id, name: policy.name }, statement: statement.number, line: statement.line }
}
