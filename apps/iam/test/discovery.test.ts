import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { problemCatalogue } from '@signet/kernel'
import { checkApiReference } from '@signet/testkit'
import { createVerifier } from '@signet/verifier'
import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier as createFastJwtVerifier } from 'fast-jwt'
import { createLocalJWKSet, createRemoteJWKSet, exportSPKI, importJWK, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import t from 'tap'
import { audience, issuer, testApp } from './test-app.ts'

const a = await testApp(t)
const { id } = await a.register({ email: 'ada@example.com' })
const { access_token: token } = await a.signIn('ada@example.com')
const { body: keySet } = await a.call('GET', '/.well-known/jwks.json')

t.test('a token verifies with the published keys', async t => {
  const [active] = keySet.keys
  const pem = await exportSPKI((await importJWK(active, 'RS256')) as never)
  await t.test('in jose', async t => {
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keySet), {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: ['RS256'],
    })
    t.equal(payload.sub, id)
    t.equal(protectedHeader.kid, active.kid)
  })
  await t.test('in jose, over the network', async t => {
    const address = await a.app.listen({ host: '127.0.0.1', port: 0 })
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(`${address}/.well-known/jwks.json`)), {
      issuer,
      audience,
    })
    t.equal(payload.sub, id)
  })
  await t.test('in fast-jwt', async t => {
    const payload = createFastJwtVerifier({
      key: pem,
      algorithms: ['RS256'],
      allowedIss: issuer,
      allowedAud: audience,
    })(token)
    t.equal(payload.sub, id)
  })
  await t.test('in jsonwebtoken', async t => {
    const payload = jsonwebtoken.verify(token, pem, { algorithms: ['RS256'], issuer, audience })
    t.equal(payload.sub, id)
  })
  await t.test('in aws-jwt-verify', async t => {
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri: 'https://issuer.test/jwks.json' })
    verifier.cacheJwks(keySet)
    t.equal((await verifier.verify(token)).sub, id)
  })
  await t.test('in our verifier with the network cut', async t => {
    const verifier = createVerifier({ issuer, audience, keys: { jwks: keySet } })
    t.teardown(() => verifier.close())
    const principal = verifier.verifySync(token, { roles: ['member'], tenant: a.company })
    t.equal(principal.subject, id)
    t.equal(principal.tenant, a.company)
    t.throws(() => verifier.verifySync(token, { permissions: ['users:create'] }), { message: /users:create/ })
  })
  await t.test('in our verifier as a service would use it, and then without the issuer', async t => {
    const server = createServer(
      (_request, response) => void response.setHeader('content-type', 'application/json').end(JSON.stringify(keySet)),
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
    // The server has keys for every question.
    const verifier = createVerifier({ issuer, audience, keys: { uri }, revocation: { mode: 'off' } })
    t.teardown(() => verifier.close())
    await verifier.warmUp()
    await new Promise(resolve => server.close(resolve))
    t.equal((await verifier.verify(token)).subject, id)
  })
})

t.test('the key set', async t => {
  await t.test('may be held for five minutes and is not sent twice', async t => {
    const { headers, status } = await a.call('GET', '/.well-known/jwks.json')
    t.equal(status, 200)
    t.match(headers['cache-control'], /max-age=300/)
    t.match(headers['content-type'], /^application\/json/)
    const ask = (value: string) =>
      a.app.inject({ method: 'GET', url: '/.well-known/jwks.json', headers: { 'if-none-match': value } })
    for (const value of [String(headers['etag']), `"other", W/${String(headers['etag'])}`, '*']) {
      const answer = await ask(value)
      t.equal(answer.statusCode, 304, value)
      t.equal(answer.body, '')
      t.equal(answer.headers['etag'], headers['etag'])
      t.match(answer.headers['cache-control'], /max-age=300/)
    }
    t.equal((await ask('"other"')).statusCode, 200)
    const head = await a.app.inject({ method: 'HEAD', url: '/.well-known/jwks.json' })
    t.match(head, { statusCode: 200, body: '' })
  })
  await t.test('holds public keys of RS256 alone', async t => {
    t.equal(keySet.keys.length, 2)
    for (const key of keySet.keys) {
      t.same(Object.keys(key), ['kty', 'kid', 'use', 'alg', 'n', 'e'])
      t.match(key, { kty: 'RSA', use: 'sig', alg: 'RS256', e: 'AQAB' })
    }
  })
  await t.test('gives the active key as PEM too', async t => {
    const { text, headers } = await a.call('GET', '/.well-known/public-key.pem')
    t.equal(headers['content-type'], 'application/x-pem-file')
    t.equal(createPublicKey(text).export({ format: 'jwk' }).n, keySet.keys[0].n)
    t.equal(
      (
        await a.app.inject({
          url: '/.well-known/public-key.pem',
          headers: { 'if-none-match': String(headers['etag']) },
        })
      ).statusCode,
      304,
    )
  })
})

t.test('the metadata (RFC 8414) name what exists', async t => {
  const { body, headers } = await a.call('GET', '/.well-known/oauth-authorization-server')
  t.same(body, {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    introspection_endpoint: `${issuer}/oauth2/introspect`,
    introspection_endpoint_auth_methods_supported: ['x-api-key'],
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    status_list_aggregation_endpoint: `${issuer}/status-lists`,
    service_documentation: `${issuer}/docs`,
    response_types_supported: [],
    grant_types_supported: [],
  })
  t.match(headers['cache-control'], /max-age=300/)
  for (const name of ['jwks_uri', 'status_list_aggregation_endpoint', 'service_documentation'])
    t.equal((await a.call('GET', new URL(body[name]).pathname)).status, 200, name)
  for (const [name, status] of [
    ['introspection_endpoint', 401],
    ['revocation_endpoint', 400],
  ] as const)
    t.equal((await a.call('POST', new URL(body[name]).pathname)).status, status, name)
})

t.test('H-01 the issuer is the one of the settings, whatever Host says', async t => {
  const answer = await a.app.inject({
    url: '/.well-known/oauth-authorization-server',
    headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
  })
  t.equal(answer.json().issuer, issuer)
  t.notMatch(answer.body, /evil/)
})

t.test('operations', async t => {
  t.same((await a.call('GET', '/api/v1/healthcheck')).body, { status: 'ok', database: 'ok' })
  const checks = { database: 'ok', migrations: 'ok', keys: 'ok', outbox: 'ok' }
  t.same((await a.call('GET', '/readyz')).body, { status: 'ok', checks })
  t.equal((await a.call('GET', '/livez')).status, 200)
  t.match((await a.call('GET', '/version')).body, { version: /^\d+\.\d+\.\d+/ })
  t.match((await a.call('GET', '/docs/')).headers['content-type'], /text\/html/)
})

t.test('the API reference is as it was agreed', async t => {
  const { body } = await a.call('GET', '/openapi.json')
  checkApiReference(t, body, new URL('../docs/openapi.json', import.meta.url))
})

t.test('docs/problems.md lists every problem of the catalogue, and no other', async t => {
  const text = readFileSync(new URL('../docs/problems.md', import.meta.url), 'utf8')
  const rows = text
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line =>
      line
        .split('|')
        .slice(1, 5)
        .map(cell => cell.trim()),
    )
  const catalogue = Object.entries(problemCatalogue).map(([code, [status, title, whatToDo]]) => [
    `\`${code}\``,
    String(status),
    title,
    whatToDo,
  ])
  t.same(rows, catalogue)
})
