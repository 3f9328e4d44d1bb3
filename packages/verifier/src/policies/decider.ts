// Who may do what: by a permission of a role or by a permit of a policy, and any forbid wins. A forbid whose condition cannot
// be evaluated denies (Cedar alone would skip it), a permit that cannot permits nothing, and a sub-client may do only what
// its client may as well.

import type { Bundle, BundleRole } from './bundle.ts'
import type { PolicyEngine, PolicyTexts, PreparedPolicies } from './engine.ts'
import { findQuestionFault, type Question, type Resource, type Subject, toCedarRecord } from './question.ts'
import {
  beyondClient,
  byError,
  byRole,
  byStatement,
  type Decision,
  missing,
  type Origin,
  type Reason,
  unaskable,
} from './reasons.ts'
import { cutStatements } from './statement-text.ts'

/** Decides for one version of one tenant's bundle. */
export interface Decider {
  readonly version: number
  /** There is an engine, for what policies have a say in. */
  readonly isAble: boolean
  /**
   * Synchronous, and without any input or output.
   * @throws Error where a policy has a say and there is no engine
   */
  decide(question: Question): Decision
  /** What the subject may by roles alone, whatever the resource. */
  listOutright(subject: Subject): ReadonlySet<string>
  /** Has some policy a say in it? Otherwise roles alone decide. */
  isByPolicy(subject: Subject, action: string): boolean
  /** Gives back what was prepared; a later question prepares it again. */
  close(): void
}

/** Nothing is prepared before a question needs it: by roles alone the engine is never called. */
export function createDecider(bundle: Bundle, engine: PolicyEngine | undefined): Decider {
  return new BundleDecider(bundle, engine)
}

interface HeldRole extends BundleRole {
  readonly holds: ReadonlySet<string>
}

class BundleDecider implements Decider {
  readonly version: number
  readonly isAble: boolean
  readonly #bundle: Bundle
  readonly #engine: PolicyEngine | undefined
  readonly #roles: ReadonlyMap<string, HeldRole>
  readonly #catalogue: ReadonlySet<string>
  /** The permissions that some statement names; undefined where one names them all. */
  readonly #named: ReadonlySet<string> | undefined
  /** In the order of policies and statements: Cedar names what decided in none. */
  readonly #statements: Origin[] = []
  /** By the name that Cedar knows a statement or its link by. */
  readonly #origins = new Map<string, Origin>()
  #prepared: PreparedPolicies | undefined

  constructor(bundle: Bundle, engine: PolicyEngine | undefined) {
    this.version = bundle.version
    this.#bundle = bundle
    this.#engine = engine
    this.isAble = engine !== undefined
    this.#roles = new Map(bundle.roles.map(role => [role.name, { ...role, holds: new Set(role.permissions) }]))
    this.#catalogue = new Set(bundle.permissions)
    this.#named = namedBy(bundle)
  }

  decide(question: Question): Decision {
    const { subject, action } = question
    const own = this.#decideAlone(question)
    if (!own.decision || subject.ceiling === undefined) return own
    const { decision, reasons } = this.decide({ ...question, subject: subject.ceiling })
    return decision ? own : { decision, reasons: [beyondClient(subject.ceiling, action), ...reasons] }
  }

  listOutright(subject: Subject): ReadonlySet<string> {
    const { ceiling } = subject
    const held = subject.roles.flatMap(name => [...(this.#roles.get(name)?.holds ?? [])])
    const outright = held.filter(action => !this.#isBound(subject, action))
    if (ceiling === undefined) return new Set(outright)
    const above = this.listOutright(ceiling)
    return new Set(outright.filter(action => above.has(action)))
  }

  isByPolicy(subject: Subject, action: string): boolean {
    return this.#isBound(subject, action) || (subject.ceiling !== undefined && this.isByPolicy(subject.ceiling, action))
  }

  close(): void {
    this.#prepared?.release()
    this.#prepared = undefined
  }

  #decideAlone(question: Question): Decision {
    const { subject, action } = question
    const granted = this.#reasonsByRole(subject, action)
    const isKnown = this.#catalogue.has(action)
    if (!this.#isBound(subject, action)) return conclude(granted, [missing(subject, action, isKnown)])

    const fault = findQuestionFault(question)
    if (fault !== undefined) return { decision: false, reasons: [unaskable(fault)] }
    const { forbidden, permitted, unclear } = this.#ask(question)
    if (forbidden.length > 0) return { decision: false, reasons: forbidden }
    return conclude([...granted, ...permitted], [missing(subject, action, isKnown), ...unclear])
  }

  #isBound(subject: Subject, action: string): boolean {
    return subject.isExempt !== true && this.#catalogue.has(action) && (this.#named?.has(action) ?? true)
  }

  #reasonsByRole({ roles }: Subject, action: string): Reason[] {
    const reasons: Reason[] = []
    for (const name of roles) {
      const role = this.#roles.get(name)
      if (role?.holds.has(action) === true) reasons.push(byRole(role, action))
    }
    return reasons
  }

  #ask({ subject, action, resource, context }: Question) {
    this.#prepared ??= this.#prepare()
    const principal = { type: 'User', id: subject.id }
    const answer = this.#prepared.ask({
      principal,
      action: { type: 'Action', id: action },
      resource: { type: resource.type, id: resource.id },
      context: toCedarRecord(context),
      entities: this.#describe(subject, resource),
    })
    // A template that holds by two roles decides twice and is named once.
    const deciding = new Set(answer.deciding.map(id => this.#originOf(id)))
    const failing = new Map(answer.errors.map(({ id, message }) => [this.#originOf(id), message]))
    const forbidden: Reason[] = []
    const permitted: Reason[] = []
    const unclear: Reason[] = []
    for (const origin of this.#statements) {
      const isForbid = origin.statement.effect === 'forbid'
      const error = failing.get(origin)
      if (deciding.has(origin)) (isForbid ? forbidden : permitted).push(byStatement(origin, action))
      else if (error !== undefined) (isForbid ? forbidden : unclear).push(byError(origin, action, error))
    }
    return { forbidden, permitted, unclear }
  }

  /** A question about oneself is about one entity: what a caller says of it never replaces what is known of it. */
  #describe(subject: Subject, resource: Resource) {
    const roles = subject.roles.flatMap(name => this.#roles.get(name) ?? [])
    const known = { id: subject.id, kind: subject.kind, tenant_id: this.#bundle.tenant, roles: [...subject.roles] }
    const parents = roles.map(role => ({ type: 'Role', id: role.id }))
    const properties = toCedarRecord(resource.properties)
    const principal = { uid: { type: 'User', id: subject.id }, attrs: known, parents }
    if (resource.type === 'User' && resource.id === subject.id) {
      return [{ ...principal, attrs: { ...properties, ...known } }]
    }
    return [principal, { uid: { type: resource.type, id: resource.id }, attrs: properties, parents: [] }]
  }

  #prepare(): PreparedPolicies {
    if (this.#engine === undefined) throw new Error('There is nothing that could decide by policies.')
    this.#statements.length = 0
    const { staticPolicies, templates, templateLinks }: PolicyTexts = {
      staticPolicies: {},
      templates: {},
      templateLinks: [],
    }
    for (const policy of this.#bundle.policies) {
      const texts = cutStatements(policy.source)
      for (const statement of policy.statements) {
        const text = texts[statement.number - 1]
        if (text === undefined) throw new Error(`The policy ${policy.name} has no statement ${statement.number}.`)
        const id = `${policy.id} ${statement.number}`
        const origin = { policy, statement }
        this.#statements.push(origin)
        this.#origins.set(id, origin)
        if (!statement.isTemplate) {
          staticPolicies[id] = text
          continue
        }
        templates[id] = text
        for (const { type, id: holder } of policy.attachments) {
          const newId = `${id} ${type} ${holder}`
          this.#origins.set(newId, origin)
          const value = { type: type === 'user' ? 'User' : 'Role', id: holder }
          templateLinks.push({ templateId: id, newId, values: { '?principal': value } })
        }
      }
    }
    return this.#engine({ staticPolicies, templates, templateLinks })
  }

  #originOf(id: string): Origin {
    const origin = this.#origins.get(id)
    if (origin === undefined) throw new Error(`Cedar names a statement that nobody gave it: ${id}`)
    return origin
  }
}

function conclude(granted: readonly Reason[], otherwise: readonly Reason[]): Decision {
  return granted.length > 0 ? { decision: true, reasons: granted } : { decision: false, reasons: otherwise }
}

function namedBy({ policies }: Bundle): ReadonlySet<string> | undefined {
  const named = new Set<string>()
  for (const { actions } of policies.flatMap(policy => policy.statements)) {
    if (actions === null) return undefined
    for (const action of actions) named.add(action)
  }
  return named
}
