import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { compile } from './compiler.ts'

const packageFolder = dirname(import.meta.dirname)
// Inside the package, so that its own name resolves; git ignores it.
const scratch = join(packageFolder, '.tap')

const preamble = [
  "import { AuthError, createVerifier, type Principal, type Reason } from '@signet/verifier'",
  "import type { Access } from '@signet/verifier/fastify'",
  "const issuer = 'https://issuer.test'",
  'declare const principal: Principal',
]

const mustCompile = {
  'a verifier has an issuer and an audience': "createVerifier({ issuer, audience: 'signet' })",
  'or several': "createVerifier({ issuer: [issuer], audience: ['a', 'b'] })",
  'a need is a list':
    "void createVerifier({ issuer, audience: 'signet' }).verify('token', { permissions: ['places:read'] })",
  'a route is public': "export const open: Access = 'public'",
  'or needs something': "export const guarded: Access = { roles: ['admin'] }",
  'a reason is one of the set': "export const reason: Reason = 'expired'",
  'a principal can be read': 'export const subject: string = principal.subject',
}

const mustNotCompile = {
  'the audience cannot be forgotten': 'createVerifier({ issuer })',
  'nor switched off': 'createVerifier({ issuer, audience: null })',
  'nor left open': 'createVerifier({ issuer, audience: undefined })',
  'the issuer cannot be forgotten': "createVerifier({ audience: 'signet' })",
  'expiry cannot be switched off': "createVerifier({ issuer, audience: 'signet', ignoreExpiration: true })",
  'algorithms are not negotiable': "createVerifier({ issuer, audience: 'signet', algorithms: ['HS256'] })",
  'a need has no other members':
    "void createVerifier({ issuer, audience: 'signet' }).verify('t', { permission: ['a'] })",
  'a list of one is a list': "void createVerifier({ issuer, audience: 'signet' }).verify('t', { permissions: 'a' })",
  'reasons are a closed set': "export const wrong: Reason = 'whatever'",
  'and so are errors': "export const error = new AuthError('whatever')",
  'a route is not half open': "export const half: Access = 'private'",
  'a principal cannot be changed': "principal.subject = 'other'",
  'nor its claims': "principal.claims.sub = 'other'",
}

/** Numbers of the lines, from 1, that the compiler refuses. */
function findRefusedLines(lines: readonly string[]): number[] {
  mkdirSync(scratch, { recursive: true })
  const folder = mkdtempSync(join(scratch, 'compile-'))
  try {
    const project = { extends: '../../../../tsconfig.base.json', include: ['source.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project))
    writeFileSync(join(folder, 'source.ts'), lines.join('\n'))
    return [...new Set(compile(folder).map(({ line }) => line))]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

t.test('What must not compile does not', async t => {
  const lines = [...preamble, ...Object.values(mustCompile), ...Object.values(mustNotCompile)]
  const refused = findRefusedLines(lines)
  for (const [name, line] of Object.entries(mustCompile)) t.notOk(refused.includes(lines.indexOf(line) + 1), name)
  for (const [name, line] of Object.entries(mustNotCompile)) t.ok(refused.includes(lines.indexOf(line) + 1), name)
  t.equal(refused.length, Object.keys(mustNotCompile).length, 'and nothing else is refused')
})
