/** Policies are a way to give and to take: nobody gives by them what they lack, and nobody takes a forbid off themself. */
import type { TestActor } from '@signet/testkit'
import t from 'tap'
import { type Answer, createWorld, type Method } from './world.ts'

const world = await createWorld(t)
const { cast, company, platform, admin, staff, call } = world

/** Every permission over people, roles and policies, and nothing of the audit. */
const manages = ['users', 'roles', 'memberships', 'policies'].flatMap(resource =>
  ['read', 'list', 'create', 'modify', 'delete'].map(verb => `${resource}:${verb}`),
)
const lacking = 'audit-events:read'
const anyVersion = { 'if-match': '*' }
let made = 0

const policyOf = (actions: string[] | '*', more: object = {}) => ({
  name: `policy ${++made}`,
  form: [{ effect: 'permit', actions, ...more }],
})
const create = async (actions: string[] | '*', more: object = {}, who = admin): Promise<string> => {
  const { status, body } = await call(who, 'POST', 'policies', policyOf(actions, more))
  t.equal(status, 201, JSON.stringify(body))
  return body.id
}
const attach = async (parent: string, id: string, who = admin) =>
  t.equal((await call(who, 'PUT', `${parent}/policies/${id}`)).status, 204, `${parent}/policies/${id}`)
const forbids = { effect: 'forbid' }
const conditions = [{ attribute: 'resource.is_open', operator: 'equals', value: true }]

type Attempt = readonly [Method, string, object?]
const refuse = async (
  who: TestActor,
  [method, path, body]: Attempt,
  code: string,
  detail: RegExp = /audit-events:read/,
) => {
  const answer = await call(who, method, path, body, anyVersion)
  t.match(answer, { status: 403, body: { code, detail } }, `${method} ${path} ${answer.text}`)
}

t.test('X-02 nobody writes, changes, attaches or removes a policy that names what they lack', async t => {
  const manager = await cast.addActor(company, { permissions: manages })
  const { userId } = await cast.addPerson(company)
  const role = await cast.addRole(company, [])
  for (const effect of ['permit', 'forbid']) {
    for (const more of [{ effect }, { effect, conditions }, { effect, resources: { type: 'Invoice' } }]) {
      const strong = await create([lacking], more)
      const weak = await create(['users:read'], { effect })
      const { form } = policyOf(['users:read', lacking], more)
      const attempts: Attempt[] = [
        ['POST', 'policies', { name: 'x02', form }],
        ['POST', 'policies', { name: 'x02', form: policyOf([lacking], { ...more, principal: 'everyone' }).form }],
        ['PATCH', `policies/${weak}`, { form }],
        ['PUT', `users/${userId}/policies/${strong}`],
        ['PUT', `users/${manager.userId}/policies/${strong}`],
        ['POST', `users/${userId}/policies`, { policy_id: strong }],
        ['PUT', `roles/${role}/policies/${strong}`],
      ]
      for (const attempt of attempts) await refuse(manager, attempt, 'grant-exceeds-own')
      const changes: Attempt[] = [
        ['PATCH', `policies/${strong}`, { name: 'x02' }],
        ['PATCH', `policies/${strong}`, policyOf(['users:read'])],
        ['DELETE', `policies/${strong}`],
      ]
      for (const change of changes) await refuse(manager, change, 'forbidden')
    }
  }
  t.equal((await call(admin, 'GET', 'policies?name=x02&count=true')).body.total, 0)
  t.strictSame((await call(admin, 'GET', `users/${userId}/policies`)).body.items, [])
  t.strictSame((await call(admin, 'GET', `roles/${role}/policies`)).body.items, [])

  await t.test('and what they hold they may', async t => {
    const id = await create(['users:read', 'roles:read'], {}, manager)
    await attach(`users/${userId}`, id, manager)
    t.equal((await call(manager, 'PATCH', `policies/${id}`, policyOf(['users:list']), anyVersion)).status, 200)
    t.equal((await call(manager, 'DELETE', `users/${userId}/policies/${id}`)).status, 204)
    t.equal((await call(manager, 'DELETE', `policies/${id}`, undefined, anyVersion)).status, 204)
  })
})

t.test('X-02 a policy on a role counts when the role is given, changed or taken away', async t => {
  const manager = await cast.addActor(company, { permissions: manages })
  const { userId, membershipId } = await cast.addPerson(company)
  const permitting = await cast.addRole(company, ['users:read'])
  const forbidding = await cast.addRole(company, ['users:read'])
  await attach(`roles/${permitting}`, await create([lacking], { conditions }))
  await attach(`roles/${forbidding}`, await create([lacking], forbids))
  const given: Attempt[] = [
    ['POST', `users/${userId}/roles`, { role_id: permitting }],
    ['PUT', `users/${userId}/roles/${permitting}`],
    ['PUT', `memberships/${membershipId}/roles/${permitting}`],
    ['PUT', `users/${manager.userId}/roles/${permitting}`],
    ['POST', 'users', { email: 'x02@example.test', role_ids: [permitting] }],
    ['POST', 'memberships', { email: 'x02@example.test', role_ids: [permitting] }],
  ]
  for (const attempt of given) await refuse(manager, attempt, 'grant-exceeds-own')
  for (const role of [permitting, forbidding]) {
    await refuse(manager, ['PATCH', `roles/${role}`, { name: 'x02' }], 'forbidden')
    await refuse(manager, ['DELETE', `roles/${role}`], 'forbidden')
    await refuse(manager, ['PUT', `roles/${role}/policies/${await create(['users:read'])}`], 'forbidden')
  }
  t.equal((await call(admin, 'PUT', `users/${userId}/roles/${forbidding}`)).status, 204)
  await refuse(manager, ['DELETE', `users/${userId}/roles/${forbidding}`], 'grant-exceeds-own')
})

t.test('X-02 nobody takes a forbid off themself, and nobody attaches to themself what widens them', async t => {
  const role = await cast.addRole(company, [])
  const attempts = async (title: string, lock: (who: TestActor) => Promise<Attempt[]>, code = 'grant-exceeds-own') =>
    t.test(title, async () => {
      const manager = await cast.addActor(company, { permissions: [...manages, 'customers:read'] })
      for (const attempt of await lock(manager)) await refuse(manager, attempt, code, /customers:read/)
    })
  await attempts('attached to them', async ({ userId }) => {
    const id = await create(['customers:read'], forbids)
    await attach(`users/${userId}`, id)
    return [['DELETE', `users/${userId}/policies/${id}`]]
  })
  await attempts(
    'attached to them under a condition',
    async ({ userId }) => {
      const id = await create(['customers:read'], { ...forbids, conditions })
      await attach(`users/${userId}`, id)
      return [['DELETE', `users/${userId}/policies/${id}`]]
    },
    'forbidden',
  )
  await attempts(
    'by changing or emptying it',
    async ({ userId }) => {
      const id = await create(['customers:read'], forbids)
      await attach(`users/${userId}`, id)
      return [['PATCH', `policies/${id}`, policyOf(['users:read'])]]
    },
    'forbidden',
  )
  await attempts('attached to a role of theirs', async ({ userId }) => {
    const id = await create(['customers:read'], forbids)
    await attach(`roles/${role}`, id)
    t.equal((await call(admin, 'PUT', `users/${userId}/roles/${role}`)).status, 204)
    return [['DELETE', `users/${userId}/roles/${role}`]]
  })
  await attempts(
    'or that role itself',
    async ({ userId }) => {
      t.equal((await call(admin, 'PUT', `users/${userId}/roles/${role}`)).status, 204)
      const [{ id }] = (await call(admin, 'GET', `roles/${role}/policies`)).body.items
      return [
        ['DELETE', `roles/${role}/policies/${id}`],
        ['PATCH', `roles/${role}`, { permissions: [] }],
      ]
    },
    'forbidden',
  )

  await t.test('what they hold under a condition alone is not theirs to give', async t => {
    const manager = await cast.addActor(company, { permissions: manages })
    await attach(`users/${manager.userId}`, await create([lacking], { conditions }))
    await refuse(manager, ['POST', 'policies', policyOf([lacking], { conditions })], 'grant-exceeds-own')
    await refuse(manager, ['POST', 'roles', { name: 'x02', permissions: [lacking] }], 'grant-exceeds-own')
    t.ok(manager.userId, 'while what a policy permits without one is')
    const trusted = await cast.addActor(company, { permissions: manages })
    await attach(`users/${trusted.userId}`, await create([lacking]))
    t.equal((await call(trusted, 'POST', 'policies', policyOf([lacking]))).status, 201)
  })
})

t.test('X-02 where a condition reads the roles of a person, roles count for what it names', async t => {
  const tenant = await cast.addTenant()
  const entered = await cast.signIn(staff, tenant)
  const manager = await cast.addActor(tenant, { permissions: manages })
  const role = await cast.addRole(tenant, [])
  const { userId } = await cast.addPerson(tenant)
  const email = 'x02-roles@example.test'
  const attempts: Attempt[] = [
    ['POST', 'users', { email, role_ids: [role] }],
    ['POST', 'memberships', { email, role_ids: [role] }],
    ['PUT', `users/${userId}/roles/${role}`],
    ['PATCH', `roles/${role}`, { name: 'clerk' }],
  ]
  const trusted = `principal.roles.contains("clerk") || principal in Role::"${role}"`
  for (const [text, isRefused] of [
    [`permit (principal, action == Action::"${lacking}", resource) when { ${trusted} };`, true],
    [
      `forbid (principal, action == Action::"${lacking}", resource) unless { principal.roles.contains("clerk") };`,
      true,
    ],
    [
      `permit (principal in ?principal, action == Action::"${lacking}", resource) when { {a: principal}.a.roles == [] };`,
      true,
    ],
    [
      `permit (principal in ?principal, action == Action::"${lacking}", resource) when { principal.id == resource.id };`,
      false,
    ],
  ] as const) {
    const name = `policy ${++made}`
    const { body } = await call(entered, 'POST', 'policies', { name, source: text })
    for (const attempt of isRefused ? attempts : []) {
      const [method, path, sent] = attempt
      const answer = await call(manager, method, path, sent, anyVersion)
      t.match(answer, { status: 403, body: { detail: /audit-events:read/ } }, `${method} ${path} ${text}`)
    }
    if (isRefused) t.equal((await call(entered, 'DELETE', `policies/${body.id}`, undefined, anyVersion)).status, 204)
  }
  for (const [method, path, sent] of attempts) {
    t.ok(
      (await call(manager, method, path, sent, anyVersion)).status < 300,
      `${method} ${path} where nothing reads them`,
    )
  }
})

t.test('X-02 nobody attaches to a person, or takes from one, who may do more than they', async () => {
  const manager = await cast.addActor(company, { permissions: manages })
  const strong = await cast.addPerson(company, { permissions: [lacking] })
  const perhaps = await cast.addPerson(company)
  await attach(`users/${perhaps.userId}`, await create([lacking], { conditions }))
  const boss = await cast.addPerson(company, { roles: ['admin'] })
  const harmless = await create(['users:read'], forbids)
  for (const { userId } of [strong, perhaps, boss]) {
    await refuse(manager, ['PUT', `users/${userId}/policies/${harmless}`], 'forbidden')
    await refuse(manager, ['POST', `users/${userId}/policies`, { policy_id: harmless }], 'forbidden')
    await attach(`users/${userId}`, harmless)
    await refuse(manager, ['DELETE', `users/${userId}/policies/${harmless}`], 'forbidden')
  }
})

t.test('X-02 a statement of every action needs the role admin, or platform staff', async t => {
  const codes = (await call(admin, 'GET', 'permissions?limit=200&is_platform=false')).body.items
  const everything = await cast.addActor(company, { permissions: codes.map(({ code }: { code: string }) => code) })
  const needsAdmin = /role admin/
  await refuse(everything, ['POST', 'policies', policyOf('*')], 'grant-exceeds-own', needsAdmin)
  const id = await create('*', { conditions })
  const { userId } = await cast.addPerson(company)
  await refuse(everything, ['PUT', `users/${userId}/policies/${id}`], 'grant-exceeds-own', needsAdmin)
  await refuse(everything, ['DELETE', `policies/${id}`], 'forbidden', needsAdmin)
  await attach(`users/${userId}`, id)
  t.equal((await call(await cast.signIn(staff, company), 'POST', 'policies', policyOf('*'))).status, 201)
  t.equal((await call(staff, 'POST', 'policies', policyOf(['tenants:create']))).status, 201, 'of the platform')
  t.equal(
    (await call(await cast.addActor(platform, { roles: ['admin'] }), 'POST', 'policies', policyOf('*'))).status,
    403,
  )
})

t.test('a forbid for everybody locks administrators out too, and platform staff can mend it', async t => {
  const tenant = await cast.addTenant()
  const keeper = await cast.addActor(tenant, { roles: ['admin'] })
  const id = await create('*', { ...forbids, principal: 'everyone' }, keeper)
  const locked: Answer = await call(keeper, 'DELETE', `policies/${id}`, undefined, anyVersion)
  t.match(locked, { status: 403, body: { code: 'forbidden' } })
  const entered = await cast.signIn(staff, tenant)
  t.equal((await call(entered, 'DELETE', `policies/${id}`, undefined, anyVersion)).status, 204)
  t.equal((await call(keeper, 'GET', 'policies')).status, 200)
})
