// The issuer as a process of its own on a server of its own, both of which end. The long form, of two hundred kills, is
// `pnpm bench:faults`.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type EmbeddedServer, grantLogin, migrate, startEmbedded, withAdminClient } from '@signet/db'
import { newId } from '@signet/kernel'
import { logStream, plantSecretsOf } from '@signet/testkit'
import t from 'tap'
import { password, temporaryFolder } from './test-app.ts'

t.setTimeout(240_000)
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const folder = await temporaryFolder(t)
// The server's account has to get through where this one is root.
await chmod(folder, 0o711)
const dataDir = join(folder, 'pg')
const port = await freePort()
const url = `http://127.0.0.1:${port}`
const log = logStream('main')

let server: EmbeddedServer = await startEmbedded({ dataDir })
let program: ChildProcess | undefined
t.teardown(async () => {
  program?.kill('SIGKILL')
  await server.stop()
})
await migrate({ url: server.adminUrl })
await grantLogin(server.adminUrl, new URL(server.url).username, ['signet_app'])
await withAdminClient(server.url, async sql => {
  await sql`select bootstrap_installation(${newId()}, ${newId()}, 'acme', 'Acme', ${newId()}, 'root@example.com', null, null, 'none',
    null, null)`
})

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port: free } = probe.address() as { port: number }
  await new Promise(resolve => probe.close(resolve))
  return free
}

/** Resolves when it serves. */
async function start(): Promise<void> {
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      SIGNET_KEYS: join(folder, 'keys'),
      IAM_PORT: String(port),
      DATABASE_URL: server.url,
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'trace',
      // Each request comes from a network of its own: the limits of networks are not what breaks here.
      TRUST_PROXY: '127.0.0.1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  program = child
  await new Promise<void>((resolve, reject) => {
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log.write(text)
        said = `${said}${text}`.slice(-4_000)
        if (said.includes('Server listening')) resolve()
      })
    }
    child.once('close', () => reject(new Error(`It ended instead of serving: ${said}`)))
  })
}

async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (program === undefined) throw new Error('It does not run.')
  const gone = once(program, 'exit')
  program.kill(signal)
  await gone
}

interface Answer {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of two shapes; every member that is read is compared
  readonly body: any
}

let requests = 0

/** Undefined where the answer was lost. */
async function post(path: string, body: object): Promise<Answer | undefined> {
  requests += 1
  const from = `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.${requests & 255}`
  try {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from, connection: 'close' },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    const parsed: unknown = text === '' ? undefined : JSON.parse(text)
    plantSecretsOf(parsed)
    return { status: answer.status, body: parsed }
  } catch {
    return undefined
  }
}

/** The refresh tokens of one session as an honest client knows them, the oldest first. */
type Family = string[]
const newest = (family: Family): string => family.at(-1) ?? ''
const refresh = (token: string) => post('/api/v1/tokens/refresh', { refresh_token: token })

async function signIn(email: string): Promise<Family> {
  const answer = await post('/api/v1/tokens', { email, password })
  if (answer?.status !== 200) throw new Error(`Sign-in answered ${answer?.status}`)
  return [answer.body.refresh_token]
}

const stateOf = (family: Family) =>
  withAdminClient(superUrl(), async sql => {
    const hex = Buffer.from(newest(family), 'base64url').toString('hex', 1, 17)
    const [row] = await sql<{ generation: number; reason: string | null }[]>`
      select r.generation, s.end_reason as reason from sessions s join refresh_tokens r on r.session_id = s.id
      where replace(s.id::text, '-', '') = ${hex}`
    return row
  })

function superUrl(): string {
  const address = new URL(server.superUrl)
  address.pathname = new URL(server.url).pathname
  return address.href
}

/**
 * All refresh at once, as fast as they can, until so many answers have come; in that very moment the process is killed, and the
 * requests of the others are wherever they are.
 */
async function killWhileRefreshing(families: readonly Family[], answersBefore: number): Promise<void> {
  let answers = 0
  let killed: Promise<void> | undefined
  await Promise.all(
    families.map(async family => {
      for (;;) {
        const answer = await refresh(newest(family))
        if (answer === undefined) return
        if (answer.status !== 200) throw new Error(`A refresh was answered ${answer.status} ${answer.body?.code}`)
        family.push(answer.body.refresh_token)
        answers += 1
        if (answers >= answersBefore) killed ??= end('SIGKILL')
      }
    }),
  )
  await killed
}

t.test('R-05 killed ten times while it refreshes: each family has one live leaf or is revoked', async t => {
  await start()
  const families: Family[] = []
  for (let each = 0; each < 4; each += 1) {
    const email = `client-${each}@example.com`
    const registered = await post('/api/v1/users', { email, password })
    t.equal(registered?.status, 201)
    families.push(await signIn(email))
  }
  let committedUnanswered = 0
  for (let round = 1; round <= 10; round += 1) {
    await killWhileRefreshing(families, 1 + Math.floor(Math.random() * 24))
    for (const family of families) {
      const told = family.length - 1
      const { generation = -1 } = (await stateOf(family)) ?? {}
      // What was told is committed; beyond it at most the one refresh that was under way.
      t.ok(generation === told || generation === told + 1, `round ${round}: ${generation} committed, ${told} told`)
      if (generation > told) committedUnanswered += 1
    }
    await start()
    for (const [at, family] of families.entries()) {
      const answer = await refresh(newest(family))
      const state = await stateOf(family)
      if (answer?.status === 200) {
        const again = await refresh(newest(family))
        t.equal(again?.body.refresh_token, answer.body.refresh_token, 'never a second branch')
        family.push(answer.body.refresh_token)
      } else {
        // A restart that took longer than the grace: as designed, and their person signs in again.
        t.match(
          { body: answer?.body, state },
          { body: { code: 'refresh-token-reused' }, state: { reason: 'refresh-token-reused' } },
        )
        families[at] = await signIn(`client-${at}@example.com`)
      }
    }
  }
  t.comment(`${committedUnanswered} refreshes were committed and their answers lost`)
})

t.test('R-06 after a restart of everything what was used stays used', async t => {
  const email = 'client-0@example.com'
  const living = await signIn(email)
  const spent = await signIn(email)
  for (const family of [living, spent]) {
    for (let each = 0; each < 2; each += 1) family.push((await refresh(newest(family)))?.body.refresh_token)
  }
  const signedOut = await signIn(email)
  t.equal((await post('/api/v1/tokens/revoke', { refresh_token: newest(signedOut) }))?.status, 204)
  await end('SIGTERM')
  await server.stop()
  server = await startEmbedded({ dataDir })
  await start()
  t.equal((await refresh(newest(living)))?.status, 200, 'what was not goes on')
  t.match(await refresh(spent[0] ?? ''), { status: 401, body: { code: 'refresh-token-reused' } })
  t.match(await refresh(newest(spent)), { status: 401, body: { code: 'session-ended' } })
  t.match(await refresh(newest(signedOut)), { status: 401, body: { code: 'session-ended' } })
  await end('SIGTERM')
})
