/** The checks of the fault run of tenants bite: each finds what is planted for it. */
import { once } from 'node:events'
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runStatement, withAdminClient } from '@signet/db'
import { newId } from '@signet/kernel'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { sendOrCut } from '../src/faults/cut-requests.ts'
import {
  findForeignIds,
  findForeignTexts,
  findMiscounted,
  findStrays,
  findUnexplained,
  idsOf,
  ownersOfAddresses,
} from '../src/faults/tenant-checks.ts'
import { requestOf } from '../src/faults/tenant-requests.ts'
import { countByTenant, readMarkedRows, readOwners } from '../src/faults/tenants-repo.ts'
import { seedDirectory } from '../src/seed-directory.ts'

t.test('T-07 what is another tenant’s is found', async t => {
  const { url, superUrl, db } = await testDatabase(t)
  const { samples } = await seedDirectory({ url, superUrl }, { tenants: 3, peopleEach: 4 })
  const [first, second] = samples
  if (first === undefined || second === undefined) throw new Error('There are no tenants.')
  const { owners, counts, rows } = await withAdminClient(superUrl, async sql => {
    const add = (tenantId: string, mark: string) => sql`
      insert into users (tenant_id, id, email, name)
      values (${tenantId}, ${newId()}, ${`${mark}@bench.invalid`}, ${mark})`
    await add(first.keeper.tenantId, 'mark-0-1')
    await add(first.keeper.tenantId, 'mark-1-2')
    const reader = { sql } as unknown as typeof db
    return {
      owners: await readOwners(reader),
      counts: await countByTenant(reader),
      rows: await readMarkedRows(reader),
    }
  })

  t.test('in the words of an answer', async t => {
    const addresses = ownersOfAddresses(samples)
    const [own, foreign] = [first.people[1]?.email ?? '', second.people[2]?.email ?? '']
    t.same(findForeignTexts(addresses, 0, `{"email":"${own}","name":"mark-0-7"}`), [])
    t.same(findForeignTexts(addresses, 0, `["${foreign}","${own}","mark-1-7","mark-1-7"]`), [
      `${foreign} was told to tenant 0`,
      'mark-1-7 was told to tenant 0',
    ])
  })

  t.test('by its id, of whatever table', async t => {
    const [role] = await withAdminClient(
      superUrl,
      sql => sql<{ id: string }[]>`select id from roles where tenant_id = ${second.keeper.tenantId} limit 1`,
    )
    const foreign = [role?.id ?? '', second.keeper.tenantId, second.keeper.userId, second.keeper.sessionId]
    const answer = JSON.stringify([newId(), first.keeper.tenantId, first.keeper.userId, ...foreign])
    const seen = [new Set(idsOf(answer))]
    t.same(
      findForeignIds(samples, seen, owners),
      foreign.map(id => `${id} was told to tenant 0`),
    )
  })

  t.test('among the rows of a tenant', async t => {
    t.same(findStrays(samples, rows.made), [`user mark-1-2 is in ${first.keeper.tenantId}`])
    t.same(findStrays(samples, rows.renamed), [`user mark-1-2 is in ${first.keeper.tenantId}`])
    const miscounted = findMiscounted(samples, counts, rows.made)
    t.match(miscounted, [/^tenant 0 has {"users":6,.*not {"users":5,/, /^tenant 1 has {"users":4,.*not {"users":5,/])
    t.equal(miscounted.length, 2)
    t.same(findMiscounted(samples.slice(2), counts, []), [])
  })

  t.test('where nobody asked for it, or nobody has what was acknowledged', async t => {
    const [one, other] = [
      { kind: 'user', mark: 'mark-0-1' },
      { kind: 'role', mark: 'mark-0-1' },
    ] as const
    t.same(findUnexplained([one], [one], [other]), { lost: [], unasked: [] })
    t.same(findUnexplained([other], [one], []), { lost: ['user mark-0-1'], unasked: ['role mark-0-1'] })
  })

  t.test('and every tenant sends every kind of request', async t => {
    const sent = new Set<string>()
    for (let number = 0; number < 200; number += 1) {
      const { kind, tenant } = requestOf(samples, number)
      sent.add(`${tenant} ${kind}`)
    }
    t.equal(sent.size, 3 * 13)
  })

  t.equal((await runStatement(db, sql => sql`select 1 from users`)).length, 0, 'the program’s login sees none of it')
})

t.test('a caller who hangs up sends half a body, or waits for no answer', async t => {
  const bodies: string[] = []
  const allGone = Promise.withResolvers<void>()
  const server = createServer((asked, answer) => {
    let body = ''
    asked.setEncoding('utf8').on('data', (text: string) => (body += text))
    asked.on('error', () => undefined)
    asked.on('close', () => {
      if (bodies.push(body) === 3) allGone.resolve()
    })
    if (asked.url === '/answered') asked.on('end', () => answer.writeHead(201, { 'retry-after': '3' }).end(body))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => {
    agent.destroy()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const post = { method: 'POST', body: '0123456789' } as const
  const whole = await sendOrCut(agent, url, { ...post, path: '/answered' }, 'token', undefined)
  t.same(whole, { status: 201, retryAfter: 3, body: '0123456789' })
  t.equal(await sendOrCut(agent, url, { ...post, path: '/silent' }, 'token', 'body'), undefined)
  t.equal(await sendOrCut(agent, url, { ...post, path: '/silent' }, 'token', 'answer'), undefined)
  await allGone.promise
  t.same(bodies.toSorted(), ['01234', '0123456789', '0123456789'])
})
