import { AuthError, createVerifier, type Principal, type VerifierOptions } from '@signet/verifier'
import { createDecider } from '@signet/verifier/policies'
import { createTestIssuer, type TestIssuer } from '@signet/verifier/testing'
import t, { type Test } from 'tap'
import { reasonOf } from './forge.ts'
import { waitUntil } from './remote-issuer.ts'

const second = 1_000
const tenant = 'acme'
const bundlePath = `/bundles/${tenant}`
const permissions = ['invoices:read', 'invoices:modify', 'invoices:delete']

interface World {
  readonly issuer: TestIssuer
  readonly clock: { nowMs: number }
  readonly asked: { readonly path: string; readonly headers: Headers }[]
  /** Answers in the place of the issuer where it gives something. */
  answer: (path: string) => Response | undefined
  readonly stale: string[]
  readonly create: (options?: Partial<VerifierOptions>) => ReturnType<typeof createVerifier>
  /** A token that leaves its permissions to the bundle. */
  readonly token: (claims?: Record<string, unknown>) => string
  readonly bundlesAsked: () => number
}

function setUp(t: Test): World {
  const clock = { nowMs: Date.now() }
  const issuer = createTestIssuer({ now: () => clock.nowMs })
  const world: World = {
    issuer,
    clock,
    asked: [],
    answer: () => undefined,
    stale: [],
    create: (options = {}) => {
      const verifier = createVerifier({
        issuer: issuer.issuer,
        audience: issuer.audience,
        now: () => clock.nowMs,
        on: { stale: what => world.stale.push(what) },
        keys: {
          fetch: async (input, init) => {
            const path = new URL(input instanceof Request ? input.url : input).pathname
            world.asked.push({ path, headers: new Headers(init?.headers) })
            return world.answer(path) ?? issuer.fetch(input, init)
          },
        },
        ...options,
      })
      t.teardown(() => verifier.close())
      return verifier
    },
    token: (claims = {}) => issuer.token({ tid: tenant, permissions: undefined, roles: ['clerk'], ...claims }),
    bundlesAsked: () => world.asked.filter(({ path }) => path === bundlePath).length,
  }
  issuer.setBundle(tenant, {
    permissions,
    roles: [
      { id: 'r-clerk', name: 'clerk', permissions: ['invoices:read'] },
      { id: 'r-boss', name: 'boss', permissions },
      { id: 'r-super', name: 'super_admin', permissions },
    ],
  })
  return world
}

t.test('Roles of a token are read with the bundle of its tenant', async t => {
  const world = setUp(t)
  const { create, token } = world
  const verifier = create()
  const text = token()
  const clerk = await verifier.verify(text, { permissions: ['invoices:read'] })
  t.equal(clerk.can('invoices:read'), true)
  t.equal(clerk.can('invoices:modify'), false)
  t.equal(clerk.can('invoices:read', { type: 'Invoice', id: '1' }), true)
  t.equal(await reasonOf(() => verifier.verify(text, { permissions: ['invoices:modify'] })), 'insufficient_scope')
  t.ok(await verifier.verify(text, { anyPermission: ['invoices:modify', 'invoices:read'] }))
  const both = await verifier.verify(token({ roles: ['clerk', 'boss', 'unknown'] }))
  t.equal(both.can('invoices:delete'), true)
  t.equal(both.can('nothing:read'), false, 'what is in no catalogue')
  t.equal((await verifier.verify(token({ roles: [] }))).can('invoices:read'), false, 'nobody without a role')
  t.equal(world.bundlesAsked(), 1, 'asked once')
  t.equal(world.asked.find(({ path }) => path === bundlePath)?.headers.get('authorization'), `Bearer ${text}`)
})

t.test('What explain says is what the decision API says', async t => {
  const { create, token } = setUp(t)
  const verifier = create()
  const clerk = await verifier.verify(token())
  t.strictSame(clerk.explain('invoices:read'), {
    decision: true,
    reasons: [
      {
        type: 'role',
        permission: 'invoices:read',
        role: { id: 'r-clerk', name: 'clerk' },
        message: 'The role clerk holds the permission invoices:read.',
      },
    ],
  })
  t.match(clerk.explain('invoices:modify'), {
    decision: false,
    reasons: [
      {
        message:
          'This needs the permission invoices:modify, which none of the roles (clerk) holds and no policy permits here.',
      },
    ],
  })
})

t.test('Policies decide about the resource', async t => {
  const { create, issuer, token } = setUp(t)
  const source = `permit(principal in ?principal, action == Action::"invoices:modify", resource)
when { resource has owner && resource.owner == principal.id };
forbid(principal, action == Action::"invoices:delete", resource) when { resource.state == "paid" };`
  const bundle = {
    permissions,
    roles: [
      { id: 'r-clerk', name: 'clerk', permissions: ['invoices:read'] },
      { id: 'r-boss', name: 'boss', permissions },
      { id: 'r-super', name: 'super_admin', permissions },
    ],
    policies: [
      {
        id: 'p-1',
        name: 'own invoices',
        source,
        statements: [
          { number: 1, line: 1, effect: 'permit' as const, actions: ['invoices:modify'], isTemplate: true },
          { number: 2, line: 3, effect: 'forbid' as const, actions: ['invoices:delete'], isTemplate: false },
        ],
        attachments: [{ type: 'role' as const, id: 'r-clerk' }],
      },
    ],
  }
  issuer.setBundle(tenant, bundle)
  const decider = createDecider({ version: 2, tenant, ...bundle })
  t.teardown(() => decider.close())
  const verifier = create()
  const of = (owner: string, state = 'open') => ({ type: 'Invoice', id: '7', properties: { owner, state } })
  const clerk = await verifier.verify(token({ sub: 'ann' }))
  t.equal(clerk.can('invoices:modify', of('ann')), true)
  t.equal(clerk.can('invoices:modify', of('bob')), false)
  t.equal(clerk.can('invoices:modify'), false, 'without a resource: not outright')
  const boss = await verifier.verify(token({ sub: 'bob', roles: ['boss'] }))
  t.equal(boss.can('invoices:delete', of('ann')), true)
  t.equal(boss.can('invoices:delete', of('ann', 'paid')), false)
  t.equal(boss.can('invoices:delete'), false, 'a forbid that cannot be evaluated forbids')
  const staff = await verifier.verify(token({ roles: ['super_admin'] }))
  t.equal(staff.can('invoices:delete', of('ann', 'paid')), true, 'policies do not bind staff of the platform')
  const client = { sub: 'c-1', roles: ['clerk'] }
  const sub = await verifier.verify(token({ sub: 'ann', kind: 'sub_client', roles: ['boss'], client }))
  t.equal(sub.can('invoices:read'), true)
  t.equal(sub.can('invoices:delete', of('ann')), false, 'a sub-client never surpasses its client')
  const raised = await verifier.verify(
    token({ sub: 'ann', kind: 'sub_client', roles: ['super_admin'], client: { sub: 'c-1', roles: ['boss'] } }),
  )
  t.equal(
    raised.can('invoices:delete', of('ann', 'paid')),
    false,
    'whoever has a client above them is none of the staff',
  )
  const subjects = [
    {
      principal: raised,
      subject: {
        id: 'ann',
        kind: 'sub_client',
        roles: ['super_admin'],
        ceiling: { id: 'c-1', kind: 'client', roles: ['boss'] },
      },
    },
    { principal: clerk, subject: { id: 'ann', kind: 'user', roles: ['clerk'] } },
    { principal: boss, subject: { id: 'bob', kind: 'user', roles: ['boss'] } },
    {
      principal: sub,
      subject: {
        id: 'ann',
        kind: 'sub_client',
        roles: ['boss'],
        ceiling: { id: 'c-1', kind: 'client', roles: ['clerk'] },
      },
    },
  ]
  for (const { principal, subject } of subjects) {
    for (const action of [...permissions, 'nothing:read']) {
      for (const resource of [of('ann'), of('bob', 'paid'), { type: 'in', id: '1' }, { type: 'User', id: 'ann' }]) {
        t.strictSame(principal.explain(action, resource), decider.decide({ subject, action, resource }))
        t.equal(principal.can(action, resource), principal.explain(action, resource).decision)
      }
    }
  }
})

t.test('Whoever has to change their password first gets nothing by a policy for everybody', async t => {
  const { clock, create, issuer, token } = setUp(t)
  const source = 'permit(principal, action == Action::"invoices:read", resource);'
  const statement = { number: 1, line: 1, effect: 'permit' as const, actions: ['invoices:read'], isTemplate: false }
  const policies = [{ id: 'p', name: 'open', source, statements: [statement], attachments: [] }]
  issuer.setBundle(tenant, { permissions, roles: [], policies })
  const verifier = create()
  const barred = token({ roles: [], permissions: [] })
  t.ok((await verifier.verify(token({ roles: [] }))).can('invoices:read'), 'others do')
  clock.nowMs += 31 * second
  t.ok((await verifier.verify(token({ roles: [] }))).can('invoices:read'), 'by a bundle that is newer than the token')
  const principal = await verifier.verify(barred)
  t.equal(principal.can('invoices:read'), false)
  t.equal(principal.explain('invoices:read').decision, false)
})

t.test('A role that is taken away or changed counts within the life of a bundle', async t => {
  const world = setUp(t)
  const { clock, create, issuer, token } = world
  const verifier = create()
  const text = token({ exp: Math.floor(clock.nowMs / 1000) + 3600 })
  t.ok((await verifier.verify(text)).can('invoices:read'))
  issuer.setBundle(tenant, { permissions, roles: [{ name: 'clerk', permissions: ['invoices:modify'] }] })
  clock.nowMs += 61 * second
  const clerk = await verifier.verify(text)
  t.equal(clerk.can('invoices:read'), false)
  t.equal(clerk.can('invoices:modify'), true)
  t.equal(world.bundlesAsked(), 2)
})

t.test('Push: a new version is fetched as soon as it is said', async t => {
  const world = setUp(t)
  const { create, issuer, token } = world
  const verifier = create({ revocation: { mode: 'push' }, serviceKey: 'a-key-of-a-service' })
  const clerk = await verifier.verify(token())
  await waitUntil(() => world.asked.some(({ path }) => path === '/verifier/events'))
  const stream = world.asked.find(({ path }) => path === '/verifier/events')
  t.equal(stream?.headers.get('x-api-key'), 'a-key-of-a-service')
  const fetched = world.asked.find(({ path }) => path === bundlePath)
  t.equal(fetched?.headers.get('x-api-key'), 'a-key-of-a-service', 'bundles are fetched with it as well')
  t.equal(fetched?.headers.has('authorization'), false)
  issuer.setBundle(tenant, { permissions, roles: [{ name: 'clerk', permissions: ['invoices:modify'] }] })
  await waitUntil(() => clerk.can('invoices:modify'))
  t.equal(clerk.can('invoices:read'), false)
})

t.test('A token with a list of permissions needs no bundle, and takes a newer one', async t => {
  const world = setUp(t)
  const { clock, create, token } = world
  const verifier = create()
  const listed = token({ permissions: ['invoices:delete'] })
  const principal = await verifier.verify(listed, { permissions: ['invoices:delete'] })
  t.equal(principal.can('invoices:read'), false)
  t.equal(world.bundlesAsked(), 0)
  t.strictSame(principal.explain('invoices:delete'), {
    decision: true,
    reasons: [
      {
        type: 'token',
        permission: 'invoices:delete',
        message: 'The token carries the permission invoices:delete.',
      },
    ],
  })
  t.equal(principal.explain('invoices:read').decision, false)
  clock.nowMs += 2 * second
  await verifier.verify(listed)
  t.equal(world.bundlesAsked(), 1, 'whoever wants reasons gets bundles from then on')
  t.equal(principal.can('invoices:delete'), false, 'the bundle is newer than the token')
  t.equal(principal.can('invoices:read'), true)
  t.equal(principal.explain('invoices:read').reasons[0]?.type, 'role')
  clock.nowMs += 10 * second
  const newer = await verifier.verify(token({ permissions: ['invoices:delete'] }))
  t.equal(newer.can('invoices:delete'), true, 'this token is newer than the bundle')
})

t.test('V-14 a bundle that is forged, older, or of another tenant is refused', async t => {
  const world = setUp(t)
  const { clock, create, issuer, token } = world
  const stranger = createTestIssuer({ issuer: issuer.issuer, now: () => clock.nowMs })
  const now = () => Math.floor(clock.nowMs / 1000)
  const roles = [{ id: 'r', name: 'clerk', permissions: ['invoices:delete'] }]
  const good = () => ({
    iss: issuer.issuer,
    sub: tenant,
    iat: now(),
    exp: now() + 3600,
    ttl: 60,
    version: 9,
    permissions,
    roles,
    policies: [],
  })
  const head = (more: object = {}) => ({ alg: 'RS256', typ: 'authz-bundle+jwt', kid: issuer.key.kid, ...more })
  const write = (payload: object, header: object = head()) => issuer.sign(header, JSON.stringify(payload))
  const policy = { id: 'p', name: 'p', source: '', statements: [], attachments: [] }
  const statement = { number: 1, line: 1, effect: 'permit', actions: null, is_template: false }
  const wrong: Record<string, () => string> = {
    'signed by another': () => stranger.sign(head(), JSON.stringify(good())),
    'of another type': () => write(good(), head({ typ: 'at+jwt' })),
    'a status list': () => write(good(), head({ typ: 'statuslist+jwt' })),
    unsigned: () => write(good(), head({ alg: 'none' })),
    'of another tenant': () => write({ ...good(), sub: 'other' }),
    'of another issuer': () => write({ ...good(), iss: 'https://other.test' }),
    expired: () => write({ ...good(), exp: now() - 31 }),
    'of the future': () => write({ ...good(), iat: now() + 31 }),
    'without a version': () => write({ ...good(), version: undefined }),
    'of a version that is no number': () => write({ ...good(), version: '9' }),
    'without roles': () => write({ ...good(), roles: undefined }),
    'with a role without a name': () => write({ ...good(), roles: [{ id: 'r', permissions: [] }] }),
    'with permissions that are no texts': () => write({ ...good(), permissions: [1] }),
    'with an effect that is none': () =>
      write({ ...good(), policies: [{ ...policy, statements: [{ ...statement, effect: 'allow' }] }] }),
    'with a statement that does not say whom it is for': () =>
      write({ ...good(), policies: [{ ...policy, statements: [{ ...statement, is_template: undefined }] }] }),
    'with an attachment of no kind': () =>
      write({ ...good(), policies: [{ ...policy, attachments: [{ type: 'unit', id: 'u' }] }] }),
    'no JWT': () => 'hello',
  }
  for (const [name, text] of Object.entries(wrong)) {
    world.answer = path => (path === bundlePath ? bundleAnswer(text()) : undefined)
    const verifier = create()
    t.equal(
      await reasonOf(() => verifier.verify(token(), { permissions: ['invoices:delete'] })),
      'bundle_unavailable',
      name,
    )
    t.ok(await verifier.verify(token()), `${name}: who needs no permission is served`)
  }
  world.answer = path => (path === bundlePath ? bundleAnswer(write(good())) : undefined)
  const verifier = create()
  t.ok(await verifier.verify(token(), { permissions: ['invoices:delete'] }), 'a right one')
  world.answer = path => (path === bundlePath ? bundleAnswer(write({ ...good(), version: 8, roles: [] })) : undefined)
  clock.nowMs += 61 * second
  t.ok(await verifier.verify(token(), { permissions: ['invoices:delete'] }), 'an older one does not replace it')
  t.same(world.stale, ['bundle'], 'and the listener hears of it')
})

t.test('V-14 a bundle of one tenant decides nothing in another', async t => {
  const { create, issuer, token } = setUp(t)
  issuer.setBundle('other', { permissions, roles: [{ name: 'clerk', permissions }] })
  const verifier = create()
  const [here, there] = [await verifier.verify(token()), await verifier.verify(token({ tid: 'other' }))]
  t.equal(here.can('invoices:delete'), false)
  t.equal(there.can('invoices:delete'), true)
})

t.test('The issuer is gone: a bundle serves until it expires', async t => {
  const world = setUp(t)
  const { clock, create, token } = world
  const verifier = create({ keysMaxStaleMs: 10 * 86_400 * second })
  const text = token({ exp: Math.floor(clock.nowMs / 1000) + 10 * 86_400 })
  const principal = await verifier.verify(text, { permissions: ['invoices:read'] })
  world.answer = () => new Response(null, { status: 502 })
  clock.nowMs += 3_600 * second
  t.ok(await verifier.verify(text, { permissions: ['invoices:read'] }), 'for a long time')
  t.ok(world.stale.includes('bundle'))
  clock.nowMs += 86_400 * second
  t.equal(await reasonOf(() => verifier.verify(text, { permissions: ['invoices:read'] })), 'bundle_unavailable')
  t.equal(await reasonOf(() => principal.can('invoices:read')), 'bundle_unavailable', 'and so says the principal')
})

t.test('Whoever decides elsewhere fetches no bundle', async t => {
  const world = setUp(t)
  const { create, token } = world
  const verifier = create({ bundles: false })
  const principal: Principal = await verifier.verify(token())
  t.throws(() => principal.can('invoices:read'), AuthError)
  t.equal(world.bundlesAsked(), 0)
})

t.test('500 cold requests of one tenant: one fetch of its bundle', async t => {
  const world = setUp(t)
  const { create, token } = world
  const verifier = create()
  const need = { permissions: ['invoices:read'] }
  await Promise.all(Array.from({ length: 500 }, () => verifier.verify(token(), need)))
  t.equal(world.bundlesAsked(), 1)
})

t.test('Bundles of so many tenants are held and no more', async t => {
  const world = setUp(t)
  const { clock, create, issuer, token } = world
  const verifier = create()
  const tenants = Array.from({ length: 210 }, (_, at) => `t-${at}`)
  for (const name of tenants) {
    issuer.setBundle(name, { permissions, roles: [{ name: 'clerk', permissions: ['invoices:read'] }] })
    clock.nowMs += 1
    t.ok((await verifier.verify(token({ tid: name }))).can('invoices:read'))
  }
  const asked = world.asked.length
  t.ok((await verifier.verify(token({ tid: 't-209' }))).can('invoices:read'))
  t.equal(world.asked.length, asked, 'the last one is held')
  t.ok((await verifier.verify(token({ tid: 't-0' }))).can('invoices:read'))
  t.equal(world.asked.length, asked + 1, 'the first one was given up')
})

function bundleAnswer(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/jwt' } })
}
