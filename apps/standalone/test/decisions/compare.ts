/** One question, asked of both: of a verifier, which decides offline, and of the decision API, which is right. */
import { isDeepStrictEqual } from 'node:util'
import type { Principal, Resource } from '@signet/verifier'
import { type Decision, findQuestionFault } from '@signet/verifier/policies'
import { type Company, listAskable, type Person, pick } from './companies.ts'
import { type Caller, type Installation, serviceKey } from './installation.ts'
import type { Question } from './questions.ts'

export interface Asked {
  readonly permission: string
  readonly resource: Resource | undefined
}

/** The question with the names and ids of the company. */
export function fillIn(company: Company, person: Person, { permission, resource }: Question): Asked {
  const known = new Map([
    ['$me', person.id],
    ['$person', company.people[0]?.id],
    ['$role', company.own[0]?.id],
    ['$tenant', company.id],
  ])
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return known.get(value) ?? value
    if (Array.isArray(value)) return value.map(fill)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fill(member)]))
  }
  return {
    permission: typeof permission === 'string' ? permission : (pick(listAskable(company), permission) ?? ''),
    resource: fill(resource) as Resource | undefined,
  }
}

/** What the decision API says, by up to a hundred questions a call. @throws Error for anything but an answer */
async function askApi(
  { administer }: Installation,
  { id: tenant }: Company,
  person: Person,
  asked: readonly Asked[],
  caller: Caller,
): Promise<Decision[]> {
  const isService = caller.key !== undefined
  const subject = { type: 'user', id: person.id, ...(isService ? { properties: { tenant_id: tenant } } : {}) }
  const evaluations = asked.map(({ permission, resource = { type: 'Tenant', id: tenant } }) => ({
    action: { name: permission },
    resource,
  }))
  const body = { subject, evaluations, context: { explain: true } }
  const answer = await administer(caller, 'POST', '/access/v1/evaluations', body)
  if (answer.status !== 200) throw new Error(`The decision API answered ${answer.status} ${answer.text}`)
  return answer.body.evaluations.map(({ decision, context }: { decision: boolean; context: Decision }) => ({
    decision,
    reasons: context.reasons,
  }))
}

/** @returns how many questions were asked. @throws Error that shows a question on which the two differ */
export async function compareAll(
  to: Installation,
  company: Company,
  person: Person,
  principal: Principal,
  asked: readonly Asked[],
): Promise<number> {
  const readable = asked.filter(({ resource }) => resource === undefined || !isFaulty(resource))
  const unreadable = asked.filter(({ resource }) => resource !== undefined && isFaulty(resource))
  const caller = asked.length % 2 === 0 ? { key: serviceKey } : { token: person.tokens.access_token }
  const answers = readable.length === 0 ? [] : await askApi(to, company, person, readable, caller)
  for (const [index, each] of readable.entries()) {
    assertEqual(company, person, principal, each, answers[index])
  }
  for (const half of [true, false]) {
    const alike = unreadable.filter(each => isHalf(each) === half)
    await compareUnreadable(to, company, person, principal, alike)
  }
  return asked.length
}

/**
 * What no policy can read the API does not take at all, and says what is wrong with it. The verifier says the same where
 * a policy has a say; elsewhere roles decide, whatever the resource.
 */
async function compareUnreadable(
  to: Installation,
  company: Company,
  person: Person,
  principal: Principal,
  asked: readonly Asked[],
): Promise<void> {
  if (asked.length === 0) return
  const caller = { token: person.tokens.access_token }
  const subject = { type: 'user', id: person.id }
  const evaluations = asked.map(({ permission, resource }) => ({ action: { name: permission }, resource }))
  const refused = await to.administer(caller, 'POST', '/access/v1/evaluations', { subject, evaluations })
  const errors: { readonly pointer: string; readonly message: string }[] = refused.body?.errors ?? []
  if (refused.status !== 400 || errors.length !== asked.length) {
    throw new Error(`The decision API was to refuse ${asked.length} questions: ${refused.status} ${refused.text}`)
  }
  const neutral = asked.map(({ permission }) => ({ permission, resource: undefined }))
  const answers = await askApi(to, company, person, neutral, caller)
  for (const [index, each] of asked.entries()) {
    const at = `/evaluations/${index}`
    const error = errors.find(({ pointer }) => pointer === at || pointer.startsWith(`${at}/`))
    const pointer = error?.pointer.slice(at.length) ?? 'nowhere'
    // Half of a surrogate pair is refused on the wire already, in the words of every route.
    const why = isHalf(each) ? halfMessage : (error?.message ?? '')
    const message = `No policy can read this question: ${pointer || 'it'} ${why}.`
    const said = principal.explain(each.permission, each.resource).reasons
    const byCeiling = said.filter(({ type }) => type === 'ceiling')
    const byQuestion = { decision: false, reasons: [...byCeiling, { type: 'question' as const, pointer, message }] }
    const isByPolicy = said.some(({ type }) => type === 'question')
    assertEqual(company, person, principal, each, isByPolicy ? byQuestion : answers[index])
  }
}

const halfMessage = 'must be well-formed Unicode'

function isHalf({ resource }: Asked): boolean {
  return resource !== undefined && findQuestionFault({ resource })?.message === halfMessage
}

export function explainAll(principal: Principal, asked: readonly Asked[]): unknown[] {
  return asked.map(({ permission, resource }) => attempt(() => principal.explain(permission, resource)))
}

export interface Answered extends Asked {
  readonly answer: Decision
}

/** What of the questions the API can read, with its answers. */
export async function answerReadable(
  to: Installation,
  company: Company,
  person: Person,
  asked: readonly Asked[],
): Promise<Answered[]> {
  const readable = asked.filter(({ resource }) => resource === undefined || !isFaulty(resource))
  const answers = await askApi(to, company, person, readable, { key: serviceKey })
  return readable.flatMap((each, index) => (answers[index] === undefined ? [] : { ...each, answer: answers[index] }))
}

/** The decision alone: a token knows no reasons. @throws Error that shows a question on which the two differ */
export function assertPermits(
  company: Company,
  person: Person,
  principal: Principal,
  answered: readonly Answered[],
): void {
  for (const { answer, ...asked } of answered) {
    const may = attempt(() => principal.can(asked.permission, asked.resource))
    if (may !== answer.decision) throw new Error(describe(company, person, principal, asked, { api: answer, can: may }))
  }
}

function isFaulty(resource: Resource): boolean {
  return findQuestionFault({ resource }) !== undefined
}

/** How often a reason of each type was given. */
export const tally = new Map<string, number>()

function assertEqual(
  company: Company,
  person: Person,
  principal: Principal,
  { permission, resource }: Asked,
  expected: Decision | undefined,
): void {
  const said = attempt(() => principal.explain(permission, resource))
  const may = attempt(() => principal.can(permission, resource))
  if (isDeepStrictEqual(said, expected) && may === expected?.decision) {
    for (const { type } of expected.reasons) tally.set(type, (tally.get(type) ?? 0) + 1)
    return
  }
  throw new Error(
    describe(company, person, principal, { permission, resource }, { api: expected, explain: said, can: may }),
  )
}

function attempt<T>(work: () => T): T | string {
  try {
    return work()
  } catch (error) {
    return String(error)
  }
}

/** Everything that one needs to ask it again by hand. */
function describe(
  { policies, isPlatform }: Company,
  { kind }: Person,
  { claims }: Principal,
  asked: Asked,
  answers: object,
): string {
  const texts = [...policies.values()].map(({ source, holders }) => `${source}\n  at ${[...holders].join(', ')}`)
  return [
    `The two differ about a ${kind}${isPlatform ? ' of the platform' : ''}: ${JSON.stringify(asked)}`,
    ...Object.entries(answers).map(([name, answer]) => `${name}: ${JSON.stringify(answer)}`),
    JSON.stringify(claims),
    ...texts,
  ].join('\n')
}
