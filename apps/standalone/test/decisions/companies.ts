/** A company as a scene says, made by calls to the administration, with everybody signed in. */
import { type Caller, claimsOf, type Installation, password, type Tokens } from './installation.ts'
import { codesOf, type Scene, type ScenePolicy, type SceneStatement } from './scenes.ts'

export interface Role {
  readonly id: string
  name: string
}

export interface Policy {
  readonly id: string
  readonly source: string
  /** Paths below which it hangs: `roles/…`, `users/…`. */
  readonly holders: Set<string>
}

export interface Person {
  readonly id: string
  readonly kind: string
  /** Where their roles are changed; undefined for staff who have only entered. */
  readonly at: string | undefined
  /** Of a session in the company. */
  tokens: Tokens
}

export interface Company {
  readonly id: string
  readonly isPlatform: boolean
  /** Of its service. */
  readonly name: string
  /** Staff who have entered it: they make everything, bound by no policy. */
  readonly maker: Caller
  registered: readonly string[]
  readonly codes: ReturnType<typeof codesOf>
  readonly roles: Role[]
  /** Those that are not built in. */
  readonly own: Role[]
  /** Those that a policy may be attached to. */
  readonly attachable: Role[]
  readonly policies: Map<string, Policy>
  readonly people: Person[]
}

/** People of elsewhere, whom companies take in. */
export interface Outsiders {
  readonly guest: Outsider
  /** `super_admin`, and a member where a company has taken them in. */
  readonly staffMember: Outsider
}

interface Outsider {
  readonly id: string
  readonly email: string
  readonly tokens: Tokens
}

export function pick<T>(all: readonly T[], place: number): T | undefined {
  return all.length === 0 ? undefined : all[place % all.length]
}

export function pickAll<T>(all: readonly T[], places: readonly number[]): T[] {
  return [...new Set(places.flatMap(each => pick(all, each) ?? []))]
}

/** What a role may hold and a policy may name now. */
export function listGivable({ codes, registered }: Company): string[] {
  return [...codes.builtIn, ...registered]
}

/** What is asked about: also what the service has not registered. */
export function listAskable({ codes }: Company): string[] {
  return [...codes.builtIn, ...codes.ofService]
}

export async function addOutsiders(to: Installation): Promise<Outsiders> {
  const { order, staff } = to
  const root = { token: staff.access_token }
  const home = await order(root, 'POST', '/admin/v1/tenants', { name: 'Elsewhere' })
  const there = { token: (await to.enter(staff, home.id)).access_token }
  const add = async (caller: Caller, email: string, roleIds: readonly string[]): Promise<Outsider> => {
    const { id } = await order(caller, 'POST', '/admin/v1/users', { email, role_ids: roleIds })
    return { id, email, tokens: await to.signInByCode(email) }
  }
  const { items } = await order(root, 'GET', '/admin/v1/roles')
  const superAdmin = items.find((each: Role) => each.name === 'super_admin')
  if (superAdmin === undefined) throw new Error('The staff are not where they belong.')
  return {
    guest: await add(there, 'guest@example.com', []),
    staffMember: await add(root, 'staff@example.com', [superAdmin.id]),
  }
}

export async function createCompany(
  to: Installation,
  { guest, staffMember }: Outsiders,
  scene: Scene,
  name: string,
): Promise<Company> {
  const { order, staff, platform } = to
  const { isPlatform } = scene
  const root = { token: staff.access_token }
  const id = isPlatform ? platform : (await order(root, 'POST', '/admin/v1/tenants', { name, slug: name })).id
  const entered = isPlatform ? staff : await to.enter(staff, id)
  const maker = { token: entered.access_token }
  const own: Role[] = []
  const company: Company = {
    id,
    isPlatform,
    name,
    maker,
    codes: codesOf(name),
    registered: [],
    roles: [],
    own,
    attachable: [],
    policies: new Map(),
    people: [],
  }
  await register(to, company, scene.registered)
  const builtIn: Role[] = (await order(maker, 'GET', '/admin/v1/roles?is_built_in=true&sort=name')).items
  for (const [number, holds] of scene.roles.entries()) {
    const role = isPlatform ? `role ${number} of ${name}` : `role ${number}`
    const permissions = pickAll(listGivable(company), holds)
    own.push(await order(maker, 'POST', '/admin/v1/roles', { name: role, permissions }))
  }
  const holdAll = new Set(['admin', 'super_admin'])
  company.attachable.push(...own, ...builtIn.filter(role => !holdAll.has(role.name)))
  company.roles.push(...own, ...builtIn.filter(role => role.name !== 'member'))

  const clients: string[] = []
  for (const [number, { kind, roles, client }] of scene.people.entries()) {
    const username = `${name}-${number}`
    const path = { user: 'users', client: 'clients', sub_client: 'sub-clients' }[kind]
    const person = await order(maker, 'POST', `/admin/v1/${path}`, {
      username,
      password,
      role_ids: pickAll(company.roles, roles).map(role => role.id),
      ...(kind === 'sub_client' ? { client_id: pick(clients, client) } : {}),
    })
    if (kind === 'client') clients.push(person.id)
    const slug = isPlatform ? 'platform' : name
    company.people.push({ id: person.id, kind, at: `users/${person.id}`, tokens: await to.signIn(username, slug) })
  }
  const takeIn = async ({ id: person, email, tokens }: Outsider, kind: string, roles: readonly number[]) => {
    // Nobody becomes one of the staff by being taken in.
    const given = pickAll(own, roles).map(role => role.id)
    const known = await findMembership(to, company, person)
    const membership = known ?? (await order(maker, 'POST', '/admin/v1/memberships', { email, role_ids: given }))
    if (known === undefined) await to.accept(tokens, membership.id)
    company.people.push({ id: person, kind, at: `memberships/${membership.id}`, tokens: await to.enter(tokens, id) })
  }
  await takeIn(guest, 'guest', scene.guest)
  await takeIn(staffMember, 'staff member', scene.staffMember)
  company.people.push({ id: claimsOf(entered.access_token).sub, kind: 'staff', at: undefined, tokens: entered })
  for (const [number, policy] of scene.policies.entries()) await addPolicy(to, company, policy, `policy ${number}`)
  return company
}

/** The service says anew which permissions there are. */
export async function register(to: Installation, company: Company, places: readonly number[]): Promise<void> {
  const codes = pickAll(company.codes.ofService, places)
  const routes = [{ path: `/${company.name}`, methods: ['GET'], access: { permissions: codes } }]
  const body = { base_url: 'http://service.test', routes }
  const path = `/admin/v1/services/${company.name}`
  const { permissions } = await to.order({ token: to.staff.access_token }, 'PUT', path, body)
  company.registered = [...codes, ...permissions.kept]
}

export async function addPolicy(
  { order }: Installation,
  company: Company,
  policy: ScenePolicy,
  name: string,
): Promise<void> {
  const { attachable, maker, policies, people } = company
  const body = { name: company.isPlatform ? `${name} of ${company.name}` : name, source: writeSource(company, policy) }
  const { id } = await order(maker, 'POST', '/admin/v1/policies', body)
  const holders = new Set<string>()
  policies.set(id, { id, source: body.source, holders })
  const isForOne = policy.statements.some(({ principal }) => principal === 'principal == ?principal')
  const isTemplate = policy.statements.some(({ principal }) => principal !== 'principal')
  const wanted = [
    ...(isForOne ? [] : pickAll(attachable, policy.roles).map(role => `roles/${role.id}`)),
    // Staff who have entered are no members.
    ...pickAll(
      people.filter(({ at }) => at !== undefined),
      policy.people,
    ).map(person => `users/${person.id}`),
  ]
  for (const holder of isTemplate ? wanted : []) {
    await order(maker, 'PUT', `/admin/v1/${holder}/policies/${id}`)
    holders.add(holder)
  }
}

export function writeSource(company: Company, { comment, statements }: ScenePolicy): string {
  return `${comment}${statements.map(each => writeStatement(company, each)).join('\n')}`
}

function writeStatement(company: Company, { effect, principal, actions, resource, condition }: SceneStatement): string {
  const { id, own, people } = company
  const named = actions === null ? [] : pickAll(listGivable(company), actions).map(code => `Action::"${code}"`)
  const action = named.length === 0 ? 'action' : `action in [${named.join(', ')}]`
  const place = actions?.[0] ?? 0
  const fill = (text: string) =>
    text
      .replaceAll('$role', pick(own, place)?.id ?? '')
      .replaceAll('$person', pick(people, place)?.id ?? '')
      .replaceAll('$tenant', id)
      .replaceAll('$number', String(place % 4))
  return `${effect} (${principal}, ${action}, ${fill(resource)})${fill(condition)};`
}

/** Takes from the platform what a scene has put there: the next one begins without it. */
export async function leavePlatform(to: Installation, company: Company): Promise<void> {
  if (!company.isPlatform) return
  for (const policy of company.policies.values()) await removePolicy(to, company, policy)
}

export async function removePolicy(
  { order }: Installation,
  { maker, policies }: Company,
  policy: Policy,
): Promise<void> {
  for (const holder of policy.holders) await order(maker, 'DELETE', `/admin/v1/${holder}/policies/${policy.id}`)
  await order(maker, 'DELETE', `/admin/v1/policies/${policy.id}`)
  policies.delete(policy.id)
}

async function findMembership({ order }: Installation, { maker }: Company, userId: string) {
  const { items } = await order(maker, 'GET', `/admin/v1/memberships?user_id=${userId}`)
  return items[0] as { readonly id: string } | undefined
}
