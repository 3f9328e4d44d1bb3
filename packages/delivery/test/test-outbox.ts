// An outbox in a database of its own, with a tenant and people in it, as the programs fill and empty it.
import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { type Database, inTenant, withAdminClient } from '@signet/db'
import { type MessageId, newId, type TenantId, type UserId } from '@signet/kernel'
import { logStream, plantSecretsOf, type TestDatabase, type TestScope, testDatabase } from '@signet/testkit'
import { createOutbox, type MessageData, type NewMessage, type Outbox, type TemplateName } from '../src/index.ts'
import { startWorker, type WorkerTiming } from '../src/worker.ts'
import type { Channel, Transport } from '../src/transport.ts'

/** What a test that kills its workers needs to make another: nothing of tap. */
export interface OutboxScene {
  readonly key: Buffer
  readonly outbox: Outbox
  readonly database: Database
  readonly tenantId: TenantId
  readonly send: <T extends TemplateName>(message: Partial<NewMessage<T>> & { recipient: string }) => Promise<MessageId>
}

export interface StoredMessage {
  readonly status: string
  readonly attempts: number
  readonly hasPayload: boolean
  readonly lastError: string | null
  readonly isDue: boolean
}

export interface TestOutbox extends OutboxScene {
  readonly test: TestDatabase
  readonly addPerson: (person: {
    name?: string
    firstName?: string
    lastName?: string
    language?: 'en' | 'fr'
  }) => Promise<UserId>
  readonly find: (id: MessageId) => Promise<StoredMessage>
  /** Lets pauses and leases pass. */
  readonly makeDue: (id: MessageId) => Promise<void>
  readonly expire: (id: MessageId) => Promise<void>
  /** Dates a message back. */
  readonly age: (id: MessageId, hours: number) => Promise<void>
  /** A worker that is stopped at the end of the test, and what it has logged. */
  readonly work: (
    t: TestScope,
    transports: Partial<Record<Channel, Transport>>,
    options?: { timing?: Partial<WorkerTiming>; database?: Database },
  ) => { readonly stop: () => Promise<void>; readonly log: readonly LogLine[] }
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly facts: object
  readonly text: string
}

export const codeData: MessageData['sign-in-code'] = { code: '407193', minutes: 10 }

/** Quick, so that a test of twenty attempts takes a second. */
export const quick: WorkerTiming = { pollMs: 10, sendTimeoutMs: 1_000, leaseMs: 1_500, graceMs: 500 }

/** Adds a tenant to a database that has every migration. */
export async function createScene(database: Database): Promise<OutboxScene> {
  const key = randomBytes(32)
  const outbox = createOutbox(key)
  const tenantId = newId<TenantId>()
  await inTenant(database, tenantId, async ({ sql }) => {
    await sql`insert into tenants (id, slug, name) values (${tenantId}, ${`acme-${randomBytes(4).toString('hex')}`}, 'Acme')`
  })
  const usual = { channel: 'email', userId: null, template: 'sign-in-code', data: codeData } as const
  return {
    key,
    outbox,
    database,
    tenantId,
    send: message => {
      plantSecretsOf(message.data ?? usual.data)
      return inTenant(database, tenantId, tx => outbox.enqueue<TemplateName>(tx, { ...usual, ...message }))
    },
  }
}

export async function testOutbox(t: TestScope): Promise<TestOutbox> {
  const test = await testDatabase(t)
  const scene = await createScene(test.db)
  const asOwner = <T>(work: Parameters<typeof withAdminClient<T>>[1]) => withAdminClient(test.superUrl, work)
  return {
    ...scene,
    test,
    addPerson: async ({ name, firstName, lastName, language = 'en' }) => {
      const id = newId<UserId>()
      await inTenant(test.db, scene.tenantId, async ({ sql }) => {
        await sql`
          insert into users (tenant_id, id, email, name, first_name, last_name, language)
          values (${scene.tenantId}, ${id}, ${`${id}@example.com`}, ${name ?? null}, ${firstName ?? null}, ${lastName ?? null}, ${language})`
      })
      return id
    },
    find: async id => {
      const [row] = await asOwner(
        sql => sql<StoredMessage[]>`
          select status, attempts, payload is not null as "hasPayload", last_error as "lastError", due_at <= now() as "isDue"
          from outbound_messages where id = ${id}`,
      )
      if (row === undefined) throw new Error(`There is no message ${id}.`)
      return row
    },
    makeDue: async id => {
      await asOwner(sql => sql`update outbound_messages set due_at = now() - interval '1 second' where id = ${id}`)
    },
    expire: async id => {
      await asOwner(
        sql => sql`update outbound_messages set expires_at = now() - interval '1 millisecond' where id = ${id}`,
      )
    },
    age: async (id, hours) => {
      await asOwner(
        sql => sql`update outbound_messages set created_at = now() - make_interval(hours => ${hours}) where id = ${id}`,
      )
    },
    work: (scope, transports, { timing = quick, database = test.db } = {}) => {
      const log: LogLine[] = []
      const kept = logStream('worker')
      const note = (level: LogLine['level']) => (facts: object, text: string) => {
        log.push({ level, facts, text })
        kept.write(`${level} ${text} ${inspect(facts)}\n`)
      }
      const worker = startWorker({
        database,
        outbox: scene.outbox,
        transports,
        log: { info: note('info'), warn: note('warn'), error: note('error') },
        timing,
      })
      scope.teardown(() => worker.stop())
      return { stop: () => worker.stop(), log }
    },
  }
}

/** Resolves when it is so; the time-out of the test is its limit. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 10))
}
