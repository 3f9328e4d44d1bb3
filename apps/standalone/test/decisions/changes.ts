/** What administrators change while verifiers hold a bundle. */
import * as fc from 'fast-check'
import {
  addPolicy,
  type Company,
  listGivable,
  pick,
  pickAll,
  type Policy,
  register,
  removePolicy,
  writeSource,
} from './companies.ts'
import type { Installation } from './installation.ts'
import { place, policyWith, type ScenePolicy } from './scenes.ts'

const kinds = [
  'role’s permissions',
  'role’s name',
  'person’s roles',
  'new policy',
  'policy’s text',
  'policy removed',
  'policy attached',
  'policy detached',
  'catalogue',
] as const

export interface Change {
  readonly kind: (typeof kinds)[number]
  readonly which: number
  readonly holder: number
  readonly permissions: readonly number[]
  readonly policy: ScenePolicy
}

export const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...kinds),
  which: place,
  holder: place,
  permissions: fc.uniqueArray(place, { minLength: 1, maxLength: 4 }),
  policy: policyWith(6),
})

let names = 0

/** Tokens of before name the roles of a person: after these they say less than is true. */
export function isAboutNames({ kind }: Change): boolean {
  return kind === 'role’s name' || kind === 'person’s roles'
}

export async function make(to: Installation, company: Company, { kind, ...drawn }: Change): Promise<void> {
  const { maker, own, people, policies } = company
  const role = pick(own, drawn.which)
  const member = pick(
    people.filter(({ at }) => at !== undefined),
    drawn.holder,
  )
  if (role === undefined || member === undefined) throw new Error('The company is empty.')
  if (kind === 'role’s permissions') {
    const permissions = pickAll(listGivable(company), drawn.permissions)
    await to.order(maker, 'PATCH', `/admin/v1/roles/${role.id}`, { permissions })
  } else if (kind === 'role’s name') {
    role.name = `role renamed ${++names}`
    await to.order(maker, 'PATCH', `/admin/v1/roles/${role.id}`, { name: role.name })
  } else if (kind === 'person’s roles') {
    const path = `/admin/v1/${member.at}/roles`
    const { items } = await to.order(maker, 'GET', path)
    const isHeld = items.some(({ id }: { id: string }) => id === role.id)
    await to.order(maker, isHeld ? 'DELETE' : 'PUT', `${path}/${role.id}`)
  } else if (kind === 'new policy') {
    await addPolicy(to, company, drawn.policy, `policy later ${++names}`)
  } else if (kind === 'catalogue') {
    await register(to, company, drawn.permissions)
  } else {
    const policy = pick([...policies.values()], drawn.which)
    if (policy !== undefined) await changePolicy(to, company, policy, kind, drawn)
  }
}

async function changePolicy(
  to: Installation,
  company: Company,
  policy: Policy,
  kind: Change['kind'],
  { holder, policy: next }: Omit<Change, 'kind'>,
): Promise<void> {
  const { maker, policies, attachable } = company
  if (kind === 'policy removed') return removePolicy(to, company, policy)
  if (kind === 'policy detached') {
    const [first] = policy.holders
    if (first === undefined) return
    await to.order(maker, 'DELETE', `/admin/v1/${first}/policies/${policy.id}`)
    policy.holders.delete(first)
    return
  }
  if (kind === 'policy attached') {
    const at = `roles/${pick(attachable, holder)?.id}`
    // A policy that speaks of one person, or of everybody, is attached to no role.
    const answer = await to.administer(maker, 'PUT', `/admin/v1/${at}/policies/${policy.id}`)
    if (answer.status === 204) policy.holders.add(at)
    else if (answer.status !== 422) throw new Error(`An attachment answered ${answer.status} ${answer.text}`)
    return
  }
  const source = writeSource(company, next)
  const answer = await to.administer(maker, 'PATCH', `/admin/v1/policies/${policy.id}`, { source })
  // What it is attached to has to fit.
  if (answer.status === 200) policies.set(policy.id, { ...policy, source })
  else if (answer.status !== 422 && answer.status !== 409)
    throw new Error(`A text answered ${answer.status} ${answer.text}`)
}
