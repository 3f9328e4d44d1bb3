/** The JSON form: what it becomes, and that no value of it ever becomes code. */
import t from 'tap'
import { createWorld } from './world.ts'

const { admin, call } = await createWorld(t)

const validate = (...form: object[]) => call(admin, 'POST', 'policies/validate', { form })
const statement = (more: object = {}) => ({ effect: 'permit', actions: ['users:read'], ...more })
const conditionOn = (attribute: string, operator: string, ...[value]: unknown[]) =>
  statement({ conditions: [{ attribute, operator, ...(value === undefined ? {} : { value }) }] })
/** The condition that one condition of the form becomes. */
const textOf = async (form: object) => {
  const { body } = await validate(form)
  t.equal(body.valid, true, JSON.stringify(body))
  return /(?:when \{ )([^]*)(?: \};)/.exec(body.source)?.[1]
}

t.test('the form becomes the Cedar text that it means', async t => {
  const { body } = await validate(
    { effect: 'permit', actions: ['users:list', 'users:read'] },
    { effect: 'forbid', actions: '*', principal: 'everyone', resources: { type: 'Shop::Invoice', ids: ['7'] } },
    {
      effect: 'permit',
      actions: ['roles:read'],
      principal: 'attached',
      resources: { type: 'Invoice', ids: ['7', '8'] },
    },
  )
  t.equal(
    body.source,
    [
      'permit (',
      '  principal in ?principal,',
      '  action in [Action::"users:list", Action::"users:read"],',
      '  resource',
      ');',
      '',
      'forbid (',
      '  principal,',
      '  action,',
      '  resource == Shop::Invoice::"7"',
      ');',
      '',
      'permit (',
      '  principal in ?principal,',
      '  action in [Action::"roles:read"],',
      '  resource is Invoice',
      ')',
      'when { [Invoice::"7", Invoice::"8"].contains(resource) };',
      '',
    ].join('\n'),
  )
  t.match(body.statements, [
    {
      line: 1,
      effect: 'permit',
      actions: ['users:list', 'users:read'],
      attachable_to: ['user', 'role'],
      is_conditional: false,
    },
    { line: 7, effect: 'forbid', actions: null, applies_to: 'everyone', is_conditional: true },
    { line: 13, effect: 'permit', actions: ['roles:read'], is_conditional: true },
  ])
})

t.test('each operator is the one of Cedar', async t => {
  for (const [attribute, operator, value, text] of [
    ['resource.owner_id', 'equals', { attribute: 'principal.id' }, 'resource.owner_id == principal.id'],
    ['context.ip', 'not_equals', '192.0.2.1', 'context.ip != "192.0.2.1"'],
    ['resource.state', 'in', ['open', 7, true], '["open", 7, true].contains(resource.state)'],
    ['principal.id', 'in', { attribute: 'resource.editors' }, 'resource.editors.contains(principal.id)'],
    ['principal.roles', 'contains', 'clerk', 'principal.roles.contains("clerk")'],
    ['resource.amount', 'less_than', 100, 'resource.amount < 100'],
    ['resource.amount', 'less_than_or_equals', -5, 'resource.amount <= (-5)'],
    ['resource.amount', 'greater_than', { attribute: 'context.limit' }, 'resource.amount > (context.limit)'],
    ['resource.amount', 'greater_than_or_equals', 0, 'resource.amount >= 0'],
    ['resource.address.city', 'has', undefined, '(resource.address) has city'],
    ['resource.name', 'like', 'a*b', 'resource.name like "a*b"'],
    ['resource.cost-centre', 'equals', 'x', 'resource["cost-centre"] == "x"'],
    ['resource.if', 'equals', true, 'resource["if"] == true'],
  ] as [string, string, unknown, string][]) {
    const written = (await textOf(conditionOn(attribute, operator, value)))?.replaceAll(/[()\s]/g, '')
    t.equal(written, text.replaceAll(/[()\s]/g, ''), operator)
  }
})

t.test('a fault is named by its place in the form', async t => {
  const invalid = async (form: object[], ...errors: object[]) => {
    const { status, body } = await validate(...form)
    t.match([status, body], [200, { valid: false, errors, source: null, statements: [] }], JSON.stringify(body))
    t.equal(body.errors.length, errors.length)
  }
  await invalid(
    [statement(), statement({ actions: ['users:read', 'no:such', 'tenants:create'] })],
    { pointer: '/form/1/actions/1', message: /no:such is not in the catalogue/ },
    { pointer: '/form/1/actions/2', message: /only policies of the platform/ },
  )
  await invalid([conditionOn('principal.email', 'equals', 'x')], {
    pointer: '/form/0/conditions/0/attribute',
    message: /principal has no email/,
  })
  await invalid([conditionOn('resource.x', 'equals', { attribute: 'principal.name' })], {
    pointer: '/form/0/conditions/0/value/attribute',
  })
  for (const [operator, value, message] of [
    ['has', 'x', /compares nothing/],
    ['equals', undefined, /is required/],
    ['in', 'x', /must be a list/],
    ['like', 7, /must be a text/],
    ['less_than', 'x', /must be a whole number/],
    ['greater_than', [1], /must be a whole number/],
  ] as const) {
    await invalid([conditionOn('resource.x', operator, value)], { pointer: '/form/0/conditions/0/value', message })
  }
  for (const type of ['true', 'if', 'in', 'permit::is', '__cedar', 'A::__cedar::B']) {
    const { body } = await validate(statement({ resources: { type } }))
    t.ok(body.valid === true || body.errors[0].pointer === '/form/0', `${type} ${JSON.stringify(body)}`)
  }
})

t.test('what is no form is refused before anybody reads it', async t => {
  for (const [form, pointer] of [
    [[], '/form'],
    [[{ effect: 'allow', actions: '*' }], '/form/0/effect'],
    [[{ effect: 'permit' }], '/form/0/actions'],
    [[statement({ actions: [] })], '/form/0/actions'],
    [[statement({ actions: ['users read'] })], '/form/0/actions/0'],
    [[statement({ when: 'true' })], '/form/0/when'],
    [[statement({ __proto__x: 1 })], '/form/0/__proto__x'],
    [[conditionOn('action.id', 'equals', 1)], '/form/0/conditions/0/attribute'],
    [[conditionOn('resource', 'equals', 1)], '/form/0/conditions/0/attribute'],
    [[conditionOn('resource.a"] == 1 }; permit(', 'equals', 1)], '/form/0/conditions/0/attribute'],
    [[conditionOn('resource.a', 'is', 'User')], '/form/0/conditions/0/operator'],
    [[conditionOn('resource.a', 'equals', 1.5)], '/form/0/conditions/0/value'],
    [[conditionOn('resource.a', 'equals', 2 ** 60)], '/form/0/conditions/0/value'],
    [[conditionOn('resource.a', 'equals', { __entity: { type: 'User', id: 'x' } })], '/form/0/conditions/0/value'],
    [[conditionOn('resource.a', 'equals', { Var: 'principal' })], '/form/0/conditions/0/value'],
    [[conditionOn('resource.a', 'in', [['x']])], '/form/0/conditions/0/value/0'],
    [[statement({ resources: { type: 'Invoice); permit(principal, action, resource' } })], '/form/0/resources/type'],
    [Array.from({ length: 51 }, () => statement()), '/form'],
  ] as [object[], string][]) {
    const { status, body } = await validate(...form)
    t.equal(status, 400, JSON.stringify(form).slice(0, 90))
    t.ok(
      body.errors.some((fault: { pointer: string }) => fault.pointer.startsWith(pointer)),
      JSON.stringify(body.errors),
    )
  }
  const deep = `{"form":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
  t.equal((await call(admin, 'POST', 'policies/validate', deep)).status, 400, 'fifty thousand levels')
})

t.test('I-05 a value never becomes code: one statement goes in and one comes out, with the value in it', async t => {
  const attempts = [
    '"; permit(principal, action, resource); //',
    '" }; permit(principal, action, resource); //',
    '\\"; permit(principal, action, resource); //',
    '\\',
    '"',
    '\n\r\t\u0000',
    '\u2028" };\npermit(principal, action, resource);',
    '*/ permit /*',
    '// \n',
    '${principal}',
    '?principal',
    '?resource',
    '" == "" || true || "',
    '__proto__',
    '{"__entity":{"type":"User","id":"x"}}',
    '\\u{22}',
    'é😀\ufeff\u202e',
  ].map(text => text.replaceAll('\0', ''))
  for (const text of attempts) {
    for (const form of [
      conditionOn('resource.a', 'equals', text),
      conditionOn('resource.a', 'in', [text, text]),
      conditionOn('resource.a', 'like', `${text}*`),
      statement({ resources: { type: 'Invoice', ids: [text] } }),
      statement({ resources: { type: 'Invoice', ids: [text, `${text}2`] } }),
    ]) {
      const { body } = await validate(form)
      t.strictSame([body.valid, body.errors], [true, []], encodeURI(text))
      t.match(body.statements, {
        length: 1,
        0: { actions: ['users:read'], applies_to: 'attached', is_conditional: true },
      })
      const again = await call(admin, 'POST', 'policies/validate', { source: body.source })
      t.same(again.body, body, 'the text says the same when it is sent as a text')
    }
  }
})
