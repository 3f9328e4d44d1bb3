/** Every list of the table takes its own cursors, sort keys and filters, and nothing else. */
import { randomBytes } from 'node:crypto'
import { cursorScope, encodeCursor, newId } from '@signet/kernel'
import t from 'tap'
import { readReference } from './reference.ts'
import { fill, nameOf, type Route, routes } from './route-table.ts'
import { ableActor, prepareFor, send } from './walk.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { company, other, stranger, staff } = world
const { lists, queryOf } = await readReference(world)

t.test('I-04 every list refuses a cursor that it did not give to this very query', async t => {
  for (const list of lists) {
    const who = ableActor(world, list)
    const path = fill(list.path, (await prepareFor(world, list)).params)
    const name = path.split('/').at(-1) ?? ''
    const position = ["now'); drop table users; --", newId()]
    const scopes = [name, path, 'users'].flatMap(list_ => [
      cursorScope(company, list_, { sort: '-created_at' }),
      cursorScope(other, list_, {}),
    ])
    const cursors = [
      ...scopes.map(scope => encodeCursor(randomBytes(32), scope, position)),
      encodeCursor(world.deps.keys.cursor, cursorScope(other, name, { sort: '-created_at' }), position),
      `' or '1'='1`,
      '',
      '.',
      'a.b.c',
      'x'.repeat(1_000),
    ]
    for (const cursor of cursors) {
      const answer = await world.call(who, 'GET', `${path}?cursor=${encodeURIComponent(cursor)}`)
      t.match(answer, { status: 400, body: { code: 'invalid-cursor' } }, `${nameOf(list)} ${cursor.slice(0, 40)}`)
    }
  }
})

t.test('I-04 a cursor of another tenant opens no list', async t => {
  const ownLists = lists.filter(({ path }) => !path.includes(':'))
  let tried = 0
  for (const list of ownLists) {
    const creation = routes.find(({ method, path }) => method === 'POST' && path === list.path)
    const theirs = { ...world, company: other, admin: stranger }
    for (const _ of creation === undefined ? [] : [1, 2])
      await send(theirs, stranger, creation as Route, await (creation as Route).prepare(theirs, stranger))
    const { body } = await world.call(stranger, 'GET', `${list.path}?limit=1`)
    if (body.next_cursor === undefined || body.next_cursor === null) continue
    tried += 1
    const answer = await world.call(ableActor(world, list), 'GET', `${list.path}?limit=1&cursor=${body.next_cursor}`)
    t.match(answer, { status: 400, body: { code: 'invalid-cursor' } }, nameOf(list))
  }
  t.ok(tried >= 3, `${tried} lists gave a cursor`)
})

t.test('I-04 I-05 every list refuses a sort or a filter that is none', async t => {
  for (const list of lists) {
    const who = ableActor(world, list)
    const path = fill(list.path, (await prepareFor(world, list)).params)
    const queries = [
      'sort=password_hash',
      `sort=${encodeURIComponent("created_at'; drop table users")}`,
      'sort=--created_at',
      'limit=0',
      'limit=201',
      'limit=1.5',
      'count=perhaps',
      'colour=red',
      'tenant_id=' + other,
      '__proto__=x',
      'constructor=x',
      '__proto__[x]=y',
      `${encodeURIComponent("id'")}=1`,
      ...[...queryOf(list).keys()].filter(name => name !== 'cursor').map(name => `${name}=a%00b`),
    ]
    for (const query of queries) {
      const answer = await world.call(who, 'GET', `${path}?${query}`)
      t.match(answer, { status: 400, body: { code: 'invalid-input' } }, `${nameOf(list)} ${query}`)
    }
    if (!queryOf(list).has('q')) continue
    for (const text of [`'; drop table users; --`, '%', '_', '\\', '"', '$1', '🜁']) {
      const answer = await world.call(who, 'GET', `${path}?q=${encodeURIComponent(text)}`)
      t.equal(answer.status, 200, `${nameOf(list)} searches for ${text}`)
    }
  }
  t.equal((await world.call(staff, 'GET', 'tenants')).status, 200, 'and nothing is gone')
})
