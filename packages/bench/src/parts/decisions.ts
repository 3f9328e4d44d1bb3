/**
 * What a decision costs beside the reading of who asks: by a role alone, and by policies that Cedar has prepared; and how long
 * the call over HTTP takes, SQL and all.
 */

import { withAdminClient } from '@signet/db'
import { newId } from '@signet/kernel'
import { type Administration, expectOk, publishKeys, startAdministration, tokenOf } from '../administration.ts'
import type { Bench } from '../bench.ts'
import { boundMedian, boundWaiting, type Row } from '../report.ts'
import { startWorker } from '../worker.ts'
import { openConnection } from '../workers/http-connection.ts'
import type { DecideQuestion } from '../workers/decide.ts'

const kinds = [
  { policies: 0, subject: 'a decision by role', atMostUs: 50 },
  { policies: 1, subject: 'a decision by 1 policy', atMostUs: 300 },
  { policies: 51, subject: 'a decision by 51 policies', atMostUs: 300 },
] as const

export async function measureDecisions(bench: Bench): Promise<Row[]> {
  const rows: Row[] = []
  for (const { policies, subject, atMostUs } of kinds) {
    bench.say(subject)
    await using worker = startWorker<DecideQuestion, number[]>(bench, workerFile, bench.machine.programCore)
    rows.push(boundMedian({ part: 'decisions', subject, times: await worker.ask({ policies }), atMostUs }))
  }
  return [...rows, ...(await measureCalls(bench))]
}

const calls = 2_000
const warmUpCalls = 200
const atMostMs = 10
const permission = 'users:read'

/** One connection, one question at a time, each about another person; the tenant has 51 policies that name the permission. */
async function measureCalls(bench: Bench): Promise<Row[]> {
  await using keys = await publishKeys()
  await using administration = await startAdministration(bench, keys.issuer, { tenants: 100, peopleEach: 100 })
  const [byRole, byPolicy] = administration.directory.samples
  if (byRole === undefined || byPolicy === undefined) throw new Error('The directory is empty.')
  await writePolicies(administration, byPolicy.keeper.tenantId)
  const connection = await openConnection(administration.url)
  const rows: Row[] = []
  for (const [subject, { keeper, people }] of [
    ['POST /access/v1/evaluation, by role', byRole],
    ['POST /access/v1/evaluation, by 51 policies', byPolicy],
  ] as const) {
    bench.say(subject)
    const token = tokenOf(keys.issuer, keeper)
    const times: number[] = []
    for (let call = -warmUpCalls; call < calls; call += 1) {
      const body = questionAbout(people[(call + warmUpCalls) % people.length]?.userId ?? '')
      const startedAt = performance.now()
      await expectOk(connection.post('/access/v1/evaluation', 'application/json', body, undefined, token))
      if (call >= 0) times.push(performance.now() - startedAt)
    }
    rows.push(boundWaiting({ part: 'decisions', subject, times, atMostMs }))
  }
  connection.close()
  return rows
}

function questionAbout(userId: string): string {
  return JSON.stringify({
    subject: { type: 'user', id: userId },
    action: { name: permission },
    resource: { type: 'Invoice', id: '7', properties: { owner_id: userId, folder: 'folder-0', amount: 120 } },
    context: { explain: true, hour: 9 },
  })
}

/** By SQL, as the API would have written them. */
async function writePolicies({ superUrl }: Administration, tenantId: string): Promise<void> {
  await withAdminClient(superUrl, async sql => {
    for (let number = 0; number < 51; number += 1) {
      const id = newId()
      const source = `permit (principal, action == Action::"${permission}", resource is Invoice)
when { resource.owner_id == principal.id && resource.folder == "folder-${number}" && context.hour < 18 };`
      await sql`insert into policies (tenant_id, id, name, source) values (${tenantId}, ${id}, ${`policy ${number}`}, ${source})`
      await sql`
        insert into policy_statements (tenant_id, policy_id, number, line, effect, actions, is_template, is_conditional, is_personal)
        values (${tenantId}, ${id}, 1, 1, 'permit', array[${permission}], false, true, true)`
    }
  })
}

const workerFile = new URL('../workers/decide.ts', import.meta.url)
