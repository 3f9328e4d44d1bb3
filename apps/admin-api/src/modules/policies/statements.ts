/**
 * What a policy says, in the words of this product: which permissions it names, of whom it speaks, and whether it depends on
 * more than that. Read from Cedar's own form of each statement, never from its text.
 */
import type { PolicyJson } from './cedar.ts'
import { findTokens, type StatementText } from './source-text.ts'

export interface Statement {
  readonly number: number
  readonly line: number
  readonly effect: 'permit' | 'forbid'
  /** The permissions that it names; null where it names every one. */
  readonly actions: readonly string[] | null
  /** Speaks of those it is attached to, else of everybody in the tenant. */
  readonly isTemplate: boolean
  /** A template that speaks of one person and of no role: `principal == ?principal`. */
  readonly isForOne: boolean
  /** Depends on more than who and which action. */
  readonly isConditional: boolean
  /** May hold for one person and not for another. */
  readonly isPersonal: boolean
  /** Its condition depends on the roles of the person. */
  readonly readsRoles: boolean
}

/** Something that Cedar understands and this product does not, and where it stands. */
export interface WordFault {
  readonly message: string
  readonly start: number
}

/** Codes of the catalogue, each with whether a policy of this tenant may name it. */
export type Catalogue = ReadonlyMap<string, { readonly fits: boolean }>

/**
 * Operations within operations. Whoever decides works them off on the stack of the WebAssembly module, which overflows at some
 * 350 sums and leaves the module of no use to anybody.
 */
const mostOperations = 100

/** What is known of a person in a decision, also offline: the claims of a token. */
export const principalAttributes: ReadonlySet<string> = new Set(['id', 'kind', 'tenant_id', 'roles'])

/** The codes that the head of a statement names; null for every one. */
function actionsOf({ action }: PolicyJson): readonly string[] | null {
  return action.op === 'All' ? null : [...new Set(actionEntities(action).map(({ id }) => id))]
}

export function describeStatement(json: PolicyJson, number: number, line: number): Statement {
  const isTemplate = json.principal.op !== 'All'
  return {
    number,
    line,
    effect: json.effect,
    actions: actionsOf(json)?.toSorted() ?? null,
    isTemplate,
    isForOne: json.principal.op === '==',
    isConditional: json.resource.op !== 'All' || json.conditions.length > 0,
    isPersonal: isTemplate || countPrincipals(json.conditions) > 0,
    readsRoles: countPrincipals(json.conditions) > countFixedReads(json.conditions),
  }
}

/** What a statement names that has no meaning here. */
export function findWordFaults(json: PolicyJson, text: StatementText, catalogue: Catalogue): WordFault[] {
  return [
    ...findHeadFaults(json, text),
    ...findDepthFaults(json, text),
    ...actionEntities(json.action).flatMap(({ type, id }) => {
      const message = explainAction(type, id, catalogue)
      return message === undefined ? [] : [{ message, start: findTokens(text, 'Action', '::', JSON.stringify(id)) }]
    }),
    ...unknownAttributes(json.conditions).map(name => ({
      message: explainAttribute(name),
      start: findTokens(text, 'principal', '.', name),
    })),
  ]
}

/** Why a code cannot be named here; undefined where it can. */
export function explainCode(code: string, catalogue: Catalogue): string | undefined {
  const known = catalogue.get(code)
  if (known === undefined) return `${code} is not in the catalogue: GET /admin/v1/permissions lists what is`
  return known.fits ? undefined : `${code} works on the installation: only policies of the platform name it`
}

export function explainAttribute(name: string): string {
  return `principal has no ${name}: it has ${[...principalAttributes].join(', ')}`
}

function explainAction(type: string, id: string, catalogue: Catalogue): string | undefined {
  return type === 'Action' ? explainCode(id, catalogue) : `${type} is no type of actions: write Action::"${id}"`
}

function findHeadFaults({ principal, action, resource }: PolicyJson, text: StatementText): WordFault[] {
  const faults: WordFault[] = []
  const isAttachable = (principal.op === '==' || principal.op === 'in') && 'slot' in principal
  if (principal.op !== 'All' && !isAttachable) {
    const message =
      'the head names nobody: write `principal` for everybody in the tenant, or `principal in ?principal`, and attach the ' +
      'policy to the person or role that it is meant for'
    faults.push({ message, start: findTokens(text, 'principal') })
  }
  if ('slot' in resource || ('in' in resource && resource.in !== undefined && 'slot' in resource.in)) {
    const message = 'nothing fills in ?resource: name the resource, or write `resource` and a condition'
    faults.push({ message, start: findTokens(text, '?resource') })
  }
  if (action.op !== 'All' && actionEntities(action).length === 0)
    faults.push({ message: 'names no action: write `action` for every one', start: findTokens(text, 'action') })
  return faults
}

function findDepthFaults({ conditions }: PolicyJson, { tokens }: StatementText): WordFault[] {
  // An operation is an object in an object of Cedar's JSON.
  if (conditions.length < mostOperations && depthOf(conditions) <= 2 * mostOperations) return []
  const message = `has more than ${mostOperations} operations within one another: make several statements of it`
  return [{ message, start: tokens[0].start }]
}

function depthOf(root: unknown): number {
  let depth = 0
  for (let level = [root]; level.length > 0; depth += 1) {
    level = level.flatMap(node => (isNode(node) ? Object.values(node) : []))
  }
  return depth
}

function actionEntities(action: PolicyJson['action']): { readonly type: string; readonly id: string }[] {
  if (action.op === 'All' || 'slot' in action) return []
  const named = 'entities' in action ? action.entities : [action.entity]
  return named.map(entity => ('__entity' in entity ? entity['__entity'] : entity))
}

/** A text of that form counts too, which only makes the policy count as more personal than it is. */
function countPrincipals(part: unknown): number {
  return findInside(part, node => node['Var'] === 'principal').length
}

/** What a person keeps whatever roles they have; `principal` for itself may be asked for its roles (`principal in …`). */
const fixedAttributes: ReadonlySet<unknown> = new Set(['id', 'kind', 'tenant_id'])

function countFixedReads(part: unknown): number {
  return readsOfPrincipal(part).filter(attribute => fixedAttributes.has(attribute)).length
}

function unknownAttributes(conditions: unknown): string[] {
  const names = readsOfPrincipal(conditions).map(String)
  return [...new Set(names)].filter(name => !principalAttributes.has(name))
}

/** The attribute of each `principal.attribute`. */
function readsOfPrincipal(part: unknown): unknown[] {
  const isRead = (access: unknown): access is Node =>
    isNode(access) && isNode(access['left']) && access['left']['Var'] === 'principal'
  return findInside(part, node => isRead(node['.'])).map(node => (node['.'] as Node)['attr'])
}

type Node = Readonly<Record<string, unknown>>

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null
}

/** Every object in an expression that is meant, without recursion: an expression may be as deep as it is long. */
function findInside(root: unknown, isMeant: (node: Node) => boolean): Node[] {
  const found: Node[] = []
  const waiting: unknown[] = [root]
  while (waiting.length > 0) {
    const node = waiting.pop()
    if (!isNode(node)) continue
    if (isMeant(node)) found.push(node)
    waiting.push(...Object.values(node))
  }
  return found
}
