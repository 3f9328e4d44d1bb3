/** What people write is kept as they wrote it, or refused; it is never read as anything but a text. */
import t from 'tap'
import { readReference, type Schema } from './reference.ts'
import { type Call, fill, nameOf, type Route, routes } from './route-table.ts'
import { ableActor, prepareFor, send } from './walk.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { bodyOf } = await readReference(world)
const bodyRoutes = routes.filter(route => bodyOf(route) !== undefined && route.needs !== 'nothing')

const hostileTexts: readonly string[] = [
  `'; drop table users; --`,
  `" or "1"="1`,
  '<script>alert(1)</script>',
  '{{7*7}} ${7*7} #{7*7}',
  '${jndi:ldap://127.0.0.1/x}',
  '../../../etc/passwd',
  'a\r\nX-Injected: yes',
  'e\u0301 \u00e9 \ufeff\u200b\u202e',
  '__proto__',
  ' ',
  '🜁'.repeat(40),
  'x'.repeat(20_000),
]

/** Members that hold a text, also in arrays, in what is optional and in members of members. */
function textMembers(schema: Schema, pointer: readonly string[] = []): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
    [member, ...(member.anyOf ?? [])].flatMap(each => {
      const here = [...pointer, name]
      if (each.properties !== undefined) return textMembers(each, here)
      return each.type === 'string' && each.enum === undefined ? [here] : []
    }),
  )
}

type Members = Readonly<Record<string, unknown>>

function withText(body: Members, [name = '', ...rest]: readonly string[], text: string): Members {
  const inner = (body[name] ?? {}) as Members
  return { ...body, [name]: rest.length === 0 ? text : withText(inner, rest, text) }
}

function textAt(body: unknown, pointer: readonly string[]): unknown {
  return pointer.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], body)
}

t.test('I-02 a hostile text in any member of any body is kept byte for byte, or refused', async t => {
  let kept = 0
  for (const route of bodyRoutes) {
    for (const pointer of textMembers(bodyOf(route) as Schema)) {
      let prepared: Call | undefined
      for (const text of hostileTexts) {
        prepared ??= await prepareFor(world, route)
        const what = `${nameOf(route)} /${pointer.join('/')} ${JSON.stringify(text.slice(0, 30))}`
        const call = { ...prepared, body: withText(prepared.body ?? {}, pointer, text) }
        const answer = await send(world, ableActor(world, route), route, call)
        t.ok(
          [route.status, 400, 404, 409, 422].includes(answer.status),
          `${what}: ${answer.status} ${answer.text.slice(0, 200)}`,
        )
        if (answer.status >= 300) continue
        prepared = undefined
        const told = textAt(answer.body, pointer)
        if (typeof told !== 'string') continue
        kept += 1
        t.equal(told, text, `${what} is told as it was sent`)
        t.equal(textAt(await readAgain(route, call, answer.headers.location), pointer) ?? text, text, `${what} is kept`)
      }
    }
  }
  t.ok(kept > 20, `${kept} texts were kept`)
})

/** What is read after a creation, or of what was changed. */
async function readAgain(route: Route, { params, headers }: Call, location: unknown): Promise<unknown> {
  const path = typeof location === 'string' ? location : fill(route.path, params)
  const answer = await world.call(ableActor(world, route), 'GET', path, undefined, headers)
  return answer.status === 200 ? answer.body : undefined
}

t.test('I-03 a content type that is none of ours is not read', async t => {
  const types = [
    'application/json\t; charset=utf-7',
    'application/json-seq',
    'application/jsonp',
    'application/ json',
    'text/json',
    'text/html',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'garbage',
    '*/*',
    '\u00e4',
  ]
  for (const route of bodyRoutes) {
    const call = await prepareFor(world, route)
    for (const type of types) {
      const headers = { ...call.headers, 'content-type': type }
      const answer = await send(world, ableActor(world, route), route, { ...call, headers })
      t.match(answer, { status: 415, body: { code: 'unsupported-media-type' } }, `${nameOf(route)} ${type}`)
    }
  }
})

t.test('I-05 __proto__ and constructor are refused anywhere in a body', async t => {
  for (const route of bodyRoutes) {
    const { params, body = {}, headers } = await prepareFor(world, route)
    const text = JSON.stringify(body)
    const first = Object.keys(body)[0] ?? 'name'
    for (const poison of ['"__proto__":{"x":1}', '"constructor":{"prototype":{"x":1}}', '"\\u005f_proto__":{"x":1}']) {
      const whole = text === '{}' ? `{${poison}}` : `${text.slice(0, -1)},${poison}}`
      for (const payload of [whole, `{"${first}":{${poison}}}`, `{"${first}":[{${poison}}]}`, `[{${poison}}]`]) {
        const path = fill(route.path, params)
        const answer = await world.call(ableActor(world, route), route.method, path, payload, headers)
        t.match(answer, { status: 400, body: { code: 'malformed-body' } }, `${nameOf(route)} ${payload.slice(-60)}`)
      }
    }
  }
  t.equal(({} as Record<string, unknown>)['x'], undefined, 'no object has grown a member')
})
