import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier as createFastJwtVerifier } from 'fast-jwt'
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { createVerifier } from '@signet/verifier'
import { createTestIssuer } from '@signet/verifier/testing'
import t from 'tap'

const issuer = createTestIssuer()
const token = issuer.token({ sub: 'somebody', permissions: ['places:read'] })
const publicKey = issuer.key.publicKey.export({ type: 'spki', format: 'pem' }).toString()

t.test('A token of the test issuer verifies', async t => {
  t.equal(
    (
      await createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { fetch: issuer.fetch } }).verify(
        token,
      )
    ).subject,
    'somebody',
    'here',
  )

  const byJose = await jwtVerify(token, createLocalJWKSet({ keys: issuer.jwks.keys.map(jwk => ({ ...jwk })) }), {
    issuer: issuer.issuer,
    audience: issuer.audience,
    typ: 'at+jwt',
    algorithms: ['RS256'],
  })
  t.equal(byJose.payload.sub, 'somebody', 'in jose')

  const byFastJwt = createFastJwtVerifier({
    key: publicKey,
    algorithms: ['RS256'],
    allowedIss: issuer.issuer,
    allowedAud: issuer.audience,
  })
  t.equal(byFastJwt(token).sub, 'somebody', 'in fast-jwt')

  const byJsonwebtoken = jsonwebtoken.verify(token, publicKey, {
    algorithms: ['RS256'],
    issuer: issuer.issuer,
    audience: issuer.audience,
  })
  t.equal(byJsonwebtoken.sub, 'somebody', 'in jsonwebtoken')

  const aws = JwtVerifier.create({
    issuer: issuer.issuer,
    audience: issuer.audience,
    jwksUri: `${issuer.issuer}/.well-known/jwks.json`,
  })
  aws.cacheJwks({ keys: issuer.jwks.keys.map(jwk => ({ ...jwk })) })
  t.equal((await aws.verify(token)).sub, 'somebody', 'in aws-jwt-verify')
})

t.test('A token that jose has signed verifies here', async t => {
  const { privateKey, publicKey: josePublicKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(josePublicKey)), kid: 'by-jose' }
  const signed = await new SignJWT({ client_id: 'signet', tid: 'tenant', scope: 'read write' })
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'by-jose' })
    .setIssuer('https://jose.test')
    .setAudience('signet')
    .setSubject('somebody')
    .setJti('1')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey)
  const verifier = createVerifier({ issuer: 'https://jose.test', audience: 'signet', keys: { jwks: { keys: [jwk] } } })
  const principal = await verifier.verify(signed, { scopes: ['write'], tenant: 'tenant' })
  t.match(principal, { subject: 'somebody', tenant: 'tenant' })
})
