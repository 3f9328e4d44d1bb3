// What is asked. Types, ids, properties and context come from callers and are data: they reach Cedar as values, never as text.

import type { CedarValue } from './engine.ts'

export interface Question {
  readonly subject: Subject
  /** A permission, `resource:verb`. */
  readonly action: string
  readonly resource: Resource
  readonly context?: Readonly<Record<string, unknown>>
}

/** Who is asked about, as the tenant knows them: the claims of a token say the same. */
export interface Subject {
  /** User id. */
  readonly id: string
  readonly kind: string
  /** Names of roles. */
  readonly roles: readonly string[]
  /** A sub-client's client: the sub-client may do only what its client may as well. */
  readonly ceiling?: Subject
  /** Staff of the platform are bound by no policy: somebody has to be able to mend them. */
  readonly isExempt?: boolean
}

export interface Resource {
  /** `Invoice`, `Billing::Invoice`. */
  readonly type: string
  readonly id: string
  readonly properties?: Readonly<Record<string, unknown>>
}

/** Why a question cannot be asked of a policy, with the JSON pointer of what is wrong. */
export interface QuestionFault {
  readonly pointer: string
  readonly message: string
}

const maxDepth = 32
const maxTypeLength = 128
const typePattern = /^[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*$/
// Cedar keeps these words for itself.
const reservedWords = new Set(['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has', '__cedar'])
const reservedMembers = new Set(['__entity', '__extn', '__expr'])

/**
 * The first thing in the resource or the context that no policy could read: a type that is no name, a text that is not
 * Unicode, what is nested too deeply, or a member by which Cedar would take a value for something else.
 */
export function findQuestionFault({
  resource,
  context,
}: Pick<Question, 'resource' | 'context'>): QuestionFault | undefined {
  if (!isTypeName(resource.type)) {
    const message = `must be a name of at most ${maxTypeLength} letters, digits and _ that Cedar has not reserved, or several with :: between them`
    return { pointer: '/resource/type', message }
  }
  if (!isUnicode(resource.id)) return { pointer: '/resource/id', message: 'must be well-formed Unicode' }
  return (
    findValueFault(resource.properties ?? {}, '/resource/properties', 0) ?? findValueFault(context ?? {}, '/context', 0)
  )
}

/**
 * Members that are null are left out: Cedar has no null. A number that is no whole number becomes text, for Cedar's
 * `decimal()` to read: it has no floating point.
 */
export function toCedarRecord(record: Readonly<Record<string, unknown>> = {}): Record<string, CedarValue> {
  const members: [string, CedarValue][] = []
  for (const [name, value] of Object.entries(record)) {
    if (value !== null && value !== undefined) members.push([name, toCedarValue(value)])
  }
  return Object.fromEntries(members)
}

function toCedarValue(value: unknown): CedarValue {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value)
  if (Array.isArray(value)) return value.filter(item => item !== null && item !== undefined).map(toCedarValue)
  return toCedarRecord(value as Record<string, unknown>)
}

function findValueFault(value: unknown, pointer: string, depth: number): QuestionFault | undefined {
  if (depth > maxDepth) return { pointer: '', message: `nothing may be nested deeper than ${maxDepth} levels` }
  if (value === undefined || value === null || typeof value === 'boolean') return undefined
  if (typeof value === 'object') return findMemberFault(value, pointer, depth)
  if (typeof value === 'string') {
    return isUnicode(value) ? undefined : { pointer, message: 'must be well-formed Unicode' }
  }
  return typeof value === 'number' && Number.isFinite(value) ? undefined : { pointer, message: 'must be JSON' }
}

function findMemberFault(value: object, pointer: string, depth: number): QuestionFault | undefined {
  for (const [name, member] of Object.entries(value)) {
    const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (!isUnicode(name)) return { pointer, message: 'must have names of well-formed Unicode' }
    if (reservedMembers.has(name)) return { pointer: at, message: 'is a name that Cedar has reserved' }
    const fault = findValueFault(member, at, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}

function isTypeName(type: string): boolean {
  return (
    type.length <= maxTypeLength && typePattern.test(type) && !type.split('::').some(part => reservedWords.has(part))
  )
}

// Half of a surrogate pair, which JSON can spell and UTF-8 cannot.
const loneSurrogate = /\p{Surrogate}/u

function isUnicode(text: string): boolean {
  return !loneSurrogate.test(text)
}
