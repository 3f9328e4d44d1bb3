/** What is said of a policy's text: what its statements mean, or where it is wrong. */
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import t from 'tap'
import { createWorld } from './world.ts'

const { admin, staff, call } = await createWorld(t)

const validate = async (source: string, who = admin) => {
  const answer = await call(who, 'POST', 'policies/validate', { source })
  t.equal(answer.status, 200, 'is read')
  return answer.body
}
const faultOf = async (source: string) => {
  const report = await validate(source)
  t.equal(report.valid, false, encodeURI(source.slice(0, 100)))
  return report.errors[0]
}
/** Decides by the text, as whoever decides does: the stack holds that as well. */
const decide = (source: string) => {
  t.equal(preparsePolicySet('test', { staticPolicies: source }).type, 'success')
  const [principal, action, resource] = ['User', 'Action', 'Tenant'].map(type => ({ type, id: '7' })) as [Id, Id, Id]
  const question = { principal, action, resource, context: {}, entities: [], preparsedPolicySetId: 'test' }
  t.equal(statefulIsAuthorized(question).type, 'success')
}
interface Id {
  readonly type: string
  readonly id: string
}
const when = (expression: string) => `permit (principal, action, resource) when { ${expression} };`

t.test('each statement is said to mean what it means', async t => {
  const source = [
    '// A comment; with a semicolon and a " quote',
    'permit (principal in ?principal, action == Action::"users:read", resource);',
    '',
    '@id("a;b") forbid (principal == ?principal, action in [Action::"users:list", Action::"users:read"], resource is Invoice);',
    'permit (principal, action in Action::"roles:read", resource == Tenant::"7") unless { context.text == "a; // \\" b" };',
    'forbid (principal, action, resource) when { [principal].contains(resource.owner) };',
  ].join('\n')
  const { valid, errors, statements, source: kept } = await validate(source)
  t.strictSame([valid, errors, kept], [true, [], source])
  const both = ['user', 'role']
  t.same(
    statements,
    [
      [1, 2, 'permit', ['users:read'], 'attached', both, false],
      [2, 4, 'forbid', ['users:list', 'users:read'], 'attached', ['user'], true],
      [3, 5, 'permit', ['roles:read'], 'everyone', [], true],
      [4, 6, 'forbid', null, 'everyone', [], true],
    ].map(([number, line, effect, actions, applies_to, attachable_to, is_conditional]) => ({
      number,
      line,
      effect,
      actions,
      applies_to,
      attachable_to,
      is_conditional,
    })),
  )
})

t.test('a fault is named by its line and column in the text that was sent', async t => {
  const ok = 'permit (principal, action, resource);'
  for (const [source, line, column, message] of [
    ['permit (principal action, resource);', 1, 19, /unexpected token `action`/],
    [`${ok}\n\n  foo (principal, action, resource);`, 3, 3, /foo/],
    [`${ok}\r\n${ok}\r${ok.replace('resource', 'x')}`, 3, 28, /x/],
    [`// é😀\n${when('"é😀" == foo')}`, 2, 53, /invalid variable: foo/],
    [`${ok} permit (principal, action, resource)`, 1, 75, /unexpected end of input/],
    ['', 1, 1, /no statement/],
    ['  // nothing', 1, 1, /no statement/],
    [when('"\\q" == "a"'), 1, 45, /escape/],
    [when('resource.a == "unterminated'), 1, 59, /closed/],
    [when("resource.a == 'x'"), 1, 59, /double quotes/],
    [when('99999999999999999999 == 1'), 1, 45, /too large/],
    [when('/* no; */ true'), 1, 45, /unexpected token/],
    [
      `${ok}\npermit (principal,\n  action in [Action::"users:read",\n    Action::"users:raed"], resource);`,
      4,
      5,
      /users:raed is not in the catalogue/,
    ],
    ['permit (principal, action == Action::"tenants:create", resource);', 1, 30, /only policies of the platform/],
    [
      'permit (principal, action == Shop::Action::"users:read", resource);',
      1,
      36,
      /Shop::Action is no type of actions: write Action::"users:read"/,
    ],
    ['permit (principal, action in [], resource);', 1, 20, /names no action/],
    [
      'permit (principal == User::"7", action, resource);',
      1,
      9,
      /write `principal` for everybody .* or `principal in \?principal`/,
    ],
    ['permit (principal in Role::"7", action, resource);', 1, 9, /the head names nobody/],
    ['permit (principal is User, action, resource);', 1, 9, /the head names nobody/],
    ['permit (principal is User in ?principal, action, resource);', 1, 9, /the head names nobody/],
    ['permit (principal, action, resource == ?resource);', 1, 40, /nothing fills in \?resource/],
    ['permit (principal, action, resource is Invoice in ?resource);', 1, 51, /nothing fills in \?resource/],
    [when('principal == ?principal'), 1, 58, /slot/],
    [when('true && principal.email == "a"'), 1, 53, /principal has no email: it has id, kind, tenant_id, roles/],
    [when('principal["email"] == "a"'), 1, 1, /principal has no email/],
  ] as [string, number, number, RegExp][]) {
    const fault = await faultOf(source)
    t.match(fault, { pointer: '/source', message, line, column }, encodeURI(source.slice(0, 90)))
  }
})

t.test('faults of several statements are named together, twenty at most', async t => {
  const { errors } = await validate('permit (principal);\nforbid (principal, action == Action::"no:such", resource);\n')
  t.match(errors, [{ line: 1 }, { line: 2, message: /no:such/ }])
  t.equal((await validate('foo;'.repeat(40))).errors.length, 20)
})

t.test('a policy of the platform may name what works on the installation', async t => {
  const source = 'permit (principal in ?principal, action == Action::"tenants:create", resource);'
  t.match(await validate(source, staff), { valid: true })
})

t.test('fifty statements and 64 kB are the most', async t => {
  const statement = 'permit (principal, action, resource);\n'
  t.match(await validate(statement.repeat(50)), { valid: true })
  t.match(await faultOf(statement.repeat(51)), { message: /is statement 51: 50 are the most/, line: 51 })
  const comment = (bytes: number) => `${statement}//${'é'.repeat((bytes - statement.length - 2) / 2)}`
  t.match(await validate(comment(65_536)), { valid: true })
  t.match(await faultOf(comment(65_538)), { message: /is 65538 bytes long: 65536 are the most/ })
  const answer = await call(admin, 'POST', 'policies/validate', { source: comment(300_000) })
  t.match(answer, { status: 413, body: { code: 'body-too-large' } })
})

t.test('whatever is nested deeply or goes on for long is refused or read, and the parser lives', async t => {
  const shapes: Record<string, (n: number) => string> = {
    parentheses: n => `${'('.repeat(n)}true${')'.repeat(n)}`,
    sets: n => `${'['.repeat(n)}1${']'.repeat(n)} == 1`,
    records: n => `${'{a:'.repeat(n)}1${'}'.repeat(n)} == 1`,
    calls: n => `${'ip('.repeat(n)}"::1"${')'.repeat(n)} == 1`,
    arguments: n => `${'[1].contains('.repeat(n)}1${')'.repeat(n)}`,
    indices: n => `context${'["a"]'.repeat(n)} == 1`,
    attributes: n => `context${'.a'.repeat(n)} == 1`,
    conditions: n => `${'if true then true else '.repeat(n)}true`,
    'conditions of conditions': n => `${'if '.repeat(n)}true${' then true else true'.repeat(n)}`,
    'conditions in parentheses': n => `${'(if true then true else '.repeat(n)}true${')'.repeat(n)}`,
    sums: n => `1${'+1'.repeat(n)} == 1`,
    products: n => `1${'*1'.repeat(n)} == 1`,
    ands: n => `true${' && true'.repeat(n)}`,
    ors: n => `true${'||true'.repeat(n)}`,
    negations: n => `${'!'.repeat(n)}true`,
    minuses: n => `${'-'.repeat(n)}1 == 1`,
    methods: n => `context${'.contains(1)'.repeat(n)}`,
    types: n => `A${'::A'.repeat(n)}::"x" == 1`,
    has: n => `context has a${'.a'.repeat(n)}`,
    closers: n => `${')'.repeat(n)}${'('.repeat(n)}`,
    quotes: n => '"\\"'.repeat(n),
  }
  for (const [name, shape] of Object.entries(shapes)) {
    const seen = new Set<boolean>()
    for (const n of [1, 8, 15, 16, 29, 30, 31, 32, 33, 100, 500, 1_300, 1_900, 5_000, 20_000]) {
      const source = when(shape(n))
      if (source.length > 65_000) break
      const { valid } = await validate(source)
      seen.add(valid)
      if (valid) decide(source)
    }
    t.ok(seen.size > 0, name)
    t.match(await validate(when('true')), { valid: true }, `after ${name}`)
  }
  // As deep and as long as the bounds allow, both at once.
  const nests: ((inner: string) => string)[] = [
    inner => `${'('.repeat(29)}${inner}${')'.repeat(29)}`,
    inner => `${'['.repeat(29)}${inner}${']'.repeat(29)} == 1`,
    inner => `${'{a: '.repeat(29)}${inner}${'}'.repeat(29)} == 1`,
    inner => `${'(if true then true else '.repeat(15)}${inner}${')'.repeat(15)}`,
    inner => `${'if true then true else '.repeat(29)}${inner}`,
  ]
  for (const nest of nests) {
    for (const name of ['sums', 'attributes', 'indices', 'ors', 'methods'] as const) {
      const accepted = new Set<number>()
      for (const length of [30, 60, 66, 80, 90, 96, 98, 100, 300, 600, 900, 1_800]) {
        const source = when(nest(shapes[name]?.(length) ?? ''))
        if (!(await validate(source)).valid) continue
        accepted.add(length)
        decide(source)
      }
      t.ok(accepted.has(60) && !accepted.has(300), `${name} in ${nest('…').slice(0, 12)}`)
    }
  }
  t.match(await validate(when('true')), { valid: true }, 'and the parser lives')
})

t.test('I-02 hostile texts come back byte for byte or are refused', async t => {
  const hostile = [
    'é😀\u202e\u200b',
    "'; drop table policies; --",
    '"); forbid(principal, action, resource); //',
    '${7*7}{{7*7}}<script>',
    '__proto__',
    '\u2028\u2029',
    '\ufeff',
    '%s%n',
    '\\',
  ]
  for (const text of hostile) {
    const comment = `// ${text}\npermit (principal, action == Action::"users:read", resource);`
    const { valid, source } = await validate(comment)
    t.ok(valid === false || source === comment, encodeURI(text))
    const literal = when(`resource.name == ${JSON.stringify(text).replaceAll(/[\u200b\u2028\u2029\u202e\ufeff]/g, '')}`)
    t.match(await validate(literal), { valid: true, source: literal, statements: { length: 1 } }, encodeURI(text))
  }
  for (const blank of ['\u2028', '\u2029', '\u0085', '\u000b', '\u000c', '\ufeff']) {
    const source = `// c${blank}permit (principal, action, resource);\nforbid (principal, action == Action::"users:read", resource);`
    const { valid, statements } = await validate(source)
    t.ok(valid === false || statements.length === 1, `a comment never hides a statement: ${encodeURI(blank)}`)
  }
})
