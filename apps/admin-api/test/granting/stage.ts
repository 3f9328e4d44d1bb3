/** A fresh company as the model says, and what its database makes of it. */
import { inTenant, type TenantTx } from '@signet/db'
import { type MembershipId, newId, type TenantId, type UserId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import type { World } from '../world.ts'
import { type Bounds, cedarOf, type Code, codes, type Model, type Statement } from './model.ts'

/** What fast-check draws. People and roles refer to one another by their place, counted round. */
export interface Scene {
  readonly roles: readonly { readonly name?: string; readonly holds: readonly Code[] }[]
  readonly people: readonly { readonly roles: readonly number[]; readonly isClient: boolean }[]
  /** Each below one of the clients, where there are any. */
  readonly subClients: readonly { readonly client: number; readonly roles: readonly number[] }[]
  readonly policies: readonly ScenePolicy[]
}

/** With those to whom it is attached. */
export interface ScenePolicy {
  readonly statement: Statement
  readonly roles: readonly number[]
  readonly people: readonly number[]
}

export interface Stage {
  readonly tenant: TenantId
  readonly model: Model
  readonly actors: Map<string, TestActor>
}

export function pick<T>(all: readonly T[], index: number): T | undefined {
  return all.length === 0 ? undefined : all[index % all.length]
}

export async function setUp({ database, cast }: World, scene: Scene): Promise<Stage> {
  const tenant = await cast.addTenant()
  const written = await inTenant(database.db, tenant, async tx => {
    const builtIn = await tx.sql<{ id: string; name: string }[]>`select id, name from roles where tenant_id = ${tenant}`
    const idOf = (wanted: string) => builtIn.find(({ name }) => name === wanted)?.id ?? ''
    const member = idOf('member')
    const model: Model = { member, roles: new Map(), policies: new Map(), people: new Map() }
    for (const { id, name } of builtIn) {
      if (name === 'advisor') continue
      const holds = new Set<Code>(name === 'admin' ? codes : [])
      model.roles.set(id, { id, name, holds, isBuiltIn: true })
    }
    const own = scene.roles.map(({ name, holds }) => {
      const id = newId<never>() as string
      return { id, name: name ?? id, holds: new Set(holds), isBuiltIn: false }
    })
    for (const role of own) model.roles.set(role.id, role)
    const rolesAt = (places: readonly number[]) => [member, ...places.flatMap(place => pick(own, place)?.id ?? [])]
    const add = (kind: 'user' | 'client' | 'sub_client', clientId: string | null, roles: readonly string[]) => {
      const id = newId<UserId>()
      model.people.set(id, { id, kind, clientId, roles: new Set(roles) })
    }
    add('user', null, [member, idOf('admin')])
    for (const { roles, isClient } of scene.people) add(isClient ? 'client' : 'user', null, rolesAt(roles))
    const clients = [...model.people.values()].filter(({ kind }) => kind === 'client')
    for (const { client, roles } of scene.subClients) {
      const parent = pick(clients, client)
      if (parent !== undefined) add('sub_client', parent.id, rolesAt(roles))
    }
    const all = [...model.people.keys()]
    for (const { statement, roles, people } of scene.policies) {
      const id = newId<never>() as string
      const holders = [
        ...roles.flatMap(place => pick(own, place)?.id ?? []),
        ...people.flatMap(place => pick(all, place) ?? []),
      ]
      model.policies.set(id, { id, statement, holders: new Set(statement.of === 'attached' ? holders : []) })
    }
    await insert(tx, model)
    return model
  })
  return { tenant, model: written, actors: new Map() }
}

async function insert({ sql, tenantId: tenant_id }: TenantTx, { roles, people, policies }: Model): Promise<void> {
  const own = [...roles.values()].filter(({ isBuiltIn }) => !isBuiltIn)
  const write = async (table: string, rows: Record<string, unknown>[]) => {
    if (rows.length > 0) await sql`insert into ${sql(table)} ${sql(rows.map(row => ({ tenant_id, ...row })))}`
  }
  await write(
    'roles',
    own.map(({ id, name }) => ({ id, name })),
  )
  await write(
    'role_permissions',
    own.flatMap(({ id, holds }) => [...holds].map(permission_code => ({ role_id: id, permission_code }))),
  )
  const all = [...people.values()]
  await write(
    'users',
    all.map(({ id, kind, clientId }) => ({ id, kind, parent_id: clientId, username: id })),
  )
  // The membership of a person has the person's id here, which saves a table of pairs.
  await write(
    'memberships',
    all.map(({ id }) => ({ id, user_id: id })),
  )
  await write(
    'membership_roles',
    all.flatMap(({ id, roles: assigned }) => [...assigned].map(role_id => ({ membership_id: id, role_id }))),
  )
  const written = [...policies.values()]
  await write(
    'policies',
    written.map(({ id, statement }) => ({ id, name: id, source: cedarOf(statement) })),
  )
  await write(
    'policy_statements',
    written.map(({ id, statement: { effect, actions, of, condition } }) => ({
      policy_id: id,
      number: 1,
      line: 1,
      effect,
      actions,
      is_template: of === 'attached',
      is_conditional: condition !== 'none',
      is_personal: of === 'attached' || condition === 'principal' || condition === 'role',
      reads_roles: condition === 'role',
    })),
  )
  await write(
    'policy_attachments',
    written.flatMap(({ id, holders }) =>
      [...holders].map(holder => ({
        policy_id: id,
        user_id: people.has(holder) ? holder : null,
        role_id: people.has(holder) ? null : holder,
      })),
    ),
  )
}

/** Signs in once a person; undefined for whoever may not. */
export async function actorFor({ cast }: World, { tenant, actors }: Stage, id: string): Promise<TestActor | undefined> {
  const known = actors.get(id)
  if (known !== undefined) return known
  const person = { userId: id as UserId, tenantId: tenant, membershipId: id as MembershipId, email: '' }
  try {
    const actor = await cast.signIn(person)
    actors.set(id, actor)
    return actor
  } catch {
    return undefined
  }
}

/** What the database says that people hold, of the codes of the proof. */
export async function readBounds({ database }: World, { tenant }: Stage): Promise<Map<string, Bounds>> {
  const rows = await inTenant(
    database.db,
    tenant,
    ({ sql }) => sql<{ id: string; permissions: string[]; reach: string[]; grantable: string[] }[]>`
      select u.id, a.permissions, a.reach, a.grantable
      from users u cross join lateral member_access(${tenant}, u.id) a
      where u.tenant_id = ${tenant} and u.status <> 'deleted'`,
  )
  const known = new Set<string>(codes)
  const only = (list: string[]) => new Set(list.filter(code => known.has(code)) as Code[])
  return new Map(
    rows.map(({ id, permissions, reach, grantable }) => [
      id,
      { permissions: only(permissions), reach: only(reach), grantable: only(grantable) },
    ]),
  )
}
