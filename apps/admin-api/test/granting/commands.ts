/** What people try, over HTTP, and what the model says of it once it was done. */
import { newId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import type { Answer, Method, World } from '../world.ts'
import {
  cedarOf,
  type Code,
  keyName,
  type Model,
  type Person,
  type Policy,
  type Role,
  type Statement,
  without,
} from './model.ts'
import { pick } from './stage.ts'

export const verbs = [
  'create role',
  'change role',
  'rename role',
  'remove role',
  'assign role',
  'withdraw role',
  'create policy',
  'change policy',
  'remove policy',
  'attach policy',
  'detach policy',
  'create person',
  'create client',
  'create sub-client',
  'change account',
  'invite',
  'suspend',
  'activate',
  'remove person',
] as const

/** Drawn by fast-check. Places are counted round among those who are there when it is tried. */
export interface Command {
  readonly verb: (typeof verbs)[number]
  readonly who: number
  readonly whom: number
  readonly role: number
  readonly policy: number
  readonly holds: readonly Code[]
  readonly statement: Statement
}

interface Trial {
  readonly method: Method
  readonly path: string
  readonly body?: object
  /** What the model makes of it. */
  readonly done: (answer: Answer) => void
}

/**
 * What `who` tries. It is tried on what could be so: a role is withdrawn from whoever has it, a policy detached where it is.
 * Undefined where there is nobody and nothing to try it with.
 */
export function plan(model: Model, who: Person, command: Command): Trial | undefined {
  const { roles, policies, people } = model
  const { holds, statement } = command
  const verb = verbOf(who, command)
  const person = pick(listTargets(model, who, verb), command.whom)
  if (person === undefined) return undefined
  const role = pick(listRoles(model, person, verb), command.role)
  if (role === undefined) return undefined
  const policy = pick(listPolicies(model, verb), command.policy)
  const isInvited = person.kind === 'invitation'
  const name = newId<never>() as string
  const newName = role.name === keyName ? name : keyName

  const create = (path: string, kind: Person['kind'], clientId: string | null, extra: object): Trial => ({
    method: 'POST',
    path,
    body: { ...extra, role_ids: [role.id] },
    done: ({ body }) => {
      const assigned = new Set(kind === 'invitation' ? [role.id] : [model.member, role.id])
      people.set(body.id, { id: body.id, kind, clientId, roles: assigned })
    },
  })
  const setRoles = (assigned: ReadonlySet<string>) => people.set(person.id, { ...person, roles: assigned })
  const setHolders = (holders: ReadonlySet<string>) => policy && policies.set(policy.id, { ...policy, holders })
  const forget = (id: string) => {
    for (const each of policies.values()) policies.set(each.id, { ...each, holders: without(each.holders, [id]) })
  }
  const below = `${isInvited ? 'memberships' : 'users'}/${person.id}`
  // A policy is attached to a person and to a role by turns.
  const attachTo = command.holds.length % 2 === 0 && !isInvited ? person.id : role.id
  const holderId = (verb === 'detach policy' && policy && pick([...policy.holders], command.whom)) || attachTo
  const attached = `${people.has(holderId) ? 'users' : 'roles'}/${holderId}/policies/${policy?.id}`

  const trials: Record<Command['verb'], Trial | undefined> = {
    'create role': {
      method: 'POST',
      path: 'roles',
      body: { name, permissions: holds },
      done: ({ body }) => void roles.set(body.id, { id: body.id, name, holds: new Set(holds), isBuiltIn: false }),
    },
    'change role': {
      method: 'PATCH',
      path: `roles/${role.id}`,
      body: { permissions: holds },
      done: () => void roles.set(role.id, { ...role, holds: new Set(holds) }),
    },
    'rename role': {
      method: 'PATCH',
      path: `roles/${role.id}`,
      body: { name: newName },
      done: () => void roles.set(role.id, { ...role, name: newName }),
    },
    'remove role': {
      method: 'DELETE',
      path: `roles/${role.id}`,
      done: () => {
        roles.delete(role.id)
        forget(role.id)
      },
    },
    'assign role': {
      method: 'PUT',
      path: `${below}/roles/${role.id}`,
      done: () => void setRoles(new Set([...person.roles, role.id])),
    },
    'withdraw role': {
      method: 'DELETE',
      path: `${below}/roles/${role.id}`,
      done: () => void setRoles(without(person.roles, [role.id])),
    },
    'create policy': {
      method: 'POST',
      path: 'policies',
      body: { name, source: cedarOf(statement) },
      done: ({ body }) => void policies.set(body.id, { id: body.id, statement, holders: new Set() }),
    },
    'change policy': policy && {
      method: 'PATCH',
      path: `policies/${policy.id}`,
      body: { source: cedarOf(statement) },
      done: () => void policies.set(policy.id, { ...policy, statement }),
    },
    'remove policy': policy && {
      method: 'DELETE',
      path: `policies/${policy.id}`,
      done: () => void policies.delete(policy.id),
    },
    'attach policy': policy && {
      method: 'PUT',
      path: attached,
      done: () => void setHolders(new Set([...policy.holders, holderId])),
    },
    'detach policy': policy && {
      method: 'DELETE',
      path: attached,
      done: () => void setHolders(without(policy.holders, [holderId])),
    },
    'create person': create('users', 'user', null, { username: name }),
    'create client': create('clients', 'client', null, { username: name }),
    'create sub-client': create('sub-clients', 'sub_client', person.id, { username: name, client_id: person.id }),
    invite: create('memberships', 'invitation', null, { email: `${name}@example.test` }),
    'change account': {
      method: 'PATCH',
      path: `${person.kind === 'sub_client' ? 'sub-clients' : 'clients'}/${person.id}`,
      body: { role_ids: [role.id] },
      done: () => void setRoles(new Set([model.member, role.id])),
    },
    suspend: { method: 'POST', path: `users/${person.id}/suspend`, done: () => undefined },
    activate: { method: 'POST', path: `users/${person.id}/activate`, done: () => undefined },
    'remove person': {
      method: 'DELETE',
      path: below,
      done: () => {
        people.delete(person.id)
        forget(person.id)
      },
    },
  }
  return trials[verb]
}

/** A client has nothing but its sub-clients to try with. */
function verbOf({ kind }: Person, { verb }: Command): Command['verb'] {
  return kind === 'client' && verb.endsWith('role') ? 'change account' : verb
}

function listTargets({ people }: Model, who: Person, verb: Command['verb']): Person[] {
  const all = [...people.values()]
  if (verb === 'create sub-client') return who.kind === 'client' ? [who] : all.filter(({ kind }) => kind === 'client')
  if (verb !== 'change account') return all
  return all.filter(({ kind, clientId }) =>
    who.kind === 'client' ? clientId === who.id : kind === 'client' || kind === 'sub_client',
  )
}

function listRoles({ roles, member }: Model, person: Person, verb: Command['verb']): Role[] {
  const all = [...roles.values()].filter(({ id }) => id !== member)
  if (verb === 'assign role') return all.filter(({ id }) => !person.roles.has(id))
  if (verb === 'withdraw role') return all.filter(({ id }) => person.roles.has(id))
  if (verb === 'change role' || verb === 'rename role' || verb === 'remove role')
    return all.filter(({ isBuiltIn }) => !isBuiltIn)
  return all
}

function listPolicies({ policies }: Model, verb: Command['verb']): Policy[] {
  const all = [...policies.values()]
  if (verb === 'attach policy') return all.filter(({ statement }) => statement.of === 'attached')
  if (verb === 'detach policy') return all.filter(({ holders }) => holders.size > 0)
  return all
}

export function send({ call }: World, actor: TestActor, { method, path, body }: Trial): Promise<Answer> {
  return call(actor, method, path, body, { 'if-match': '*' })
}
