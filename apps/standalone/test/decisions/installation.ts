/**
 * The issuer, more nodes of it with other settings, and the administration, as they run, on one database; and people who sign in
 * there. What is asked by the thousand is injected, what verifiers fetch goes over sockets.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createHasher } from '@signet/accounts'
import { bootstrapInstallation, startAdminApi } from '@signet/admin-api'
import { loggerOptions, type Program } from '@signet/http'
import { startIam } from '@signet/iam'
import { toIamOptions } from '@signet/iam/config'
import { plantCanary, plantSecretsOf, plantSecretsOfExchange, testDatabase, testLogger } from '@signet/testkit'
import type { Test } from 'tap'
import { createHome } from '../../src/demo/child.ts'
import { readConfig } from '../../src/config.ts'

export const password = 'a quiet green harbour'
export const serviceKey = 'a-key-of-the-settings-0123456789'
export const audience = 'signet'

/** Nodes of the one issuer, by how many bytes of permissions their tokens carry. */
const permissionsMaxBytes = { none: 0, default: 256, all: 16_384 } as const
export type Node = keyof typeof permissionsMaxBytes

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Answer {
  readonly status: number
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what came over the wire
  readonly body: any
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

export interface Caller {
  readonly token?: string
  readonly key?: string
}

export interface Installation {
  /** As tokens say it. */
  readonly issuer: string
  /** Where verifiers find the keys. */
  readonly keysUri: string
  readonly platform: string
  /** `super_admin`, at home in the platform. */
  readonly staff: Tokens
  readonly administer: (caller: Caller, method: Method, path: string, body?: object) => Promise<Answer>
  /** The same, where nothing but a success will do. */
  readonly order: (caller: Caller, method: Method, path: string, body?: object) => Promise<Answer['body']>
  readonly signIn: (username: string, tenant: string) => Promise<Tokens>
  /** By a code to the address, which is verified by it. */
  readonly signInByCode: (email: string) => Promise<Tokens>
  readonly enter: (tokens: Tokens, tenantId: string) => Promise<Tokens>
  readonly accept: (tokens: Tokens, membershipId: string) => Promise<void>
  /** The next tokens of the session, as another node writes them. */
  readonly refresh: (tokens: Tokens, node: Node) => Promise<Tokens>
}

export async function startInstallation(t: Test): Promise<Installation> {
  const { db, url } = await testDatabase(t)
  const home = await createHome()
  t.teardown(() => home.remove())
  const config = readConfig({ ...home.environment, DATABASE_URL: url, INTERNAL_SERVICE_API_KEY: serviceKey })
  plantCanary('service key', serviceKey)
  const { ISSUER: issuer } = config
  const shared = (name: string) => ({
    database: db,
    host: '127.0.0.1',
    port: 0,
    trustProxy: [],
    logger: testLogger(loggerOptions('trace', 'json', name), name),
  })
  const follow = async (starting: Promise<Program>) => {
    const program = await starting
    t.teardown(() => program.stop())
    return program
  }

  const email = 'root@example.com'
  plantCanary('password', password)
  const { platform } = await bootstrapInstallation(
    { db, hasher: createHasher({ maxConcurrent: 1, queueLimit: 1 }), passwordMinLength: 8 },
    { company: { name: 'Acme' }, user: { email, password } },
    { id: '0199d1f0-7a2b-7c3d-8e4f-5a6b7c8d9e0f', ip: '127.0.0.1' },
  )
  const startNode = (node: Node) => {
    const options = toIamOptions(config)
    return follow(
      startIam({
        ...options,
        ...shared('iam'),
        limits: { redisUrl: undefined, factor: 1_000_000 },
        // Long enough for a verifier whose clock runs ahead.
        tokens: {
          ...options.tokens,
          accessTokenTtlSeconds: 86_400,
          permissionsMaxBytes: permissionsMaxBytes[node],
        },
      }),
    )
  }
  const nodes = { none: await startNode('none'), default: await startNode('default'), all: await startNode('all') }
  const keysUri = `${nodes.none.url}/.well-known/jwks.json`
  const admin = await follow(
    startAdminApi({
      ...shared('admin-api'),
      environment: 'test',
      issuer,
      audience,
      keysUri,
      keysFolder: config.SIGNET_KEYS,
      passwordMinLength: 8,
      setupToken: undefined,
      serviceKeys: [serviceKey],
      sendsEvents: false,
      addresses: home.addresses,
      workerCount: 1,
      storage: { by: 'off' },
      maxImageMegabytes: 1,
      serviceUrls: {},
      compat: new Set(),
      cookies: { domain: undefined, prefix: '' },
    }),
  )

  async function call({ app }: Program, { token, key }: Caller, method: Method, path: string, body?: object) {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(key === undefined ? {} : { 'x-api-key': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(method === 'PATCH' || method === 'DELETE' ? { 'if-match': '*' } : {}),
    }
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
    const answer = await app.inject({ method, url: path, headers, ...payload })
    const isJson = /[/+]json/.test(String(answer.headers['content-type']))
    const cookies = answer.headers['set-cookie']
    plantSecretsOfExchange({ requestBody: body, status: answer.statusCode, answer: answer.body, cookies })
    const read: Answer = {
      status: answer.statusCode,
      text: answer.body,
      body: isJson ? JSON.parse(answer.body) : undefined,
    }
    return read
  }
  async function demand(...asked: Parameters<typeof call>): Promise<Answer['body']> {
    const answer = await call(...asked)
    if (answer.status < 300) return answer.body
    const [, , method, path, body] = asked
    throw new Error(`${method} ${path} ${JSON.stringify(body)} answered ${answer.status} ${answer.text}`)
  }
  const post = (path: string, body: object, token?: string, node: Node = 'none') =>
    demand(nodes[node], token === undefined ? {} : { token }, 'POST', path, body)

  const enter: Installation['enter'] = ({ access_token }, tenantId) =>
    post('/api/v1/tokens/tenant', { tenant_id: tenantId }, access_token)
  // Who signs in is in the company first, where the bootstrap made them a guest.
  const staff = await enter(await post('/api/v1/tokens', { email, password }), platform.id)
  return {
    issuer,
    keysUri,
    platform: platform.id,
    staff,
    administer: (...asked) => call(admin, ...asked),
    order: (...asked) => demand(admin, ...asked),
    signIn: (username, tenant) => post('/api/v1/tokens', { username, password, tenant }),
    async signInByCode(address) {
      await post('/api/v1/otp/requests', { email: address })
      const code = await findCode(join(config.SIGNET_HOME, 'outbox'), address)
      return post('/api/v1/otp/verifications', { email: address, code })
    },
    enter,
    accept: async (tokens, membershipId) => {
      await demand(nodes.none, { token: tokens.access_token }, 'POST', `/api/v1/me/memberships/${membershipId}/accept`)
    },
    refresh: ({ refresh_token }, node) => post('/api/v1/tokens/refresh', { refresh_token }, undefined, node),
  }
}

export function claimsOf(token: string): { readonly sub: string; readonly permissions?: readonly string[] } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

/** Waits until the message is written. */
async function findCode(folder: string, address: string): Promise<string> {
  const deadline = performance.now() + 20_000
  while (performance.now() < deadline) {
    const names = await readdir(folder).catch(() => [])
    for (const name of names.filter(each => each.endsWith('.json'))) {
      const message = JSON.parse(await readFile(join(folder, name), 'utf8'))
      const code = message.to === address ? /\b\d{6}\b/.exec(message.text)?.[0] : undefined
      if (code === undefined) continue
      plantSecretsOf({ code })
      return code
    }
    await delay(20)
  }
  throw new Error(`No code came for ${address}.`)
}
