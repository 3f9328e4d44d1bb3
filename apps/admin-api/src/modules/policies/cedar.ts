/** Cedar's own parser, loaded when the first policy is written: it takes megabytes that a quiet program does not need. */
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'

export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs')
export type { PolicyJson }

export function loadCedar(): Promise<Cedar> {
  return import('@cedar-policy/cedar-wasm/nodejs')
}

/** What Cedar found, and at which byte of the text. */
export interface CedarFault {
  readonly message: string
  readonly byte: number
}

/** One statement as Cedar understands it. `hasSlot`: it names `?principal` or `?resource`, which Cedar calls a template. */
export function parseStatement(cedar: Cedar, text: string, hasSlot: boolean): PolicyJson | CedarFault {
  const answer = hasSlot ? cedar.templateToJson(text) : cedar.policyToJson(text)
  if (answer.type === 'success') return answer.json
  const [error] = answer.errors
  return { message: error === undefined ? 'cannot be parsed' : explain(error), byte: startOf(error) }
}

/** How many statements Cedar sees in a text that is well-formed; undefined for one that is not. */
export function countStatements(cedar: Cedar, source: string): number | undefined {
  const answer = cedar.policySetTextToParts(source)
  return answer.type === 'success' ? answer.policies.length + answer.policy_templates.length : undefined
}

/** The readable text of statements that were made of values, each of which Cedar escapes. */
export function writeStatement(cedar: Cedar, statement: PolicyJson, hasSlot: boolean): string | CedarFault {
  const answer = hasSlot ? cedar.templateToText(statement) : cedar.policyToText(statement)
  if (answer.type === 'failure') return { message: explain(answer.errors[0] as DetailedError), byte: 0 }
  const formatted = cedar.formatPolicies({ policyText: answer.text })
  return formatted.type === 'success' ? formatted.formatted_policy : answer.text
}

function startOf(error: DetailedError | undefined): number {
  return error?.sourceLocations?.[0]?.start ?? 0
}

function explain({ message, help, sourceLocations }: DetailedError): string {
  const what = message.replace(/^(failed to parse \w+ from \w+|error deserializing [^:]+): /g, '')
  const expected = sourceLocations?.[0]?.label
  return [
    expected === null || expected === undefined ? what : `${what}, ${expected}`,
    ...(help === null ? [] : [help]),
  ].join('; ')
}
