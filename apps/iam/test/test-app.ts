// The issuer as it runs, on a database of its own, with a company, keys made on the spot, and a clock that can be turned.
import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHasher, type PasswordHasher } from '@signet/accounts'
import { runStatement, type Statements, withAdminClient } from '@signet/db'
import { type App, loggerOptions, silentMetrics } from '@signet/http'
import { deriveKey, type MessageId, newId, replacedSystems, type TenantId, type UserId } from '@signet/kernel'
import {
  checkProblems,
  plantCanary,
  plantSecretsOf,
  plantSecretsOfExchange,
  type TestDatabase,
  type TestScope,
  testDatabase,
  testLogger,
} from '@signet/testkit'
import { createOutbox } from '@signet/delivery'
import { buildApp } from '../src/app.ts'
import type { Deps } from '../src/deps.ts'
import { createCounts } from '../src/metrics.ts'
import { openSigningKeys, type SigningKeys } from '../src/modules/keys/index.ts'
import { createRefreshTokens } from '../src/refresh-token.ts'
import { createUnansweredRefreshes } from '../src/unanswered-refreshes.ts'

export const issuer = 'http://localhost:4000'
export const audience = 'signet'
export const password = 'a quiet green harbour'

export interface TestApp {
  readonly app: App
  readonly deps: Deps
  readonly database: TestDatabase
  readonly keysFolder: string
  readonly signingKeys: SigningKeys
  readonly hasher: PasswordHasher
  /** How often a password was checked against a hash or the dummy. */
  countHashes(): number
  readonly platform: TenantId
  readonly company: TenantId
  readonly administrator: { readonly id: UserId; readonly email: string }
  readonly clock: { nowMs(): number; shift(ms: number): void }
  /** Statements as the owner of the tables, past row-level security: to look and to turn rows' times. */
  asOwner<T>(work: (sql: Statements) => Promise<T>): Promise<T>
  /** What waits in the outbox for a recipient, the newest first. */
  messagesTo(recipient: string): Promise<Message[]>
  /** The code of the newest message to an address or a number. */
  codeFor(recipient: string): Promise<string>
  post(url: string, body: object, token?: string): Promise<Answer>
  call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    options?: { token?: string; body?: object },
  ): Promise<Answer>
  register(person: object): Promise<Person>
  signIn(identifier: string, extra?: object): Promise<Tokens>
  /** By a code to an address, which is verified by it. */
  signInByCode(contact: { email: string } | { phone: string }): Promise<Tokens>
}

export interface Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of all shapes; tests compare every member they read
  readonly body: any
  readonly text: string
}

/** The headers of an answer but for those that differ between any two: they tell of the request and its network alone. */
export function comparableHeaders({ headers }: Pick<Answer, 'headers'>): [name: string, value: unknown][] {
  const own = new Set(['date', 'x-request-id', 'ratelimit-remaining', 'ratelimit-reset'])
  return Object.entries(headers).filter(([name]) => !own.has(name))
}

export interface Message {
  readonly template: string
  readonly status: string
  readonly expires_at: Date | null
  // oxlint-disable-next-line typescript/no-explicit-any -- the data of all templates; tests compare every member they read
  readonly data: any
}

export interface Person {
  readonly id: string
  readonly email: string
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

export async function temporaryFolder(t: TestScope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-iam-'))
  // A program that is looking at its keys makes their folder anew while it is being removed.
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }))
  return folder
}

export async function testApp(
  t: TestScope,
  options: {
    /** Gets every line that the program logs. */
    log?: { write(line: string): void }
    deps?: Partial<Deps>
    trustProxy?: readonly string[]
    allowedOrigins?: readonly string[]
  } = {},
): Promise<TestApp> {
  const keysFolder = join(await temporaryFolder(t), 'keys')
  const database = await testDatabase(t)
  let shiftMs = 0
  const clock = () => Date.now() + shiftMs
  const signingKeys = await openSigningKeys({ folder: keysFolder, tokenLifeMs: 900_000, clock })
  const secret = randomBytes(32)
  const bounded = createHasher({ maxConcurrent: 2, queueLimit: 200 })
  let hashes = 0
  const hasher: PasswordHasher = {
    ...bounded,
    verify: (stored, typed) => {
      hashes += 1
      return bounded.verify(stored, typed)
    },
    keepPlace: () => {
      const place = bounded.keepPlace()
      return {
        ...place,
        verify: (stored, typed) => {
          hashes += 1
          return place.verify(stored, typed)
        },
      }
    },
  }
  const outbox = createOutbox(deriveKey(secret, 'outbox'))
  const deps: Deps = {
    database: database.db,
    signingKeys,
    refreshTokens: createRefreshTokens(secret),
    unanswered: createUnansweredRefreshes(clock),
    hasher,
    clock,
    counts: createCounts(silentMetrics),
    tokens: {
      issuer,
      audience,
      accessTokenTtlSeconds: 900,
      formTokenTtlSeconds: 1_800,
      refreshTokenTtlSeconds: 432_000,
      permissionsMaxBytes: 256,
      claimAliases: [],
    },
    passwordMinLength: 8,
    defaultTenant: undefined,
    keys: {
      cursor: deriveKey(secret, 'cursor'),
      code: createSecretKey(deriveKey(secret, 'code')),
      subject: createSecretKey(deriveKey(secret, 'subject')),
      device: createSecretKey(deriveKey(secret, 'device')),
      serviceKey: deriveKey(secret, 'service-key'),
    },
    outbox,
    codes: { signInTtlSeconds: 600, resetTtlSeconds: 900, resetMaxAttempts: 3 },
    cookies: { secure: false, domain: undefined, prefix: '' },
    limits: { redisUrl: undefined, factor: 1_000 },
    serviceKeys: [],
    adminEmail: undefined,
    sendsEvents: false,
    compat: new Set(replacedSystems),
    ...options.deps,
  }
  for (const key of deps.serviceKeys) plantCanary('service key', key)
  const logger = testLogger(loggerOptions('trace', 'json', 'iam'), 'iam', options.log)
  const { trustProxy = [], allowedOrigins = [] } = options
  const app = await buildApp({ ...deps, logger, trustProxy, allowedOrigins })
  checkProblems(t, app)
  app.addHook('onSend', async (request, reply, answer) => {
    const cookies = reply.getHeader('set-cookie')
    plantSecretsOfExchange({ requestBody: request.body, status: reply.statusCode, answer, cookies })
  })
  await app.ready()
  t.teardown(async () => {
    await app.close()
    signingKeys.close()
  })

  const platform = newId<TenantId>()
  const company = newId<TenantId>()
  const administrator = { id: newId<UserId>(), email: 'root@example.com' }
  const hash = await hasher.hash(password)
  await runStatement(
    database.db,
    sql =>
      sql`select bootstrap_installation(${platform}, ${company}, 'acme', 'Acme', ${administrator.id}, ${administrator.email}, null, null, ${hash}, null, null)`,
  )

  const call: TestApp['call'] = async (method, url, { token, body } = {}) => {
    const answer = await app.inject({
      method,
      url,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { payload: body }),
    })
    const isJson = answer.headers['content-type']?.includes('json') === true
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      body: isJson ? JSON.parse(answer.body) : undefined,
    }
  }
  const post: TestApp['post'] = (url, body, token) =>
    call('POST', url, { body, ...(token === undefined ? {} : { token }) })

  const messagesTo: TestApp['messagesTo'] = recipient =>
    withAdminClient(database.superUrl, async sql => {
      const rows = await sql<
        { id: MessageId; template: string; status: string; expires_at: Date | null; payload: Uint8Array | null }[]
      >`
        select id, template, status, expires_at, payload from outbound_messages where recipient = ${recipient} order by id desc`
      return rows.map(({ id, payload, ...row }) => {
        const data = payload === null ? null : outbox.unseal(id, payload)
        plantSecretsOf(data)
        return { ...row, data }
      })
    })

  const codeFor: TestApp['codeFor'] = async recipient => {
    const code: unknown = (await messagesTo(recipient))[0]?.data?.code
    if (typeof code !== 'string') throw new Error(`No code waits for ${recipient}.`)
    return code
  }

  return {
    app,
    deps,
    database,
    keysFolder,
    signingKeys,
    hasher,
    countHashes: () => hashes,
    platform,
    company,
    administrator,
    clock: { nowMs: clock, shift: ms => void (shiftMs += ms) },
    messagesTo,
    codeFor,
    asOwner: work => withAdminClient(database.superUrl, sql => work(sql)),
    post,
    call,
    register: async person => {
      const answer = await post('/api/v1/users', { password, ...person })
      if (answer.status !== 201) throw new Error(`Registration answered ${answer.text}`)
      return answer.body
    },
    signIn: async (identifier, extra = {}) => {
      const answer = await post('/api/v1/tokens', { identifier, password, ...extra })
      if (answer.status !== 200) throw new Error(`Sign-in answered ${answer.text}`)
      return answer.body
    },
    signInByCode: async contact => {
      await post('/api/v1/otp/requests', contact)
      const code = await codeFor('email' in contact ? contact.email : contact.phone)
      const answer = await post('/api/v1/otp/verifications', { ...contact, code })
      if (answer.status !== 200) throw new Error(`Sign-in by code answered ${answer.text}`)
      return answer.body
    },
  }
}
