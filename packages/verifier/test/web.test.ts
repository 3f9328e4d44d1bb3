// The build for the edge: the same verdicts by WebCrypto, and nothing of Node in what it loads.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createTestIssuer } from '@signet/verifier/testing'
import t from 'tap'
import { createVerifier } from '../src/web.ts'
import { reasonOf } from './forge.ts'

t.test('WebCrypto gives the same verdicts', async t => {
  const issuer = createTestIssuer({ revocable: true })
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: issuer.fetch } })
  t.teardown(() => verifier.close())
  const token = issuer.token({ sub: 'somebody', permissions: ['places:read'] })
  t.equal((await verifier.verify(token, { permissions: ['places:read'] })).subject, 'somebody')
  t.equal((await verifier.verify(token)).subject, 'somebody', 'and again, remembered')
  t.equal(await reasonOf(() => verifier.verify(token, { permissions: ['places:create'] })), 'insufficient_scope')
  t.equal(await reasonOf(() => verifier.verify(issuer.token({ exp: 1 }))), 'expired')
  t.equal(await reasonOf(() => verifier.verify(`${token}=`)), 'malformed')
  t.equal(await reasonOf(() => verifier.verify(`${token.slice(0, -2)}\u{1f600}`)), 'malformed')
  const [head, payload, signature = ''] = token.split('.')
  for (const at of [0, 17, signature.length - 2]) {
    const flipped = signature[at] === 'A' ? 'B' : 'A'
    const forged = `${head}.${payload}.${signature.slice(0, at)}${flipped}${signature.slice(at + 1)}`
    t.equal(await reasonOf(() => verifier.verify(forged)), 'invalid_signature', `changed at ${at}`)
  }
  const short = `${head}.${payload}.${Buffer.from(signature, 'base64url').subarray(1).toString('base64url')}`
  t.equal(await reasonOf(() => verifier.verify(short)), 'invalid_signature', 'a byte short')
  t.equal((await verifier.verify(issuer.token({ name: 'Zoë 🚲' }))).claims['name'], 'Zoë 🚲')
  issuer.revoke(token)
  const later = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: issuer.fetch } })
  t.teardown(() => later.close())
  t.equal(await reasonOf(() => later.verify(token)), 'revoked')
})

t.test('Many at once never share a buffer', async t => {
  const issuer = createTestIssuer()
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: issuer.fetch } })
  t.teardown(() => verifier.close())
  const subjects = Array.from({ length: 200 }, (_, at) => `person-${at}-${'x'.repeat(at)}`)
  const verified = await Promise.all(subjects.map(sub => verifier.verify(issuer.token({ sub }))))
  t.same(
    verified.map(principal => principal.subject),
    subjects,
  )
})

t.test('Roles decide at the edge; what a policy has a say in does not', async t => {
  const issuer = createTestIssuer()
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: issuer.fetch } })
  t.teardown(() => verifier.close())
  const policy = {
    id: 'p',
    name: 'lock',
    source: 'forbid(principal, action == Action::"places:create", resource);',
    statements: [{ number: 1, line: 1, effect: 'forbid' as const, actions: ['places:create'], isTemplate: false }],
    attachments: [],
  }
  const permissions = ['places:read', 'places:create']
  issuer.setBundle('acme', { permissions, roles: [{ name: 'member', permissions }], policies: [policy] })
  const principal = await verifier.verify(issuer.token({ tid: 'acme', permissions: undefined }))
  t.equal(principal.can('places:read'), true)
  t.equal(await reasonOf(() => principal.can('places:create')), 'bundle_unavailable')
})

t.test('What the edge loads imports nothing of Node but behind a door it never opens', async t => {
  const source = dirname(import.meta.dirname)
  const seen = new Set<string>()
  const foreign: string[] = []
  const walk = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    const text = readFileSync(file, 'utf8')
    for (const [, name = ''] of text.matchAll(/^(?:import|export) (?!type)[^'"]*from '([^']+)'|^import '([^']+)'/gm)) {
      if (name.startsWith('.')) walk(join(dirname(file), name))
      else foreign.push(`${file.slice(source.length)}: ${name}`)
    }
    for (const [, name = ''] of text.matchAll(/import\('([^']+)'\)/g)) {
      if (name.startsWith('.')) walk(join(dirname(file), name))
    }
  }
  walk(join(source, 'src/web.ts'))
  t.ok(seen.size > 20)
  t.same(foreign, [])
  for (const file of seen) t.notMatch(readFileSync(file, 'utf8'), /\bBuffer\b|node:/, file.slice(source.length))
})
