/** What the documents show of this package compiles as it stands, beside what its reader has already. */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { compile } from './compiler.ts'

const packageFolder = dirname(import.meta.dirname)
// Inside the package, so that its own name resolves; git ignores it.
const scratch = join(packageFolder, '.tap')
const documents = ['../../README.md', 'README.md', ...globSync('docs/*.md', { cwd: packageFolder }).toSorted()]

const create = `import { createVerifier } from '@signet/verifier'`
const settings = `${create}\ndeclare const issuer: string, audience: string`
const verifier = `${create}\nconst verifier = createVerifier({ issuer: 'https://id.example.com', audience: 'places' })`
const staffAndPartners = `import type { Principal, Verifier } from '@signet/verifier'\ndeclare const staff: Verifier, partners: Verifier`
const fastify = `import fastify, { type RouteHandler } from 'fastify'\nconst app = fastify()`
const fastifyGuarded = `${verifier}\n${fastify}\nimport { signet } from '@signet/verifier/fastify'\nawait app.register(signet, { verifier })\ndeclare const createPlace: RouteHandler, handler: RouteHandler`
const express = `import express, { type RequestHandler } from 'express'\nconst app = express()\ndeclare const createPlace: RequestHandler, handler: RequestHandler, cors: () => RequestHandler`
const expressGuard = `${express}\nimport { signet } from '@signet/verifier/express'`
const webSockets = `import { createServer } from 'node:http'\nimport { WebSocketServer } from 'ws'\nimport { guardWebSockets } from '@signet/verifier/ws'\nconst server = createServer()`
const openSocket = `${verifier}\n${webSockets}\nimport type { WebSocket } from 'ws'\nimport { AuthError } from '@signet/verifier'\nconst guard = guardWebSockets({ verifier, need: {} })\ndeclare const socket: WebSocket`

/** A block by how it begins, and what stands before it; undefined where it shows another library. */
const surroundings: Readonly<Record<string, readonly (readonly [beginning: string, before: string | undefined])[]>> = {
  '../../README.md': [
    ['const verifier = createVerifier(', `${create}\n${fastify}\nimport { signet } from '@signet/verifier/fastify'`],
    ["app.get('/places', { config", fastifyGuarded],
  ],
  'README.md': [
    ['import { createVerifier }', fastify],
    ["app.get('/health', { config", fastifyGuarded],
    [
      'import { AuthError, createVerifier }',
      `import type { IncomingMessage, ServerResponse } from 'node:http'\ndeclare const request: IncomingMessage, response: ServerResponse`,
    ],
    ['createVerifier({ issuer, audience, revocation', settings],
    ['import { createTestIssuer }', create],
  ],
  'docs/frameworks.md': [
    ['import { createVerifier }', ''],
    ["import { signet } from '@signet/verifier/fastify'", `${verifier}\n${fastify}`],
    ["import { signet } from '@signet/verifier/express'\n\nconst guard", `${verifier}\n${express}`],
    [
      "import { signet } from '@signet/verifier/hono'",
      `${verifier}\nimport { Hono } from 'hono'\nconst app = new Hono()`,
    ],
    [
      "import { signet } from '@signet/verifier/koa'",
      `${verifier}\nimport type { Middleware } from 'koa'\ndeclare const router: { get(path: string, ...handlers: Middleware[]): void }`,
    ],
    ["import { signet } from '@signet/verifier/node'", `${verifier}\nimport { createServer } from 'node:http'`],
    ['app.use(cors())', `${verifier}\n${expressGuard}\nconst guard = signet({ verifier })`],
    [
      'await app.register(signet, { verifier: staff })',
      `${staffAndPartners}\n${fastify}\nimport { signet } from '@signet/verifier/fastify'\ndeclare module 'fastify' { interface FastifyRequest { readonly partner: Principal } }`,
    ],
    [
      'const guard = signet({ verifier: staff })',
      `${staffAndPartners}\n${expressGuard}\ndeclare global { namespace Express { interface Request { readonly partner: Principal } } }`,
    ],
    [
      "declare module 'fastify'",
      `import type { Principal } from '@signet/verifier'\nimport type {} from 'fastify'\nimport type {} from 'koa'`,
    ],
    ["import { protectedResourceMetadata, signet } from '@signet/verifier/express'", `${verifier}\n${express}`],
    ['await app.register(swagger, {', `${fastify}\nimport swagger from '@fastify/swagger'`],
  ],
  'docs/migrating.md': [
    ['const keys = createRemoteJWKSet', undefined],
    ['const verifier = createVerifier(', `${create}\ndeclare const token: string`],
    ['const verifier = JwtVerifier', undefined],
    ['const verifier = createVerifier(', `${create}\ndeclare const token: string`],
    ['app.use(auth(', undefined],
    ['const guard = signet({ verifier: createVerifier(', `${create}\n${expressGuard}`],
  ],
  'docs/websockets-and-grpc.md': [
    ['import { createServer }', ''],
    [
      'const chat = guardWebSockets(',
      `${verifier}\n${webSockets}\ndeclare const chatServer: WebSocketServer, adminServer: WebSocketServer`,
    ],
    ['const wss = new WebSocketServer(', `import { WebSocketServer } from 'ws'`],
    ['const verifier = createVerifier(', `${settings}\nimport { guardWebSockets } from '@signet/verifier/ws'`],
    ["socket.on('message'", openSocket],
    [
      "server.on('upgrade', guard.upgrade(",
      `${openSocket}
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
interface Closable { close(code: number, reason: string): void }
declare const proxy: { ws(request: IncomingMessage, socket: Duplex, head: Buffer): void }
declare const other: { accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<Closable> }`,
    ],
    [
      'import { type sendUnaryData, Server',
      `${verifier}\nimport type { ServiceDefinition } from '@grpc/grpc-js'\ninterface FindRequest { readonly id: string }\ninterface Place { readonly owner: string }\ndeclare const PlacesService: ServiceDefinition`,
    ],
  ],
}

const blocksOf = (path: string) =>
  [...readFileSync(join(packageFolder, path), 'utf8').matchAll(/^( *)```ts\n([^]*?)^ *```$/gm)].map(
    ([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  )

/** What the compiler says against each of these programs, by their names. */
function findComplaints(programs: ReadonlyMap<string, string>): Map<string, string[]> {
  mkdirSync(scratch, { recursive: true })
  const folder = mkdtempSync(join(scratch, 'documents-'))
  try {
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
    const project = { extends: '../../../../tsconfig.base.json', compilerOptions, include: ['*.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project))
    for (const [name, source] of programs) writeFileSync(join(folder, `${name}.ts`), `${source}\nexport {}\n`)
    const complaints = new Map<string, string[]>()
    for (const { text } of compile(folder)) {
      const [, name = 'the project', said = text] = /([^/]+)\.ts\(.*?: error (.*)/.exec(text) ?? []
      complaints.set(name, [...(complaints.get(name) ?? []), said])
    }
    return complaints
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const programs = new Map([['wrong', `${create}\ncreateVerifier({ issuer: 'https://id.example.com' })`]])
for (const [number, path] of documents.entries())
  t.test(`the blocks of ${path.replace('../../', 'the repository: ')} are known here`, async t => {
    const known = surroundings[path] ?? []
    const blocks = blocksOf(path)
    t.equal(blocks.length, known.length, 'each has what stands before it')
    for (const [index, block] of blocks.entries()) {
      const [beginning = '', before] = known[index] ?? []
      t.ok(block.startsWith(beginning), beginning)
      if (before !== undefined) programs.set(`${number}-${index}`, `${before}\n${block}`)
    }
  })

t.test('they compile, and one that is wrong does not', async t => {
  const complaints = findComplaints(programs)
  t.match(complaints.get('wrong'), [/TS2741.*audience/])
  complaints.delete('wrong')
  for (const [name, said] of complaints) t.fail(said.join('\n'), { block: programs.get(name) })
  t.ok(programs.size > 25, `${programs.size} programs`)
})
