/** Answers AuthZEN's question. Whoever nobody knows may do nothing: that is an answer, and no 404. */
import { inTenant, type TenantTx } from '@signet/db'
import { type InputFault, isId, problem, type TenantId } from '@signet/kernel'
import { type Decision, findQuestionFault, unknownSubject } from '@signet/verifier/policies'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { findSubjects, withBundle } from '../bundles/index.ts'
import { mayAskAbout } from './policy.ts'
import type { Evaluation, Evaluations, EvaluationsSemantic } from './schema.ts'

/** Somebody who is signed in; undefined for a service that shows its key. */
export type Asker = Caller | undefined

interface Asked {
  readonly evaluation: Evaluation
  /** JSON pointer of the question in the body. */
  readonly at: string
}

export interface Answered {
  readonly decision: Decision
  readonly isExplained: boolean
}

/** @throws Problem `forbidden`, `invalid-input` */
export async function evaluate(deps: Deps, asker: Asker, evaluation: Evaluation): Promise<Answered> {
  const [answer] = await answerAll(deps, asker, [{ evaluation, at: '' }], 'execute_all')
  return answer as Answered
}

/**
 * As many answers as there are questions, or fewer where the first deny or permit decides for all.
 * @throws Problem `forbidden`, `invalid-input`
 */
export function evaluateAll(
  deps: Deps,
  asker: Asker,
  { evaluations = [], options, ...defaults }: Evaluations,
): Promise<Answered[]> {
  const faults: InputFault[] = []
  const asked = evaluations.map((own, index): Asked => {
    const at = `/evaluations/${index}`
    return { evaluation: complete({ ...defaults, ...own }, at, faults), at }
  })
  if (faults.length > 0) throw problem('invalid-input', undefined, { errors: faults })
  return answerAll(deps, asker, asked, options?.evaluations_semantic ?? 'execute_all')
}

/** The top level as a question. @throws Problem `invalid-input` */
export function questionOf(body: Evaluations): Evaluation {
  const faults: InputFault[] = []
  const evaluation = complete(body, '', faults)
  if (faults.length > 0) throw problem('invalid-input', undefined, { errors: faults })
  return evaluation
}

function complete({ subject, action, resource, context }: Evaluations, at: string, faults: InputFault[]): Evaluation {
  for (const [name, value] of Object.entries({ subject, action, resource })) {
    if (value === undefined) faults.push({ pointer: `${at}/${name}`, message: 'is required here or at the top level' })
  }
  return { subject, action, resource, ...(context === undefined ? {} : { context }) } as Evaluation
}

async function answerAll(
  deps: Deps,
  caller: Asker,
  asked: readonly Asked[],
  semantic: EvaluationsSemantic,
): Promise<Answered[]> {
  assertReadable(asked)
  if (caller === undefined) {
    const tenantId = tenantOf(asked)
    return inTenant(deps.db, tenantId, tx => decideAll(tx, tenantId, asked, semantic))
  }
  const rule = mayAskAbout(asked.map(({ evaluation }) => evaluation.subject.id))
  return actAs(deps, caller, rule, tx => decideAll(tx, caller.tenantId, asked, semantic))
}

async function decideAll(
  tx: TenantTx,
  tenantId: TenantId,
  asked: readonly Asked[],
  semantic: EvaluationsSemantic,
): Promise<Answered[]> {
  const ids = new Set(asked.map(({ evaluation }) => evaluation.subject.id).filter(isId))
  const subjects = await findSubjects(tx, tenantId, [...ids])
  if (subjects.size === 0) return answerUntil(asked, semantic, () => nobody)
  return withBundle(tx, tenantId, ({ decider }) =>
    answerUntil(asked, semantic, ({ subject: { id, properties }, action, resource, context }) => {
      const isElsewhere = properties?.tenant_id !== undefined && properties.tenant_id !== tenantId
      const subject = isElsewhere ? undefined : subjects.get(id)
      if (subject === undefined) return nobody
      return decider.decide({ subject, action: action.name, resource, context: withoutExplain(context) })
    }),
  )
}

const nobody: Decision = {
  decision: false,
  reasons: [unknownSubject('Nobody of this id may do anything in this tenant now.')],
}

const lastDecisions: Readonly<Record<EvaluationsSemantic, boolean | undefined>> = {
  execute_all: undefined,
  deny_on_first_deny: false,
  permit_on_first_permit: true,
}

function answerUntil(
  asked: readonly Asked[],
  semantic: EvaluationsSemantic,
  decide: (evaluation: Evaluation) => Decision,
): Answered[] {
  const answers: Answered[] = []
  for (const { evaluation } of asked) {
    const decision = decide(evaluation)
    answers.push({ decision, isExplained: evaluation.context?.explain === true })
    if (decision.decision === lastDecisions[semantic]) break
  }
  return answers
}

function withoutExplain({
  explain: _explain,
  ...context
}: NonNullable<Evaluation['context']> = {}): Record<string, unknown> {
  return context
}

/** Before anybody is looked up, so that the answer depends on nothing that exists. @throws Problem `invalid-input` */
function assertReadable(asked: readonly Asked[]): void {
  const errors = asked.flatMap(({ evaluation: { resource, context }, at }) => {
    const fault = findQuestionFault({ resource, context: withoutExplain(context) })
    return fault === undefined ? [] : [{ pointer: `${at}${fault.pointer}`, message: fault.message }]
  })
  if (errors.length > 0) throw problem('invalid-input', undefined, { errors })
}

/** What a service asks about in one call belongs to one tenant, which it names. @throws Problem `invalid-input` */
function tenantOf(asked: readonly Asked[]): TenantId {
  const named = asked.map(({ evaluation }) => evaluation.subject.properties?.tenant_id)
  const errors = named.flatMap((id, index) => {
    const pointer = `${asked[index]?.at}/subject/properties/tenant_id`
    if (id === undefined)
      return [{ pointer, message: 'is required with a service key: the tenant that is asked about' }]
    return id === named[0] ? [] : [{ pointer, message: 'must be the same in all questions of a call' }]
  })
  if (errors.length > 0) throw problem('invalid-input', undefined, { errors })
  return named[0] as TenantId
}
