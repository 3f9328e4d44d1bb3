/** What a policy names stays in the catalogue: or it would take effect again when somebody adds the code anew. */
import { newId } from '@signet/kernel'
import t from 'tap'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, staff, stranger, call } = world

const addCode = async () => {
  const code = `things-${newId().slice(-12)}:read`
  t.equal((await call(staff, 'POST', 'permissions', { code, service: 'things' })).status, 201)
  return code
}
const naming = (code: string) => `permit (principal == ?principal, action == Action::"${code}", resource);`
const isThere = async (code: string) => (await call(staff, 'GET', `permissions/${code}`)).status === 200
const inUse = { status: 409, body: { code: 'permission-in-use', detail: 'Policies name this permission.' } }

t.test('a permission that a policy of any tenant names cannot be removed', async t => {
  const code = await addCode()
  const body = { name: 'open', source: naming(code) }
  const policies = [
    await call(admin, 'POST', 'policies', body),
    await call(stranger, 'POST', 'policies', body),
  ] as const
  t.match(await call(staff, 'DELETE', `permissions/${code}`), inUse)
  const source = naming('users:read')
  const path = `policies/${policies[0].body.id}`
  t.equal((await call(admin, 'PATCH', path, { source }, { 'if-match': '*' })).status, 200)
  t.match(await call(staff, 'DELETE', `permissions/${code}`), inUse, 'the other one names it still')
  t.equal(
    (await call(stranger, 'DELETE', `policies/${policies[1].body.id}`, undefined, { 'if-match': '*' })).status,
    204,
  )
  t.equal((await call(staff, 'DELETE', `permissions/${code}`)).status, 204)
})

t.test('a service keeps in the catalogue what policies name of it', async t => {
  const name = `things-${newId().slice(-12)}`
  const code = `${name}:read`
  const routes = [{ path: `/${name}`, methods: ['GET'], access: { permissions: [code] } }]
  const made = await call(staff, 'POST', 'services', { name, base_url: 'http://things.internal', routes })
  t.match(made, { status: 201, body: { permissions: { added: [code] } } })
  const policy = await call(admin, 'POST', 'policies', { name, source: naming(code) })
  const changed = await call(staff, 'PATCH', `services/${name}`, { routes: [] })
  t.match(changed, { status: 200, body: { permissions: { removed: [], kept: [code] } } })
  t.match(await call(staff, 'DELETE', `services/${name}`), { status: 409, body: { code: 'service-in-use' } })
  await call(admin, 'DELETE', `policies/${policy.body.id}`, undefined, { 'if-match': '*' })
  t.match(await call(staff, 'PATCH', `services/${name}`, { routes: [] }), {
    body: { permissions: { removed: [code] } },
  })
})

t.test('sixteen at once who name it, while it is removed: it stays, or none of them names it', async t => {
  for (let round = 0; round < 4; round += 1) {
    const code = await addCode()
    const answers = await Promise.all(
      Array.from({ length: 17 }, (_, index) =>
        index === 2 * round
          ? call(staff, 'DELETE', `permissions/${code}`)
          : call(admin, 'POST', 'policies', { name: `${code} ${index}`, source: naming(code) }),
      ),
    )
    const [removal] = answers.splice(2 * round, 1)
    const written = answers.filter(({ status }) => status === 201).length
    const refused = answers.filter(({ body }) => ['concurrent-change', 'invalid-policy'].includes(body.code))
    t.equal(written + refused.length, 16, answers.map(({ text }) => text).join('\n'))
    t.equal(await isThere(code), removal?.status === 409)
    t.equal(written, removal?.status === 204 ? 0 : 16)
  }
})
