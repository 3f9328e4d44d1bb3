import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { AuthError, createVerifier, type Reason, type Verifier } from '@signet/verifier'
import { createTestIssuer } from '@signet/verifier/testing'
import t, { type Test } from 'tap'
import { encode, header, reasonOf, standardClaims } from './forge.ts'

const issuer = createTestIssuer()
const good = issuer.token()
const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.')

const goodJson = () => JSON.stringify(standardClaims(issuer))

let fetches = 0
const countingFetch: typeof fetch = (...call) => {
  fetches++
  return issuer.fetch(...call)
}
const verifier = createVerifier({
  issuer: issuer.issuer,
  audience: issuer.audience,
  keys: { fetch: countingFetch, cooldownMs: 1 },
})
await verifier.warmUp()

const refusal = (token: unknown, by: Verifier = verifier): AuthError | undefined => {
  try {
    by.verifySync(token as string)
    return undefined
  } catch (error) {
    if (error instanceof AuthError) return error
    throw error
  }
}

function refuses(t: Test, token: unknown, reasons: Reason | readonly Reason[], name: string): void {
  const error = refusal(token)
  const expected: readonly Reason[] = typeof reasons === 'string' ? [reasons] : reasons
  t.ok(error !== undefined && expected.includes(error.reason), `${name}: ${error?.reason ?? 'ACCEPTED'}`)
  if (error === undefined) return
  t.equal(error.status, 401, `${name}: 401`)
  const texts = [error.message, error.stack, JSON.stringify(error.toProblem()), error.wwwAuthenticate()].join()
  const parts = typeof token === 'string' ? token.split('.').filter(part => part.length > 20) : []
  t.notOk(
    parts.some(part => texts.includes(part)),
    `${name}: tells nothing of the token`,
  )
}

t.test('A forged token is refused', async t => {
  t.equal(refusal(good), undefined, 'while the honest one is accepted')
  const attack = (name: string, test: (t: Test) => Promise<void>) =>
    t.test(name, async t => {
      fetches = 0
      await test(t)
      // A flipped bit may make the kid an unknown one: that is the subject of F-05.
      if (!name.startsWith('F-02')) t.equal(fetches, 0, 'without any outbound request')
    })

  await attack('F-01 alg none, in any case, with and without signature', async t => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, 0, undefined]) {
      const start = `${encode(header(issuer, { alg }))}.${goodPayload}`
      for (const signature of ['', goodSignature]) {
        refuses(t, `${start}.${signature}`, 'invalid_signature', `alg ${String(alg)}, signature of ${signature.length}`)
      }
    }
  })

  await attack('F-02 one bit flipped, 2,000 times over all segments', async t => {
    let accepted = 0
    let tried = 0
    for (let round = 0; round < 2_000; round++) {
      const at = Math.floor((round * good.length) / 2_000)
      const flipped = String.fromCharCode(good.charCodeAt(at) ^ (1 << (round % 7)))
      if (refusal(good.slice(0, at) + flipped + good.slice(at + 1)) === undefined) accepted++
      tried++
    }
    t.strictSame({ tried, accepted }, { tried: 2_000, accepted: 0 })
  })

  await attack('F-03 HS256 with the public key as secret', async t => {
    const { publicKey } = issuer.key
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const jwk = publicKey.export({ format: 'jwk' })
    const secrets = {
      PEM: pem,
      'PEM without newline': pem.trimEnd(),
      DER: publicKey.export({ type: 'spki', format: 'der' }),
      JWK: JSON.stringify(jwk),
      n: jwk.n ?? '',
      'decoded n': Buffer.from(jwk.n ?? '', 'base64url'),
    }
    for (const [name, secret] of Object.entries(secrets)) {
      for (const alg of ['HS256', 'RS256']) {
        const input = `${encode(header(issuer, { alg }))}.${goodPayload}`
        refuses(
          t,
          `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`,
          'invalid_signature',
          `${name} as ${alg}`,
        )
      }
    }
  })

  await attack('F-04 embedded jwk, x5c, jku, x5u', async t => {
    const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = attacker.publicKey.export({ format: 'jwk' })
    const own = { jwk, x5c: ['AAAA'], jku: `${issuer.issuer}/.well-known/jwks.json`, x5u: 'https://attacker.test/x' }
    for (const [name, value] of Object.entries(own)) {
      const forged = issuer.sign(header(issuer, { [name]: value }), goodJson(), attacker.privateKey)
      refuses(t, forged, 'malformed', `${name}, signed by the attacker`)
      refuses(
        t,
        issuer.sign(header(issuer, { [name]: value }), goodJson()),
        'malformed',
        `${name}, signed by the issuer`,
      )
    }
  })

  await attack('F-06 PS256, RS384 and RS512 by the right key', async t => {
    const { privateKey } = issuer.key
    for (const [alg, hash, padding] of [
      ['PS256', 'sha256', 6],
      ['RS384', 'sha384', 1],
      ['RS512', 'sha512', 1],
    ] as const) {
      for (const stated of [alg, 'RS256']) {
        const input = `${encode(header(issuer, { alg: stated }))}.${goodPayload}`
        const signature = sign(hash, Buffer.from(input), { key: privateKey, padding }).toString('base64url')
        refuses(t, `${input}.${signature}`, 'invalid_signature', `${alg} stated as ${stated}`)
      }
    }
    for (const alg of ['none', 'HS256', 'PS256', 'RS384', 'RS512', 'rs256', '', null, ['RS256'], undefined]) {
      const forged = issuer.sign(header(issuer, { alg }), goodJson())
      refuses(t, forged, 'invalid_signature', `alg ${JSON.stringify(alg)} over an RS256 signature`)
    }
  })

  await attack('F-07 crit and b64', async t => {
    for (const more of [
      { crit: ['exp'] },
      { crit: [] },
      { b64: false },
      { b64: true },
      { crit: ['b64'], b64: false },
    ]) {
      refuses(t, issuer.sign(header(issuer, more), goodJson()), 'malformed', JSON.stringify(more))
    }
  })

  await attack('F-08 any form but three canonical segments', async t => {
    const json = JSON.stringify({ protected: goodHeader, payload: goodPayload, signature: goodSignature })
    // The last character of 342 carries four bits that must be zero.
    const tail = goodSignature.slice(-1)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const sibling = alphabet[alphabet.indexOf(tail) + 1] ?? ''
    t.same(
      Buffer.from(goodSignature.slice(0, -1) + sibling, 'base64url'),
      Buffer.from(goodSignature, 'base64url'),
      'Node forgives it',
    )
    const forms: Record<string, unknown> = {
      empty: '',
      'two segments': `${goodHeader}.${goodPayload}`,
      'four segments': `${good}.AAAA`,
      'five segments': `${good}.AAAA.AAAA`,
      'no dot': good.replaceAll('.', ''),
      'only dots': '..',
      'empty header': `.${goodPayload}.${goodSignature}`,
      'empty payload': `${goodHeader}..${goodSignature}`,
      'JSON form': json,
      'padded signature': `${good}==`,
      'padded payload': `${goodHeader}.${goodPayload}=.${goodSignature}`,
      'padded header': `${goodHeader}=.${goodPayload}.${goodSignature}`,
      'leading space': ` ${good}`,
      'trailing space': `${good} `,
      newline: `${good}\n`,
      'carriage return': `${good}\r\n`,
      NUL: `${good}\0`,
      'space inside': `${goodHeader}. ${goodPayload}.${goodSignature}`,
      BOM: `\ufeff${good}`,
      'non-canonical tail': good.slice(0, -1) + sibling,
      'a stray character': `${good}A`,
      'standard alphabet': good.replaceAll('-', '+').replaceAll('_', '/'),
      // Its low byte is that of the character it stands for.
      'a wide character in the payload': widen(good, goodHeader.length + 5),
      'a wide character in the header': widen(good, 5),
      'a wide character in the signature': widen(good, good.length - 5),
      'not a string': 42,
      'a String object': Object(good),
      undefined: undefined,
      null: null,
      'an array': [good],
    }
    for (const [name, token] of Object.entries(forms)) refuses(t, token, ['malformed', 'invalid_signature'], name)
    refuses(t, issuer.sign(header(issuer), `\ufeff${goodJson()}`), 'malformed', 'BOM before the signed claims')
    refuses(
      t,
      issuer.sign(header(issuer), Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
      'malformed',
      'claims that are no UTF-8',
    )
    const umlaut = verifier.verifySync(issuer.token({ roles: ['geschäftsführung', '管理'] }))
    t.strictSame([...(umlaut.claims.roles ?? [])], ['geschäftsführung', '管理'], 'while honest UTF-8 is read')
  })

  await attack('F-09 another JWT of the issuer, or an opaque token', async t => {
    for (const typ of [
      'statuslist+jwt',
      'authz-bundle+jwt',
      'JWT',
      'dpop+jwt',
      'AT+JWT',
      'at+jwt ',
      '',
      1,
      null,
      ['at+jwt'],
      undefined,
    ]) {
      refuses(t, issuer.token({}, { typ }), 'wrong_type', `typ ${JSON.stringify(typ)}`)
    }
    refuses(t, 'b3BhcXVlLXJlZnJlc2gtdG9rZW4tb2YtNDMtY2hhcmFjdGVycw', 'malformed', 'opaque')
    t.ok(
      verifier.verifySync(issuer.token({}, { typ: 'application/at+jwt' })),
      'while the long form of RFC 9068 is accepted',
    )
  })

  await attack('F-10 claims of the wrong form', async t => {
    const claims = standardClaims(issuer)
    const signed = (payload: string | object) =>
      issuer.sign(header(issuer), typeof payload === 'string' ? payload : JSON.stringify(payload))
    for (const payload of ['[]', '[{}]', 'null', '""', '1', 'true', '', ' ', '{', '{}}', "{'a':1}"]) {
      refuses(t, signed(payload), 'malformed', `payload ${payload}`)
    }
    refuses(t, signed('{}'), 'invalid_claims', 'payload {}')
    const wrong: Record<string, readonly unknown[]> = {
      exp: ['1999999999', null, 1999999999.5, -1, 2 ** 53, undefined, [], {}, true],
      iat: ['1', null, 1.5, -1, 2 ** 53, undefined],
      nbf: ['1', null, 1.5, -1, 2 ** 53],
      sub: [undefined, '', null, 1, {}, ['a']],
      tid: [undefined, '', null, 1, {}],
      sid: ['', null, 1],
      jti: [undefined, '', null, 1],
      client_id: [undefined, '', null, 1],
      iss: [undefined, null, 1, [claims.iss], {}],
      aud: [undefined, null, [], {}, 1, [1], ['signet', null], { 0: 'signet', length: 1 }],
      roles: ['admin', null, [1], { 0: 'admin' }],
      permissions: ['places:read', null, [null], { length: 1 }],
      scope: [['a'], null, 1],
      kind: [1, null],
      auth_time: ['1', -1, null],
      amr: ['pwd', [1], null],
      act: ['x', null, [], {}, { sub: 1 }],
    }
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values)
        refuses(t, signed({ ...claims, [name]: value }), 'invalid_claims', `${name} ${JSON.stringify(value)}`)
    }
    refuses(t, signed(JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999')), 'invalid_claims', 'exp 1e999')
    const now = Math.floor(Date.now() / 1000)
    refuses(t, signed({ ...claims, iat: now + 60 }), 'not_active', 'iat in the future')
    refuses(t, signed({ ...claims, nbf: now + 60 }), 'not_active', 'nbf in the future')
    refuses(t, signed({ ...claims, exp: now - 60 }), 'expired', 'exp in the past')
    for (const aud of ['sig', 'signet2', 'Signet', 'signet ', ['other'], ['sig', 'net']]) {
      refuses(t, signed({ ...claims, aud }), 'wrong_audience', `aud ${JSON.stringify(aud)}`)
    }
    for (const iss of [
      `${issuer.issuer}/`,
      issuer.issuer.toUpperCase(),
      issuer.issuer.replace('https', 'http'),
      ` ${issuer.issuer}`,
    ]) {
      refuses(t, signed({ ...claims, iss }), 'wrong_issuer', `iss ${iss}`)
    }
    t.ok(
      verifier.verifySync(signed({ ...claims, aud: ['other', 'signet'] })),
      'while one of several audiences is enough',
    )
    refuses(
      t,
      signed(
        `{"sub":"a","sub":"",${JSON.stringify(claims)
          .slice(1)
          .replace(/"sub":"[^"]+",/, '')}`,
      ),
      'invalid_claims',
      'of duplicates the last counts',
    )
  })

  await attack('F-11 another issuer with the same kid', async t => {
    const stranger = createTestIssuer({ issuer: issuer.issuer })
    refuses(t, stranger.token({}, { kid: issuer.key.kid }), 'invalid_signature', 'who claims to be this one')
    const other = createTestIssuer({ issuer: 'https://other.test' })
    refuses(t, other.token({}, { kid: issuer.key.kid }), 'invalid_signature', 'who says its own name')
  })

  await attack('F-13 10,000-deep JSON, a token of 1 MB, a header of 64 kB', async t => {
    refuses(t, `${goodHeader}.${'A'.repeat(1_048_576)}.${goodSignature}`, 'malformed', '1 MB')
    refuses(
      t,
      `${encode({ alg: 'RS256', typ: 'at+jwt', kid: issuer.key.kid, x: 'y'.repeat(65_536) })}.e30.AAAA`,
      'malformed',
      'header of 64 kB',
    )
    refuses(t, `${'['.repeat(10_000)}.e30.AAAA`, 'malformed', 'brackets that are no base64url')
    const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    refuses(t, issuer.sign(header(issuer), deep(10_000)), 'malformed', '10,000 deep')
    refuses(t, `${encode(deep(4_000))}.e30.AAAA`, 'malformed', 'a header 4,000 deep')
    const claims = JSON.stringify(standardClaims(issuer)).slice(0, -1)
    const principal = verifier.verifySync(issuer.sign(header(issuer), `${claims},"deep":${deep(5_000)}}`))
    t.ok(Object.isFrozen(principal.claims.deep), 'claims 5,000 deep are frozen without running out of stack')
  })
})

t.test('F-05 a kid that is unknown or no kid', async t => {
  const server = createTestIssuer()
  let calls = 0
  let nowMs = Date.now()
  const by = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    keys: {
      cooldownMs: 30_000,
      fetch: (...call) => {
        calls++
        return server.fetch(...call)
      },
    },
    now: () => nowMs,
  })
  await by.warmUp()
  t.equal(calls, 2, 'the keys, and the names of the status lists')
  const noKids = [undefined, null, 1, [], ['a'], {}, '', 'k'.repeat(10_000), 'k'.repeat(257), true]
  for (const kid of noKids) {
    t.equal(
      await reasonOf(() => by.verify(server.token({}, { kid }))),
      'malformed',
      `kid ${JSON.stringify(kid)?.slice(0, 20)}`,
    )
  }
  t.equal(await reasonOf(() => by.verify(server.token({}, { kid: 'k'.repeat(100_000) }))), 'malformed', '100 kB')
  t.equal(calls, 2, 'what is no kid causes no fetch')
  nowMs += 30_001
  for (const rest of ['.AAAA', '.AAAA.AAAA']) {
    t.equal(await reasonOf(() => by.verify(server.token({}, { kid: 'unknown' }) + rest)), 'malformed')
  }
  t.equal(calls, 2, 'nor does an unknown one in a token of more than three segments')
  const strangers = [
    'unknown',
    '../../../etc/passwd',
    "' OR 1=1 --",
    '__proto__',
    'constructor',
    'hasOwnProperty',
    '\0',
    `${server.key.kid}\0`,
    server.key.kid.toUpperCase(),
  ]
  for (const kid of strangers) {
    t.equal(await reasonOf(() => by.verify(server.token({}, { kid }))), 'unknown_key', `kid ${JSON.stringify(kid)}`)
    t.equal(await reasonOf(() => by.verifySync(server.token({}, { kid }))), 'unknown_key')
  }
  t.equal(calls, 3, 'all of them cause one fetch a cool-down')
  t.ok(await by.verify(server.token()), 'and the good token is unaffected')
})

t.test('F-12 a token of a removed key', async t => {
  const server = createTestIssuer()
  const [old, oldKid] = [server.token(), server.key.kid]
  let nowMs = Date.now()
  const by = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    keys: { fetch: server.fetch, cooldownMs: 1 },
    now: () => nowMs,
  })
  await by.verify(old)
  server.rotate()
  t.ok(await by.verify(old), 'is accepted while the key is published')
  server.removeKey(oldKid)
  nowMs += 2
  t.ok(await by.verify(server.token()), 'the new key brings the new set')
  t.equal(await reasonOf(() => by.verify(old)), 'unknown_key', 'is refused from then on, though it was remembered')
  t.equal(await reasonOf(() => by.verifySync(old)), 'unknown_key')
})

t.test('A key of the right size but of another kind never verifies', async t => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = createPublicKey(ec.publicKey.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' })
  t.throws(
    () =>
      createVerifier({ issuer: issuer.issuer, audience: 'signet', keys: { jwks: { keys: [{ ...jwk, kid: 'ec' }] } } }),
    { name: 'TypeError', message: /not an RSA key/ },
  )
})

function widen(text: string, at: number): string {
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) + 0x100) + text.slice(at + 1)
}
