/** Fifty tenants on five connections, with errors and callers who hang up: nobody sees or writes what is another's. */
import { openDatabase, runStatement, withAdminClient } from '@signet/db'
import { newId, type TenantId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import t from 'tap'
import { buildApp } from '../src/index.ts'
import { createWorld } from './world.ts'

const requests = 1_000
const world = await createWorld(t)
const { cast, database } = world
const db = openDatabase({ url: database.url, max: 5 })
const app = await buildApp({ ...world.deps, db })
t.teardown(async () => {
  await app.close()
  await db.close()
})
const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/admin/v1`

interface Crowd {
  readonly id: TenantId
  readonly keeper: TestActor
  readonly mark: string
}

const crowd: Crowd[] = []
for (let index = 0; index < 50; index += 1) {
  const id = await cast.addTenant()
  const mark = `mark-${String(index).padStart(2, '0')}-`
  crowd.push({ id, mark, keeper: await cast.addActor(id, { roles: ['admin'], email: `${mark}keeper@crowd.test` }) })
}
const allMarks = /mark-\d\d-/g

/** One of the kinds of request; some fail by nature, and every ninth caller hangs up. */
async function askOnce(number: number): Promise<string[]> {
  // Each round begins one tenant later: otherwise every tenant would send one kind and no other.
  const turn = number + Math.floor(number / 50)
  const own = crowd[turn % 50] as Crowd
  const foreign = crowd[(turn + 13) % 50] as Crowd
  const email = `${own.mark}${number}@crowd.test`
  const asks: [method: string, path: string, body?: object][] = [
    ['GET', '/users?limit=200&count=true'],
    ['GET', `/users/${own.keeper.userId}`],
    ['GET', `/users/${foreign.keeper.userId}`],
    ['POST', '/users', { email }],
    ['POST', '/users', { email: own.keeper.email }],
    ['POST', '/roles', { name: `${own.mark}${number}`, permissions: ['users:read'] }],
    ['PATCH', `/users/${foreign.keeper.userId}`, { name: own.mark }],
    ['GET', `/roles?limit=200&q=mark`],
    ['POST', '/roles', { name: `${own.mark}${number}`, permissions: ['nothing:read'] }],
    ['GET', '/memberships?q=mark&limit=200'],
  ]
  const [method, path, body] = asks[number % asks.length] as (typeof asks)[number]
  const hangUp = new AbortController()
  if (number % 9 === 0) setImmediate(() => hangUp.abort())
  try {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { ...own.keeper.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: hangUp.signal,
    })
    const text = await answer.text()
    const faults = answer.status >= 500 && answer.status !== 503 ? [`${path}: ${answer.status} ${text}`] : []
    const marks = new Set(text.match(allMarks) ?? [])
    marks.delete(own.mark)
    const isOfStranger = path.includes(foreign.keeper.userId)
    // All five connections were taken, which says nothing of the person: until it does, it is asked again.
    if (isOfStranger && answer.status === 503) return await askOnce(number)
    if (isOfStranger && answer.status !== 404) faults.push(`${path}: ${answer.status}`)
    return [...faults, ...[...marks].map(mark => `${method} ${path} showed ${mark} to ${own.mark}`)]
  } catch (error) {
    return (error as Error).name === 'AbortError' ? [] : [`${method} ${path}: ${String(error)}`]
  }
}

t.test(`T-07 ${requests} mixed requests of fifty tenants over five connections: no leak`, async t => {
  const faults: string[] = []
  let next = 0
  const lane = async () => {
    for (let number = next++; number < requests; number = next++) faults.push(...(await askOnce(number)))
  }
  await Promise.all(Array.from({ length: 40 }, lane))
  t.strictSame(faults, [])

  const strays = await withAdminClient(
    database.superUrl,
    sql => sql<{ email: string; keeper: string }[]>`
      select u.email, k.email as keeper from users u join users k on k.tenant_id = u.tenant_id and k.email like '%keeper@crowd.test'
      where u.email like 'mark-%' and left(u.email, 8) <> left(k.email, 8)`,
  )
  t.strictSame([...strays], [], 'every row is in the tenant that asked for it')
  const left = await Promise.all(
    Array.from({ length: 5 }, () => runStatement(db, sql => sql`select 1 from users where id <> ${newId()} limit 1`)),
  )
  t.ok(
    left.every(rows => rows.length === 0),
    'no connection has kept a tenant',
  )
})
