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

/** @returns whether tokens of before say less than is true now: they name the roles of a person */
export async function make(to: Installation, company: Company, { kind, ...drawn }: Change): Promise<boolean> {
  const { maker, own, people, policies } = company
  const role = pick(own, drawn.which)
  const policy = pick([...policies.values()], drawn.which)
  const member = pick(
    people.filter(({ at }) => at !== undefined),
    drawn.holder,
  )
  if (role === undefined || member === undefined) throw new Error('The company is empty.')
  switch (kind) {
    case 'role’s permissions': {
      const permissions = pickAll(listGivable(company), drawn.permissions)
      await to.order(maker, 'PATCH', `/admin/v1/roles/${role.id}`, { permissions })
      return false
    }
    case 'role’s name': {
      const name = `role renamed ${++names}`
      await to.order(maker, 'PATCH', `/admin/v1/roles/${role.id}`, { name })
      role.name = name
      return true
    }
    case 'person’s roles': {
      const path = `/admin/v1/${member.at}/roles`
      const { items } = await to.order(maker, 'GET', path)
      const isHeld = items.some(({ id }: { id: string }) => id === role.id)
      await to.order(maker, isHeld ? 'DELETE' : 'PUT', `${path}/${role.id}`)
      return true
    }
    case 'new policy':
      await addPolicy(to, company, drawn.policy, `policy later ${++names}`)
      return false
    case 'catalogue':
      await register(to, company, drawn.permissions)
      return false
    default:
      if (policy !== undefined) await changePolicy(to, company, policy, kind, drawn)
      return false
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
