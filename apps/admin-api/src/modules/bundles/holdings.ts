/** Where everything comes from that a person may do, and what takes it away: read from the bundle, without asking any condition. */
import type { Subject } from '@signet/verifier/policies'
import type { LoadedBundle, LoadedStatement } from './repo.ts'

export interface Holding {
  readonly code: string
  /** `conditional`: a condition decides, each time that somebody asks. */
  readonly state: 'permitted' | 'conditional' | 'withheld'
  readonly sources: readonly Source[]
  readonly withheldBy: readonly Withholder[]
}

export type Source = { readonly type: 'role'; readonly id: string; readonly name: string } | StatementOrigin

/** A forbid, or the client whom a sub-client never surpasses. */
export type Withholder =
  | StatementOrigin
  | { readonly type: 'client'; readonly id: string; readonly isConditional: boolean }

export interface StatementOrigin {
  readonly type: 'policy'
  readonly id: string
  readonly name: string
  readonly statement: number
  readonly line: number
  readonly isConditional: boolean
}

/** Everything that has a source, in alphabetical order. */
export function listHoldings(bundle: LoadedBundle, subject: Subject): Holding[] {
  const applicable = subject.isExempt === true ? [] : listApplicable(bundle, subject)
  const roles = bundle.roles.filter(role => subject.roles.includes(role.name))
  const givable = new Set(bundle.permissions)
  const codes = new Set([...roles.flatMap(role => role.permissions), ...bundle.permissions])
  const ceiling =
    subject.ceiling === undefined
      ? undefined
      : new Map(listHoldings(bundle, subject.ceiling).map(({ code, state }) => [code, state]))

  return [...codes].toSorted().flatMap((code): Holding[] => {
    const byRole = roles.flatMap(({ id, name, permissions }) =>
      permissions.includes(code) ? [{ type: 'role' as const, id, name }] : [],
    )
    const named = givable.has(code) ? applicable.filter(({ actions }) => actions?.includes(code) ?? true) : []
    const permits = named.filter(({ effect }) => effect === 'permit').map(({ origin }) => origin)
    if (byRole.length + permits.length === 0) return []
    const withheldBy: Withholder[] = named.filter(({ effect }) => effect === 'forbid').map(({ origin }) => origin)
    const above = ceiling === undefined ? 'permitted' : (ceiling.get(code) ?? 'withheld')
    if (subject.ceiling !== undefined && above !== 'permitted') {
      withheldBy.push({ type: 'client', id: subject.ceiling.id, isConditional: above === 'conditional' })
    }
    const isFirm = byRole.length > 0 || permits.some(({ isConditional }) => !isConditional)
    return [{ code, state: stateOf(isFirm, withheldBy), sources: [...byRole, ...permits], withheldBy }]
  })
}

function stateOf(isFirm: boolean, withheldBy: readonly Withholder[]): Holding['state'] {
  if (withheldBy.some(({ isConditional }) => !isConditional)) return 'withheld'
  return isFirm && withheldBy.length === 0 ? 'permitted' : 'conditional'
}

interface Applicable {
  readonly effect: LoadedStatement['effect']
  readonly actions: LoadedStatement['actions']
  readonly origin: StatementOrigin
}

/** The statements that speak of the person: to everybody, or attached to them or to a role of theirs. */
function listApplicable({ roles, policies }: LoadedBundle, subject: Subject): Applicable[] {
  const holders = new Set([subject.id, ...roles.filter(({ name }) => subject.roles.includes(name)).map(({ id }) => id)])
  return policies.flatMap(({ id, name, statements, attachments }) => {
    const isAttached = attachments.some(attachment => holders.has(attachment.id))
    return statements.flatMap(({ number, line, effect, actions, isTemplate, isConditional }) =>
      isTemplate && !isAttached
        ? []
        : [{ effect, actions, origin: { type: 'policy' as const, id, name, statement: number, line, isConditional } }],
    )
  })
}
