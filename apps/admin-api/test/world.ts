/** One app on a database of its own, and people to call it. */
import { randomBytes } from 'node:crypto'
import { createHasher } from '@signet/accounts'
import { createOutbox } from '@signet/delivery'
import { type App, loggerOptions } from '@signet/http'
import { deriveKey, replacedSystems, type TenantId } from '@signet/kernel'
import {
  createTestCast,
  checkProblems,
  plantCanary,
  plantSecretsOfExchange,
  type TestActor,
  type TestCast,
  type TestDatabase,
  testDatabase,
  testLogger,
} from '@signet/testkit'
import { createVerifier } from '@signet/verifier'
import { createTestIssuer, type TestIssuer } from '@signet/verifier/testing'
import type { Test } from 'tap'
import { createImageConverter } from '../src/imaging/convert.ts'
import { type AppDeps, buildApp } from '../src/index.ts'
import { createServiceClient } from '../src/service-client.ts'
import { createFileStorage } from '../src/storage/file-storage.ts'

export interface World {
  readonly database: TestDatabase
  readonly issuer: TestIssuer
  readonly cast: TestCast
  readonly deps: AppDeps
  readonly app: App
  readonly platform: TenantId
  readonly company: TenantId
  /** Another company: its people are strangers to the first. */
  readonly other: TenantId
  /** `super_admin`, at home and acting in the platform. */
  readonly staff: TestActor
  /** `admin` of the company. */
  readonly admin: TestActor
  /** Has an account in the company and nothing else. */
  readonly member: TestActor
  /** Has the role `advisor` in the company, and no permission. */
  readonly advisor: TestActor
  /** `admin` of the other company. */
  readonly stranger: TestActor
  readonly call: (
    who: TestActor | null,
    method: Method,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Answer>
}

/** Of the settings: it speaks for the installation. */
export const internalKey = 'a-key-of-the-settings-0123456789'

/** All older systems, with the cookies of the issuer. */
export const compatSettings = {
  compat: new Set(replacedSystems),
  cookies: { domain: undefined, prefix: '' },
} as const

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number | string[] | undefined>>
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what came over the wire
  readonly body: any
}

/** @param own a store of the test's own, or undefined for none; other services */
export async function createWorld(
  t: Test,
  own: {
    readonly storage?: AppDeps['images']['storage']
    readonly serviceUrls?: Readonly<Record<string, string>>
  } = {},
): Promise<World> {
  const database = await testDatabase(t)
  const issuer = createTestIssuer()
  const cast = createTestCast(database.db, issuer)
  const secret = randomBytes(32)
  plantCanary('service key', internalKey)
  const deps: AppDeps = {
    db: database.db,
    hasher: createHasher({ maxConcurrent: 2, queueLimit: 100 }),
    passwordMinLength: 8,
    sendsEvents: true,
    outbox: createOutbox(deriveKey(secret, 'outbox')),
    services: createServiceClient({ urls: own.serviceUrls ?? {}, key: internalKey }),
    serviceUrls: own.serviceUrls ?? {},
    images: {
      storage: 'storage' in own ? own.storage : createFileStorage(t.testdir()),
      convert: createImageConverter(),
      maxMegabytes: 5,
    },
    setup: { token: undefined, isLoopbackTrusted: true },
    keys: {
      cursor: deriveKey(secret, 'cursor'),
      idempotency: deriveKey(secret, 'idempotency'),
      serviceKey: deriveKey(secret, 'service-key'),
    },
    serviceKeys: [internalKey],
    addresses: { iam: 'http://localhost:4000', admin: 'http://localhost:4001', places: 'http://localhost:4002' },
    verifier: createVerifier({
      issuer: issuer.issuer,
      audience: issuer.audience,
      keys: { jwks: issuer.jwks },
      cookie: 'access_token',
    }),
    url: 'http://localhost:4001',
    settings: { environment: 'test' },
    trustProxy: [],
    ...compatSettings,
    logger: testLogger(loggerOptions('trace', 'json', 'admin-api'), 'admin-api'),
  }
  const app = await buildApp(deps)
  checkProblems(t, app)
  app.addHook('onSend', async (request, reply, answer) => {
    const cookies = reply.getHeader('set-cookie')
    plantSecretsOfExchange({ requestBody: request.body, status: reply.statusCode, answer, cookies })
  })
  await app.ready()
  t.teardown(async () => {
    await app.close()
    await deps.services.close()
  })
  const platform = await cast.addPlatform()
  const company = await cast.addTenant('company')
  const other = await cast.addTenant('other')
  return {
    database,
    issuer,
    cast,
    deps,
    app,
    platform,
    company,
    other,
    staff: await cast.addActor(platform, { roles: ['super_admin'] }),
    admin: await cast.addActor(company, { roles: ['admin'] }),
    member: await cast.addActor(company),
    advisor: await cast.addActor(company, { roles: ['advisor'] }),
    stranger: await cast.addActor(other, { roles: ['admin'] }),
    call: (who, method, path, body, headers) => callApp(app, who, method, path, body, headers),
  }
}

async function callApp(
  app: App,
  who: TestActor | null,
  method: Method,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await app.inject({
    method,
    url: path.startsWith('/') ? path : `/admin/v1/${path}`,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...who?.headers,
      ...headers,
    },
    ...(body === undefined
      ? {}
      : {
          payload:
            typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
        }),
  })
  const text = answer.body
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text,
    body: /[/+]json/.test(String(answer.headers['content-type'])) && text !== '' ? JSON.parse(text) : text,
  }
}
