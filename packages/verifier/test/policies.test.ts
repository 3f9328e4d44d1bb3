import t from 'tap'
import {
  type Bundle,
  type BundleStatement,
  createDecider,
  findQuestionFault,
  type Question,
} from '../src/policies/index.ts'

const invoice = { type: 'Invoice', id: '7' }

interface TestPolicy {
  readonly name: string
  readonly source: string
  readonly statements: readonly Partial<BundleStatement>[]
  readonly users?: readonly string[]
  readonly roles?: readonly string[]
}

function bundleOf(...policies: readonly TestPolicy[]): Bundle {
  return {
    version: 1,
    tenant: 'company',
    permissions: ['invoices:delete', 'invoices:modify', 'invoices:read'],
    roles: [
      { id: 'r-1', name: 'member', permissions: [] },
      { id: 'r-2', name: 'billing', permissions: ['invoices:modify', 'invoices:read'] },
      { id: 'r-3', name: 'audit', permissions: ['invoices:read'] },
    ],
    policies: policies.map(({ name, source, statements, users = [], roles = [] }) => ({
      id: `p-${name}`,
      name,
      source,
      statements: statements.map((statement, index) => ({
        number: index + 1,
        line: 1,
        effect: 'permit',
        actions: null,
        isTemplate: false,
        ...statement,
      })),
      attachments: [
        ...users.map(id => ({ type: 'user', id }) as const),
        ...roles.map(id => ({ type: 'role', id }) as const),
      ],
    })),
  }
}

function asks(roles: readonly string[], action: string, rest: Partial<Question> = {}): Question {
  return { subject: { id: 'ann', kind: 'user', roles }, action, resource: invoice, ...rest }
}

const forbidDeleted = {
  name: 'keep',
  source: 'forbid(principal, action == Action::"invoices:modify", resource)\nwhen { resource.is_closed };',
  statements: [{ effect: 'forbid', actions: ['invoices:modify'] }],
} as const

t.test('by roles alone', async t => {
  const decider = createDecider(bundleOf(forbidDeleted))
  t.same(
    decider.decide(asks(['audit', 'billing', 'member'], 'invoices:read')),
    {
      decision: true,
      reasons: [
        {
          type: 'role',
          permission: 'invoices:read',
          role: { id: 'r-3', name: 'audit' },
          message: 'The role audit holds the permission invoices:read.',
        },
        {
          type: 'role',
          permission: 'invoices:read',
          role: { id: 'r-2', name: 'billing' },
          message: 'The role billing holds the permission invoices:read.',
        },
      ],
    },
    'every role that gives it is named',
  )
  t.same(decider.decide(asks(['audit', 'member'], 'invoices:delete')), {
    decision: false,
    reasons: [
      {
        type: 'missing',
        permission: 'invoices:delete',
        message:
          'This needs the permission invoices:delete, which none of the roles (audit, member) holds and no policy permits here.',
      },
    ],
  })
  t.match(decider.decide(asks([], 'invoices:read')).reasons[0]?.message, /which no role gives and no policy permits/)
  t.match(
    decider.decide(asks(['unheard of'], 'invoices:read')),
    { decision: false },
    'a role that the tenant lacks gives nothing',
  )
})

t.test('a permit of a policy', async t => {
  const source =
    '// who owns it\n\npermit(principal, action == Action::"invoices:read", resource is Invoice)\nwhen { resource.owner_id == principal.id };'
  const decider = createDecider(
    bundleOf({ name: 'owners', source, statements: [{ line: 3, actions: ['invoices:read'] }] }),
  )
  const mine = { resource: { ...invoice, properties: { owner_id: 'ann' } } }
  t.same(decider.decide(asks(['member'], 'invoices:read', mine)), {
    decision: true,
    reasons: [
      {
        type: 'permit',
        permission: 'invoices:read',
        policy: { id: 'p-owners', name: 'owners' },
        statement: 1,
        line: 3,
        message: 'Statement 1 (line 3) of the policy owners permits invoices:read.',
      },
    ],
  })
  const theirs = { resource: { ...invoice, properties: { owner_id: 'bob' } } }
  t.match(decider.decide(asks(['member'], 'invoices:read', theirs)), {
    decision: false,
    reasons: [{ type: 'missing' }],
  })
  const unclear = decider.decide(asks(['member'], 'invoices:read'))
  t.match(unclear, { decision: false, reasons: [{ type: 'missing' }, { type: 'permit-error', line: 3 }] })
  t.match(unclear.reasons[1]?.message, /owners cannot be evaluated, so it permits nothing: .*owner_id/)
  t.match(
    decider.decide(asks(['billing', 'audit'], 'invoices:read', mine)).reasons,
    [{ type: 'role' }, { type: 'role' }, { type: 'permit' }],
    'stands beside the roles that give the same',
  )
})

t.test('a forbid', async t => {
  const decider = createDecider(bundleOf(forbidDeleted))
  const closed = { resource: { ...invoice, properties: { is_closed: true } } }
  const open = { resource: { ...invoice, properties: { is_closed: false } } }
  t.same(decider.decide(asks(['billing'], 'invoices:modify', open)).decision, true)
  t.same(decider.decide(asks(['billing'], 'invoices:modify', closed)), {
    decision: false,
    reasons: [
      {
        type: 'forbid',
        permission: 'invoices:modify',
        policy: { id: 'p-keep', name: 'keep' },
        statement: 1,
        line: 1,
        message: 'Statement 1 (line 1) of the policy keep forbids invoices:modify.',
      },
    ],
  })
  const unclear = decider.decide(asks(['billing'], 'invoices:modify'))
  t.match(
    unclear,
    { decision: false, reasons: [{ type: 'forbid-error', error: /is_closed/ }] },
    'that is unclear denies',
  )
  t.match(unclear.reasons[0]?.message, /cannot be evaluated, so it forbids invoices:modify/)
  t.match(
    decider.decide(
      asks(['billing'], 'invoices:modify', {
        subject: { id: 'ann', kind: 'user', roles: ['billing'], isExempt: true },
        ...closed,
      }),
    ),
    { decision: true },
    'does not bind those who are exempt',
  )
})

t.test('attached to people and roles', async t => {
  const decider = createDecider(
    bundleOf(
      {
        name: 'ann reads',
        source: 'permit(principal == ?principal, action in [Action::"invoices:read"], resource);',
        statements: [{ isTemplate: true, actions: ['invoices:read'] }],
        users: ['ann'],
      },
      {
        name: 'no writing',
        source: 'forbid(principal in ?principal, action == Action::"invoices:modify", resource);',
        statements: [{ isTemplate: true, effect: 'forbid', actions: ['invoices:modify'] }],
        roles: ['r-3', 'r-1'],
      },
      {
        name: 'nobody yet',
        source: 'permit(principal in ?principal, action, resource);',
        statements: [{ isTemplate: true, actions: ['invoices:delete'] }],
      },
    ),
  )
  t.match(decider.decide(asks([], 'invoices:read')), { decision: true, reasons: [{ policy: { name: 'ann reads' } }] })
  const bob = { id: 'bob', kind: 'user', roles: ['billing'] }
  t.match(decider.decide({ ...asks([], 'invoices:read'), subject: { ...bob, roles: [] } }), { decision: false })
  t.match(decider.decide({ ...asks([], 'invoices:modify'), subject: bob }), { decision: true })
  const both = { ...bob, roles: ['billing', 'member', 'audit'] }
  const denied = decider.decide({ ...asks([], 'invoices:modify'), subject: both })
  t.match(denied, { decision: false, reasons: [{ type: 'forbid' }] })
  t.equal(denied.reasons.length, 1, 'a statement that holds by two roles is named once')
  t.match(
    decider.decide(asks(['member'], 'invoices:delete')),
    { decision: false },
    'attached to nobody, it says nothing',
  )
})

t.test('principal, context and the rest of the language', async t => {
  const source = [
    'permit(principal, action, resource) when { principal.roles.contains("audit") && principal.kind == "client" && principal.tenant_id == "company" };',
    '@note("a ; in a text")',
    'permit(principal, action, resource) when { context has hour && context.hour < 8 && resource.name like "a;//*" };',
    'forbid(principal, action, resource) when { context has amount && decimal(context.amount).greaterThan(decimal("10.5")) };',
  ].join('\n')
  const decider = createDecider(
    bundleOf({ name: 'all', source, statements: [{}, { line: 2 }, { line: 4, effect: 'forbid' }] }),
  )
  const client = { id: 'c', kind: 'client', roles: ['audit'] }
  t.match(decider.decide({ ...asks([], 'invoices:delete'), subject: client }), {
    decision: true,
    reasons: [{ line: 1 }],
  })
  const early = { context: { hour: 7 }, resource: { ...invoice, properties: { name: 'a;//b' } } }
  t.match(decider.decide(asks([], 'invoices:delete', early)), { decision: true, reasons: [{ statement: 2, line: 2 }] })
  t.match(decider.decide(asks([], 'invoices:delete', { ...early, context: { hour: 7, amount: 10.75 } })), {
    decision: false,
    reasons: [{ type: 'forbid', statement: 3, line: 4 }],
  })
  t.match(decider.decide(asks([], 'invoices:delete', { ...early, context: { hour: 7, amount: null } })), {
    decision: true,
  })
  t.match(
    decider.decide(asks(['audit'], 'invoices:erase', early)),
    { decision: false, reasons: [{ message: /not in the catalogue/ }] },
    'a permit of everything gives no more than the catalogue has',
  )
})

t.test('a sub-client may do only what its client may as well', async t => {
  const decider = createDecider(bundleOf(forbidDeleted))
  const client = { id: 'boss', kind: 'client', roles: ['audit'] }
  const subject = { id: 'sub', kind: 'sub_client', roles: ['billing'], ceiling: client }
  t.match(decider.decide({ ...asks([], 'invoices:read'), subject }), {
    decision: true,
    reasons: [{ role: { name: 'billing' } }],
  })
  const open = { resource: { ...invoice, properties: { is_closed: false } } }
  t.match(decider.decide({ ...asks([], 'invoices:modify', open), subject }), {
    decision: false,
    reasons: [
      { type: 'ceiling', client: 'boss' },
      { type: 'missing', message: /audit/ },
    ],
  })
  t.match(decider.decide({ ...asks([], 'invoices:delete'), subject }).reasons, [{ type: 'missing' }])
})

t.test('what callers send is data', async t => {
  const source = 'permit(principal, action, resource is Invoice) when { principal.kind == "client" };'
  const decider = createDecider(bundleOf({ name: 'clients', source, statements: [{}] }))
  const decide = (resource: Question['resource'], context = {}) =>
    decider.decide(asks([], 'invoices:read', { resource, context }))
  for (const type of [
    'Invoice::"7"',
    'Invoice; permit(principal,action,resource);',
    'if',
    '__cedar::X',
    '',
    'a b',
    'Ünï',
    'x'.repeat(129),
  ]) {
    t.match(
      decide({ type, id: '7' }),
      { decision: false, reasons: [{ type: 'question', pointer: '/resource/type' }] },
      type,
    )
  }
  for (const id of ['"', '\\', '\u0000', '"; permit(principal, action, resource);', '\n//', '']) {
    t.match(decide({ type: 'Invoice', id }), { decision: false, reasons: [{ type: 'missing' }] }, JSON.stringify(id))
  }
  t.match(decide({ type: 'Invoice', id: '\ud800' }), { reasons: [{ type: 'question', pointer: '/resource/id' }] })
  t.match(decide(invoice, { a: [{ 'b/c': '\udc00' }] }), { reasons: [{ pointer: '/context/a/0/b~1c' }] })
  t.match(decide(invoice, { ok: { __entity: { type: 'User', id: 'x' } } }), {
    reasons: [{ pointer: '/context/ok/__entity' }],
  })
  t.match(decide(invoice, { n: Number.NaN }), { reasons: [{ pointer: '/context/n' }] })
  t.match(
    decide({ type: 'User', id: 'ann', properties: { kind: 'client' } }),
    { decision: false },
    'nobody describes the principal anew by asking about them',
  )
  const spoofed = createDecider(
    bundleOf({ name: 'clients', source: source.replace(' is Invoice', ''), statements: [{}] }),
  )
  t.match(
    spoofed.decide(
      asks([], 'invoices:read', { resource: { type: 'User', id: 'ann', properties: { kind: 'client' } } }),
    ),
    { decision: false, reasons: [{ type: 'missing' }] },
  )
  t.match(
    spoofed.decide({ ...asks([], 'invoices:read'), resource: { type: 'Action', id: 'x', properties: { a: 1 } } }),
    {
      decision: false,
    },
  )
})

t.test('10,000-deep properties are refused and hurt nothing', async t => {
  const decider = createDecider(bundleOf(forbidDeleted))
  const nested = JSON.parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)
  const resource = { ...invoice, properties: { nested } }
  t.match(findQuestionFault({ resource }), { message: /deeper than 32 levels/ })
  t.match(decider.decide(asks(['billing'], 'invoices:modify', { resource })), {
    decision: false,
    reasons: [{ type: 'question' }],
  })
  t.match(
    decider.decide(asks(['billing'], 'invoices:modify')),
    { reasons: [{ type: 'forbid-error' }] },
    'Cedar still answers',
  )
})

t.test('what was prepared is given back, and prepared again when it is needed', async t => {
  const open = { resource: { ...invoice, properties: { is_closed: false } } }
  const first = createDecider(bundleOf(forbidDeleted))
  const second = createDecider(bundleOf())
  t.ok(first.decide(asks(['billing'], 'invoices:modify', open)).decision)
  first.close()
  first.close()
  t.ok(second.decide(asks(['billing'], 'invoices:modify')).decision)
  t.ok(first.decide(asks(['billing'], 'invoices:modify', open)).decision)
  t.notOk(first.decide(asks(['billing'], 'invoices:modify')).decision)
})

t.test('text that nobody can have checked is an error, and never a permission', async t => {
  const broken = { name: 'broken', source: 'permit(principal, action resource);', statements: [{}] }
  t.throws(() => createDecider(bundleOf(broken)).decide(asks(['billing'], 'invoices:read')), /Cedar refuses a policy/)
  const short = { name: 'short', source: 'permit(principal, action, resource);', statements: [{}, {}] }
  t.throws(() => createDecider(bundleOf(short)).decide(asks(['billing'], 'invoices:read')), /has no statement 2/)
})
