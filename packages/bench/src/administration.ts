/** The administration of an installation that was filled by COPY, and tokens of its people, signed without an issuer. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Database, openDatabase } from '@signet/db'
import { createTestIssuer, type TestIssuer } from '@signet/verifier/testing'
import type { Bench } from './bench.ts'
import { openBenchDatabase } from './bench-database.ts'
import { prepareProgram } from './issuer.ts'
import { type Directory, type DirectoryActor, type DirectorySize, seedDirectory } from './seed-directory.ts'
import type { HttpAnswer } from './workers/http-connection.ts'

export interface Administration extends AsyncDisposable {
  readonly directory: Directory
  /** Of the administration. */
  readonly url: string
  /** As the program logs in. */
  readonly db: Database
  readonly superUrl: string
}

export async function startAdministration(
  bench: Bench,
  issuer: TestIssuer,
  size: DirectorySize,
): Promise<Administration> {
  const kept = new AsyncDisposableStack()
  try {
    const database = kept.use(await openBenchDatabase(bench))
    const startedAt = performance.now()
    const directory = await seedDirectory(database, size)
    const people = size.tenants * size.peopleEach
    bench.say(`${people} people made in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`)
    const program = kept.use(await prepareProgram(bench, 'admin-api', database.url, { ISSUER: issuer.issuer }))
    await program.start()
    const db = kept.adopt(openDatabase({ url: database.url, max: 1 }), each => each.close())
    return {
      directory,
      url: program.url,
      db,
      superUrl: database.superUrl,
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    }
  } catch (error) {
    await kept.disposeAsync()
    throw error
  }
}

/** Where the administration fetches the keys. The tokens are signed here, so that no program but the measured one runs. */
export async function publishKeys(): Promise<{ readonly issuer: TestIssuer } & AsyncDisposable> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(issuer.jwks))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const issuer = createTestIssuer({ issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  return {
    issuer,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const tokens = new WeakMap<DirectoryActor, string>()

/** Signed once: the measured program verifies each as it comes, and none twice in a row. */
export function tokenOf(issuer: TestIssuer, actor: DirectoryActor): string {
  const known = tokens.get(actor)
  if (known !== undefined) return known
  const { userId: sub, tenantId: tid, sessionId: sid } = actor
  const token = issuer.token({ sub, tid, sid, exp: Math.floor(Date.now() / 1_000) + 86_400 })
  tokens.set(actor, token)
  return token
}

/** @throws Error for any answer but 200 */
export async function expectOk(answer: Promise<HttpAnswer>): Promise<string> {
  const { status, body } = await answer
  if (status !== 200) throw new Error(`Answered ${status}: ${body.slice(0, 300)}`)
  return body
}
