// Tokens that somebody once got wrong, each with where it comes from. Everything is generated: keys are new in each run,
// claims and kids are fixed, so that a verdict depends on the case alone.

import {
  constants,
  createHash,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  sign,
} from 'node:crypto'
import type { Setting } from './peers.ts'

export interface Case {
  readonly name: string
  /** A line of the threat list, an RFC, a CVE or an issue in which somebody met it. */
  readonly source: string
  readonly token: string
  /** What ours must do; undefined where either is right and only the rule of the corpus applies. */
  readonly expected: 'accepts' | 'refuses' | undefined
  /** The sentence that makes the token valid. Needed where ours accepts what another library does not. */
  readonly because?: string
}

export interface Corpus {
  readonly setting: Setting
  readonly cases: readonly Case[]
}

type Json = Readonly<Record<string, unknown>>
type Signer = (input: Buffer) => Buffer

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const maxTokenChars = 16_384

const encode = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString('base64url')

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const createPair = (): Pair => generateKeyPairSync('rsa', { modulusLength: 2048 })

const modulusOf = (key: KeyObject): bigint =>
  BigInt(`0x${Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url').toString('hex')}`)

/** A key whose modulus leaves room above it in 2048 bits, so that a signature plus the modulus still has 256 bytes. */
function createRoomyPair(): Pair {
  for (;;) {
    const pair = createPair()
    if (modulusOf(pair.publicKey) >> 2041n < 112n) return pair
  }
}

const toBytes = (value: bigint, length = 256): Buffer =>
  Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')
const toInteger = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)

export function createCorpus(): Corpus {
  const now = Date.UTC(2027, 0, 15, 12) / 1_000
  const issuer = 'https://issuer.test'
  const audience = 'places'
  const own = createRoomyPair()
  const second = createPair()
  const removed = createPair()
  const attacker = createPair()
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ed = generateKeyPairSync('ed25519')

  const cases: Case[] = []
  const names = new Set<string>()
  function add(name: string, source: string, token: string, expected: Case['expected'], because?: string): void {
    if (names.has(name)) throw new Error(`Two cases are named: ${name}`)
    names.add(name)
    cases.push({ name, source, token, expected, ...(because === undefined ? {} : { because }) })
  }
  const refuse = (name: string, source: string, token: string) => add(name, source, token, 'refuses')
  const accept = (name: string, source: string, token: string, because: string) =>
    add(name, source, token, 'accepts', because)
  const either = (name: string, source: string, token: string, because?: string) =>
    add(name, source, token, undefined, because)

  const head: Json = { alg: 'RS256', typ: 'at+jwt', kid: 'key-1' }
  const claims: Json = {
    iss: issuer,
    aud: audience,
    sub: 'user-1',
    client_id: 'signet',
    iat: now - 10,
    exp: now + 890,
    jti: 'token-1',
    sid: 'session-1',
    tid: 'tenant-1',
    roles: ['member'],
    permissions: ['places:read'],
    kind: 'user',
  }

  const rs256 =
    (key: KeyObject): Signer =>
    input =>
      sign('RSA-SHA256', input, key)
  /** Signs what is given as it stands; objects are written as JSON. */
  function make(
    header: Json | string | Uint8Array,
    payload: Json | string | Uint8Array,
    by: Signer | KeyObject = own.privateKey,
  ): string {
    const input = `${encode(write(header))}.${encode(write(payload))}`
    const signer = typeof by === 'function' ? by : rs256(by)
    return `${input}.${encode(signer(Buffer.from(input)))}`
  }
  const withHeader = (more: Json, by?: Signer | KeyObject) => make({ ...head, ...more }, claims, by)
  const withClaims = (more: Json, by?: Signer | KeyObject) => make(head, { ...claims, ...more }, by)
  /** A claim as JSON text, for what no JavaScript value writes. */
  const withText = (name: string, text: string) =>
    make(head, JSON.stringify({ ...claims, [name]: 'PLACE' }).replace('"PLACE"', text))
  const without = (from: Json, name: string): Json =>
    Object.fromEntries(Object.entries(from).filter(([key]) => key !== name))

  const good = make(head, claims)
  const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.')
  const raw = Buffer.from(goodSignature, 'base64url')
  const join = (...segments: readonly string[]) => segments.join('.')

  // ---- F-01
  const unsecured = 'F-01, RFC 8725 3.1, CVE-2015-2951, CVE-2022-23540'
  for (const alg of [
    'none',
    'None',
    'NONE',
    'nOnE',
    'none ',
    ' none',
    'none\0',
    'n\u03bfne',
    '',
    null,
    0,
    false,
    [],
    {},
    ['none'],
  ]) {
    const shown = JSON.stringify(alg)
    const start = `${encode(JSON.stringify({ ...head, alg }))}.${goodPayload}`
    refuse(`alg ${shown}, empty signature`, unsecured, `${start}.`)
    refuse(`alg ${shown}, signature of another token`, unsecured, `${start}.${goodSignature}`)
  }
  refuse('alg missing, signed by the right key', 'F-01, RFC 7515 4.1.1', make(without(head, 'alg'), claims))
  refuse('alg RS256, empty signature', 'F-01, CVE-2020-28042', join(goodHeader, goodPayload, ''))
  refuse('alg none, nothing but alg in the header', 'F-01, RFC 7519 6.1', `${encode('{"alg":"none"}')}.${goodPayload}.`)
  refuse('alg none, no last dot', 'F-01, okta/okta-jwt-verifier-js#62', `${encode('{"alg":"none"}')}.${goodPayload}`)

  // ---- F-02
  const segments = [goodHeader, goodPayload, goodSignature]
  for (const [index, name] of ['header', 'payload', 'signature'].entries()) {
    const segment = segments[index] ?? ''
    for (const [where, at] of [
      ['first', 0],
      ['middle', segment.length >> 1],
      ['next to last', segment.length - 2],
    ] as const) {
      const other = alphabet[(alphabet.indexOf(segment[at] ?? '') + 32) % 64] ?? ''
      const changed = segment.slice(0, at) + other + segment.slice(at + 1)
      refuse(
        `${where} character of the ${name} changed`,
        'F-02',
        join(...segments.map((each, n) => (n === index ? changed : each))),
      )
    }
    // Of a signature one character is left over then, whatever it is: that is no base64url.
    const cut = segment.slice(0, -5)
    refuse(
      `five characters cut off the ${name}`,
      'F-02',
      join(...segments.map((each, n) => (n === index ? cut : each))),
    )
  }
  const other = withClaims({ sub: 'user-2', jti: 'token-2' })
  refuse('payload of another token', 'F-02, RFC 8725 2.1', join(goodHeader, other.split('.')[1] ?? '', goodSignature))
  refuse('signature of another token', 'F-02', join(goodHeader, goodPayload, other.split('.')[2] ?? ''))
  refuse(
    'header written anew, the same JSON',
    'F-02, RFC 7515 5.2',
    join(encode(JSON.stringify(head, null, 1)), goodPayload, goodSignature),
  )
  refuse(
    'payload written anew, the same JSON',
    'F-02, RFC 7515 5.2',
    join(goodHeader, encode(JSON.stringify(claims, null, 1)), goodSignature),
  )
  refuse('segments in another order', 'F-02', join(goodPayload, goodHeader, goodSignature))

  // ---- F-03
  const jwk = own.publicKey.export({ format: 'jwk' })
  const pem = own.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const confusion = 'F-03, RFC 8725 2.1, CVE-2015-9235, CVE-2016-10555, CVE-2023-48223, CVE-2024-54150'
  const secrets: Record<string, string | Buffer> = {
    'the PEM': pem,
    'the PEM without its newline': pem.trimEnd(),
    'the PEM with CRLF': pem.replaceAll('\n', '\r\n'),
    'the PEM after a space (CVE-2026-34950)': ` ${pem}`,
    'the PEM on one line': pem.replaceAll('\n', ''),
    'the PKCS #1 PEM': own.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    'the DER': own.publicKey.export({ type: 'spki', format: 'der' }),
    'the PKCS #1 DER': own.publicKey.export({ type: 'pkcs1', format: 'der' }),
    'the JWK': JSON.stringify(jwk),
    'the JWK as published': JSON.stringify({ kty: 'RSA', kid: 'key-1', n: jwk.n, e: jwk.e, alg: 'RS256', use: 'sig' }),
    'the text of n': jwk.n ?? '',
    'the bytes of n': Buffer.from(jwk.n ?? '', 'base64url'),
    'the text of e': jwk.e ?? '',
    'the kid': 'key-1',
    'nothing (CVE-2026-44351)': '',
    'a newline': '\n',
    'the issuer': issuer,
  }
  const mac =
    (secret: string | Buffer, hash = 'sha256'): Signer =>
    input =>
      createHmac(hash, secret).update(input).digest()
  for (const [name, secret] of Object.entries(secrets))
    refuse(`HS256 by ${name}`, confusion, withHeader({ alg: 'HS256' }, mac(secret)))
  refuse('HS384 by the PEM', confusion, withHeader({ alg: 'HS384' }, mac(pem, 'sha384')))
  refuse('HS512 by the PEM', confusion, withHeader({ alg: 'HS512' }, mac(pem, 'sha512')))
  refuse('HS256 by the PEM, stated as RS256', confusion, withHeader({}, mac(pem)))
  refuse('HS256 by the PEM, lower case', confusion, withHeader({ alg: 'hs256' }, mac(pem)))
  refuse('HS256 by the PEM, without a kid', confusion, make({ alg: 'HS256', typ: 'at+jwt' }, claims, mac(pem)))
  refuse(
    'HS256 by nothing, kid unknown',
    'F-03, nearform/fast-jwt#609',
    withHeader({ alg: 'HS256', kid: 'nobody' }, mac('')),
  )

  // ---- F-04
  const injected = 'F-04, RFC 8725 3.10, CVE-2018-0114'
  const attackerJwk = { ...attacker.publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'RS256', use: 'sig' }
  const certificate = attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const bringing: Record<string, Json> = {
    jwk: { jwk: attackerJwk },
    'jwk without a kid': { jwk: attackerJwk, kid: undefined },
    'jwk of a secret': { jwk: { kty: 'oct', k: encode('secret') } },
    'jwk that is null': { jwk: null },
    x5c: { x5c: [certificate] },
    'x5c that is empty': { x5c: [] },
    'jku of a stranger': { jku: 'https://attacker.test/keys.json' },
    'jku with the issuer as user name': { jku: `${issuer}@attacker.test/keys.json` },
    'jku with the issuer in the fragment': { jku: `https://attacker.test/#${issuer}` },
    'jku below the issuer': { jku: `${issuer}/../redirect?to=https://attacker.test` },
    'jku of a file': { jku: 'file:///etc/passwd' },
    'jku of the metadata service': { jku: 'http://169.254.169.254/latest/meta-data' },
    x5u: { x5u: 'https://attacker.test/certificate.pem' },
    'x5u of the loopback': { x5u: 'http://127.0.0.1:22/' },
  }
  for (const [name, more] of Object.entries(bringing))
    refuse(`${name}, signed by the attacker`, injected, withHeader(more, attacker.privateKey))
  for (const [name, more] of Object.entries({
    jwk: { jwk: attackerJwk },
    jku: { jku: `${issuer}/.well-known/jwks.json` },
    x5u: { x5u: issuer },
    x5c: { x5c: [certificate] },
  })) {
    refuse(`${name}, signed by the issuer`, 'F-04, RFC 8725 3.10', withHeader(more))
  }
  refuse('x5t of the attacker, signed by the attacker', injected, withHeader({ x5t: 'AAAA' }, attacker.privateKey))

  // ---- F-05
  const kids: Record<string, unknown> = {
    unknown: 'nobody',
    empty: '',
    'a path': '../../../../dev/null',
    'a file': 'file:///etc/passwd',
    'a URL': 'https://attacker.test/key',
    'an SQL union': "x' UNION SELECT 'secret' --",
    'a command': 'key-1|whoami',
    'a template': '#{7*7}',
    ['__proto__']: '__proto__',
    constructor: 'constructor',
    toString: 'toString',
    'a NUL': '\0',
    'the right one and NUL': 'key-1\0',
    'the right one in upper case': 'KEY-1',
    'the right one and a space': 'key-1 ',
    'the right one after a combining mark': 'key-1\u0301',
    'a number': 1,
    null: null,
    true: true,
    'an array': ['key-1'],
    'an object': { kid: 'key-1' },
    '257 characters': 'k'.repeat(257),
    '10,000 characters': 'k'.repeat(10_000),
    '100,000 characters': 'k'.repeat(100_000),
  }
  for (const [name, kid] of Object.entries(kids)) refuse(`kid ${name}`, 'F-05, RFC 8725 3.10', withHeader({ kid }))
  refuse('kid missing', 'F-05, RFC 9068 2.1, RFC 7515 4.1.4', make(without(head, 'kid'), claims))
  refuse('kid of the other key', 'F-05, CVE-2022-23541', withHeader({ kid: 'key-2' }))
  refuse(
    'kid a path, HS256 by the empty file',
    'F-05, RFC 8725 3.10',
    withHeader({ alg: 'HS256', kid: '/dev/null' }, mac('')),
  )

  // ---- F-06
  const wrongAlgorithm = 'F-06, RFC 8725 3.1, CVE-2022-23539'
  const pss =
    (hash: string): Signer =>
    input =>
      sign(hash, input, {
        key: own.privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: Number.parseInt(hash.slice(3), 10) / 8,
      })
  const others: Record<string, Signer> = {
    PS256: pss('sha256'),
    PS384: pss('sha384'),
    PS512: pss('sha512'),
    RS384: input => sign('sha384', input, own.privateKey),
    RS512: input => sign('sha512', input, own.privateKey),
    RS1: input => sign('sha1', input, own.privateKey),
    ES256: input => sign('sha256', input, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }),
    EdDSA: input => sign(null, input, ed.privateKey),
  }
  for (const [alg, by] of Object.entries(others)) {
    refuse(`${alg}, stated`, wrongAlgorithm, withHeader({ alg }, by))
    refuse(`${alg}, stated as RS256`, wrongAlgorithm, withHeader({}, by))
  }
  const spelt = [
    'rs256',
    'Rs256',
    'RS256 ',
    ' RS256',
    'RS256\0',
    'RS256\n',
    '\uff32\uff33256',
    'RS-256',
    'RS256,none',
    'RSA-SHA256',
    'SHA256withRSA',
    'RS384',
    'PS256',
    'HS256',
    'ES256',
    'EdDSA',
    'RSA1_5',
  ]
  for (const alg of spelt)
    refuse(`alg ${JSON.stringify(alg)} over an RS256 signature`, 'F-06, RFC 7515 4.1.1', withHeader({ alg }))
  for (const alg of [['RS256'], { RS256: true }, { toString: 'RS256' }, 256])
    refuse(`alg ${JSON.stringify(alg)} over an RS256 signature`, 'F-06, CVE-2022-23529', withHeader({ alg }))

  // ---- F-06, the signature itself: every way to get PKCS #1 wrong (RFC 8017 section 8.2.2)
  const bleichenbacher = 'F-06, RFC 8017 8.2.2, CVE-2006-4339, CVE-2014-1568'
  const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
  const sha256Info = hex('3031 300d 0609 608648016503040201 0500 0420')
  const hashOf = (input: Buffer, hash = 'sha256') => createHash(hash).update(input).digest()
  const frame = (type: string, padding: number, tail: Buffer) =>
    Buffer.concat([hex(type), Buffer.alloc(256 - 3 - tail.length, padding), Buffer.alloc(1), tail])
  const block = (tail: Buffer) => frame('0001', 0xff, tail)
  // What the private key does to a number: the inverse of verification, whatever the block holds.
  const power: Signer = bytes => privateDecrypt({ key: own.privateKey, padding: constants.RSA_NO_PADDING }, bytes)
  const blocks: Record<string, Signer> = {
    'DigestInfo without NULL': input =>
      block(Buffer.concat([hex('302f 300b 0609 608648016503040201 0420'), hashOf(input)])),
    'DigestInfo with NULL in long form (CVE-2022-24773)': input =>
      block(Buffer.concat([hex('3032 300e 0609 608648016503040201 058100 0420'), hashOf(input)])),
    'DigestInfo in indefinite length': input =>
      block(Buffer.concat([hex('3080 300d 0609 608648016503040201 0500 0420'), hashOf(input), hex('0000')])),
    'DigestInfo with a long-form length': input =>
      block(Buffer.concat([hex('308131 300d 0609 608648016503040201 0500 0420'), hashOf(input)])),
    'garbage in the algorithm (CVE-2022-24771, CVE-2026-85393)': input =>
      block(Buffer.concat([hex('3039 3015 0609 608648016503040201 0500 0406 414141414141 0420'), hashOf(input)])),
    'garbage behind the hash (CVE-2022-24772)': input =>
      block(Buffer.concat([sha256Info, hashOf(input), Buffer.alloc(8, 0x41)])),
    'garbage in place of the padding': input =>
      Buffer.concat([hex('0001 ffffffffffffffff 00'), sha256Info, hashOf(input), Buffer.alloc(194, 0x41)]),
    'seven bytes of padding': input =>
      Buffer.concat([hex('0001 ffffffffffffff 00'), sha256Info, hashOf(input), Buffer.alloc(195, 0x41)]),
    'no DigestInfo': input => block(hashOf(input)),
    'a SHA-1 DigestInfo over a SHA-256 hash': input =>
      block(Buffer.concat([hex('302d 3009 0605 2b0e03021a 0500 0420'), hashOf(input)])),
    'an MD5 DigestInfo and hash': input =>
      block(Buffer.concat([hex('3020 300c 0608 2a864886f70d0205 0500 0410'), hashOf(input, 'md5')])),
    'a SHA-512 DigestInfo over a SHA-256 hash': input =>
      block(Buffer.concat([hex('3031 300d 0609 608648016503040203 0500 0420'), hashOf(input)])),
    'a SHA-256 DigestInfo over a shortened hash': input =>
      block(Buffer.concat([hex('3030 300d 0609 608648016503040201 0500 041f'), hashOf(input).subarray(0, 31)])),
    'a SHA-224 hash': input =>
      block(Buffer.concat([hex('302d 300d 0609 608648016503040204 0500 041c'), hashOf(input, 'sha224')])),
    'block type 2': input => frame('0002', 0xff, Buffer.concat([sha256Info, hashOf(input)])),
    'block type 0': input => frame('0000', 0x00, Buffer.concat([sha256Info, hashOf(input)])),
    'padding of zeros (CVE-2021-30246)': input => frame('0001', 0x00, Buffer.concat([sha256Info, hashOf(input)])),
    'one byte of the padding changed': input => {
      const bytes = block(Buffer.concat([sha256Info, hashOf(input)]))
      bytes[100] = 0xfe
      return bytes
    },
    'a separator of one': input => {
      const bytes = block(Buffer.concat([sha256Info, hashOf(input)]))
      bytes[256 - sha256Info.length - 32 - 1] = 0x01
      return bytes
    },
    'the hash of the header alone': input =>
      block(Buffer.concat([sha256Info, hashOf(input.subarray(0, goodHeader.length))])),
    'the hash of the hash': input => block(Buffer.concat([sha256Info, hashOf(hashOf(input))])),
    'the hash with its bytes reversed': input => block(Buffer.concat([sha256Info, hashOf(input).toReversed()])),
  }
  for (const [name, build] of Object.entries(blocks))
    refuse(
      `signature over ${name}`,
      bleichenbacher,
      withHeader({}, input => power(build(input))),
    )
  refuse(
    'signature that is the padded hash itself',
    'F-06, CVE-2022-21449',
    withHeader({}, input => block(Buffer.concat([sha256Info, hashOf(input)]))),
  )
  const n = modulusOf(own.publicKey)
  const s = toInteger(raw)
  const numbers: Record<string, Buffer> = {
    '0': toBytes(0n),
    '1': toBytes(1n),
    'n − 1': toBytes(n - 1n),
    n: toBytes(n),
    'n + 1': toBytes(n + 1n),
    's + n, the same number to the arithmetic': toBytes(s + n),
    'n − s': toBytes(n - s),
    '2^2048 − 1': toBytes((1n << 2048n) - 1n),
  }
  for (const [name, bytes] of Object.entries(numbers))
    refuse(`signature of ${name}`, 'F-06, RFC 8017 5.2.2, CVE-2022-21449', join(goodHeader, goodPayload, encode(bytes)))
  const lengths: Record<string, Buffer> = {
    'with a zero byte before it': Buffer.concat([Buffer.alloc(1), raw]),
    'with a zero byte behind it': Buffer.concat([raw, Buffer.alloc(1)]),
    'without its last byte': raw.subarray(0, 255),
    twice: Buffer.concat([raw, raw]),
    'with its bytes reversed': Buffer.from(raw.toReversed()),
    'in hexadecimal': Buffer.from(raw.toString('hex')),
    'in base64 once more': Buffer.from(raw.toString('base64')),
    'as one byte': raw.subarray(0, 1),
  }
  for (const [name, bytes] of Object.entries(lengths))
    refuse(`signature ${name}`, 'F-06, RFC 8017 8.2.2', join(goodHeader, goodPayload, encode(bytes)))
  // One signature in 256 begins with a zero byte.
  const leading = Array.from({ length: 20_000 }, (_, number) => number).reduce<string>(
    (found, number) =>
      found === '' && Buffer.from(withClaims({ jti: `z${number}` }).split('.')[2] ?? '', 'base64url')[0] === 0
        ? withClaims({ jti: `z${number}` })
        : found,
    '',
  )
  const [zeroHeader = '', zeroPayload = '', zeroSignature = ''] = leading.split('.')
  refuse(
    'signature without its leading zero byte',
    'F-06, RFC 8017 8.2.2',
    join(zeroHeader, zeroPayload, encode(Buffer.from(zeroSignature, 'base64url').subarray(1))),
  )
  accept(
    'a signature that begins with a zero byte',
    'RFC 8017 8.2.1',
    leading,
    'RFC 8017 8.2.1: “Convert the signature representative s to a signature S of length k octets”.',
  )
  accept(
    'a signature made with the bare private key operation',
    'RFC 8017 8.2.1',
    withClaims({ jti: 'token-3' }, input => power(block(Buffer.concat([sha256Info, hashOf(input)])))),
    'RFC 8017 8.2.1: the same octets, however they were computed.',
  )

  // ---- F-07
  const critical = 'F-07, RFC 7515 4.1.11, auth0/node-jsonwebtoken#1032, nearform/fast-jwt#591, CVE-2025-59420'
  const crits: Record<string, Json> = {
    'an unknown extension': { crit: ['mfa'], mfa: true },
    'an extension that is not there': { crit: ['mfa'] },
    exp: { crit: ['exp'], exp: now + 900 },
    alg: { crit: ['alg'] },
    nothing: { crit: [] },
    'a string': { crit: 'exp' },
    null: { crit: null },
    false: { crit: false },
    'an object': { crit: { 0: 'mfa' } },
    'a number in a list': { crit: [1] },
    ['__proto__']: { crit: ['__proto__'] },
    'the same twice': { crit: ['mfa', 'mfa'], mfa: 1 },
    'b64, which is false': { crit: ['b64'], b64: false },
    'b64, which is true': { crit: ['b64'], b64: true },
  }
  for (const [name, more] of Object.entries(crits)) refuse(`crit: ${name}`, critical, withHeader(more))
  refuse('b64 false without crit', 'F-07, RFC 7797 6', withHeader({ b64: false }))
  refuse(
    'b64 false and an unencoded payload',
    'F-07, RFC 7797 5.2, microprofile/microprofile-jwt-auth#301',
    (() => {
      const start = `${encode(JSON.stringify({ ...head, b64: false, crit: ['b64'] }))}.${JSON.stringify(claims)}`
      return `${start}.${encode(sign('RSA-SHA256', Buffer.from(start), own.privateKey))}`
    })(),
  )
  refuse(
    'b64 false, signed unencoded, sent encoded',
    'F-07, RFC 7797 7',
    (() => {
      const first = encode(JSON.stringify({ ...head, b64: false, crit: ['b64'] }))
      return join(
        first,
        goodPayload,
        encode(sign('RSA-SHA256', Buffer.from(`${first}.${JSON.stringify(claims)}`), own.privateKey)),
      )
    })(),
  )

  // ---- F-08
  const form = 'F-08, RFC 7515 7.1'
  const alphabetical = 'F-08, RFC 7515 2, RFC 4648 3.3, nearform/fast-jwt#606'
  const malleable = 'F-08, RFC 4648 3.5, authlib/joserfc#51, benmcollins/libjwt#284'
  const tail = goodSignature.slice(-1)
  const sibling = (by: number) => goodSignature.slice(0, -1) + (alphabet[alphabet.indexOf(tail) + by] ?? '')
  // Its low byte is that of the character it stands for.
  const widen = (text: string) => String.fromCharCode(text.charCodeAt(0) + 0x100) + text.slice(1)
  const forms: Record<string, readonly [string, string]> = {
    'the empty string': ['', form],
    'one segment': [goodPayload, form],
    'two segments': [join(goodHeader, goodPayload), form],
    'four segments': [`${good}.AAAA`, form],
    'a dot behind': [`${good}.`, form],
    'a dot before': [`.${good}`, form],
    'two dots between': [join(goodHeader, '', goodPayload, goodSignature), form],
    'five segments, as a JWE': [join(goodHeader, 'AAAA', 'AAAA', goodPayload, goodSignature), 'F-08, RFC 7516 9'],
    'only dots': ['..', form],
    'no dot': [good.replaceAll('.', ''), form],
    'no header': [join('', goodPayload, goodSignature), form],
    'no payload, as if detached': [join(goodHeader, '', goodSignature), 'F-08, RFC 7515 Appendix F'],
    'flattened JSON': [
      JSON.stringify({ protected: goodHeader, payload: goodPayload, signature: goodSignature }),
      'F-08, RFC 7515 7.2.2',
    ],
    'general JSON': [
      JSON.stringify({ payload: goodPayload, signatures: [{ protected: goodHeader, signature: goodSignature }] }),
      'F-08, RFC 7515 7.2.1',
    ],
    'flattened JSON with an unprotected header': [
      JSON.stringify({ header: { alg: 'none' }, payload: goodPayload, signature: '' }),
      'F-08, RFC 7515 7.2.2, GHSA-jc38-x7x8-2xc8',
    ],
    'the token in JSON quotes': [JSON.stringify(good), form],
    'the scheme before it': [`Bearer ${good}`, 'F-08, RFC 6750 2.1'],
    'a space before': [` ${good}`, alphabetical],
    'a space behind': [`${good} `, alphabetical],
    'a tab behind': [`${good}\t`, alphabetical],
    'a newline behind': [`${good}\n`, alphabetical],
    'CRLF behind': [`${good}\r\n`, alphabetical],
    'NUL behind': [`${good}\0`, alphabetical],
    'a no-break space behind': [`${good}\u00a0`, alphabetical],
    'a vertical tab behind': [`${good}\v`, alphabetical],
    'a byte order mark before': [`\ufeff${good}`, alphabetical],
    'a space in the header': [
      join(`${goodHeader.slice(0, 8)} ${goodHeader.slice(8)}`, goodPayload, goodSignature),
      alphabetical,
    ],
    'a newline in the payload': [
      join(goodHeader, `${goodPayload.slice(0, 76)}\n${goodPayload.slice(76)}`, goodSignature),
      alphabetical,
    ],
    'a space in the signature': [
      join(goodHeader, goodPayload, `${goodSignature.slice(0, 8)} ${goodSignature.slice(8)}`),
      'F-08, auth0/node-jsonwebtoken#713',
    ],
    'a percent-encoded space in the signature': [
      join(goodHeader, goodPayload, `${goodSignature.slice(0, 8)}%20${goodSignature.slice(8)}`),
      alphabetical,
    ],
    'a backslash in the signature': [
      join(goodHeader, goodPayload, `${goodSignature.slice(0, 8)}\\${goodSignature.slice(8)}`),
      'F-08, kjur/jsrsasign#557',
    ],
    'a question mark in the signature': [
      join(goodHeader, goodPayload, `${goodSignature.slice(0, 8)}?${goodSignature.slice(8)}`),
      'F-08, Wycheproof tcId 372',
    ],
    'exclamation marks behind': [`${good}!!!!`, 'F-08, GHSA-hxm8-2xgr-2p9m'],
    'a comma and another token': [`${good},${other}`, 'F-08, RFC 6750 2.1'],
    'a padded signature': [`${good}==`, 'F-08, RFC 7515 2, auth0/node-jws#98'],
    'a signature padded once': [`${good}=`, 'F-08, RFC 7515 2, auth0/node-jws#98'],
    'a last character with its lowest bit set': [join(goodHeader, goodPayload, sibling(1)), malleable],
    'a last character with all four spare bits set': [join(goodHeader, goodPayload, sibling(15)), malleable],
    'the standard alphabet': [
      good.replaceAll('-', '+').replaceAll('_', '/') + (/[-_]/.test(good) ? '' : '+'),
      'F-08, RFC 7515 2, nov/json-jwt#129',
    ],
    'a wide character in the header': [join(widen(goodHeader), goodPayload, goodSignature), alphabetical],
    'a wide character in the payload': [join(goodHeader, widen(goodPayload), goodSignature), alphabetical],
    'a wide character in the signature': [join(goodHeader, goodPayload, widen(goodSignature)), alphabetical],
    'full-width dots': [good.replaceAll('.', '\uff0e'), form],
    'a lone surrogate behind': [`${good}\ud800`, alphabetical],
    'the token twice': [good + good, form],
    'the token backwards': [good.split('').toReversed().join(''), form],
    'percent-encoded dots': [good.replaceAll('.', '%2E'), form],
  }
  for (const [name, [token, source]] of Object.entries(forms)) refuse(name, source, token)
  // Signed as they stand: the signature is right over the characters that were sent.
  const signText = (first: string, middle: string) => {
    const input = join(first, middle)
    return join(input, encode(sign('RSA-SHA256', Buffer.from(input), own.privateKey)))
  }
  const loose = 'F-08, RFC 7515 5.2, RFC 7519 7.2, jpadilla/pyjwt#676'
  const padded = (text: string) => text + '='.repeat((4 - (text.length % 4)) % 4)
  const pad = (json: Json) => {
    // Spaces before the closing brace until base64 wants two characters of padding.
    let text = JSON.stringify(json)
    while (Buffer.byteLength(text) % 3 !== 1) text = `${text.slice(0, -1)} }`
    return text
  }
  refuse('a padded header, signed so', loose, signText(padded(encode(pad(head))), goodPayload))
  refuse('a padded payload, signed so', loose, signText(goodHeader, padded(encode(pad(claims)))))
  refuse(
    'a newline in the header, signed so',
    loose,
    signText(`${goodHeader.slice(0, 8)}\n${goodHeader.slice(8)}`, goodPayload),
  )
  refuse(
    'a space in the payload, signed so',
    loose,
    signText(goodHeader, `${goodPayload.slice(0, 8)} ${goodPayload.slice(8)}`),
  )
  const loosen = (text: string) => text.slice(0, -1) + (alphabet[alphabet.indexOf(text.slice(-1)) + 1] ?? '')
  refuse('spare bits set in the header, signed so', malleable, signText(loosen(encode(pad(head))), goodPayload))
  refuse('spare bits set in the payload, signed so', malleable, signText(goodHeader, loosen(encode(pad(claims)))))
  refuse(
    'a character too many in the payload, signed so',
    malleable,
    signText(
      goodHeader,
      `${encode(`${JSON.stringify(claims)}${' '.repeat((3 - (Buffer.byteLength(JSON.stringify(claims)) % 3)) % 3)}`)}A`,
    ),
  )
  refuse(
    'the standard alphabet in the payload, signed so',
    'F-08, RFC 7515 2, nov/json-jwt#129',
    signText(
      goodHeader,
      Buffer.from(JSON.stringify({ ...claims, x: '\u00fb\u00ff~~~???>>>' }))
        .toString('base64')
        .replaceAll('=', ''),
    ),
  )

  // ---- F-08, the JSON of the header
  const jsonHeader = 'F-08, RFC 7515 4, RFC 7515 5.2'
  const text = JSON.stringify(head)
  const headers: Record<string, string | Buffer> = {
    'an array': JSON.stringify([head]),
    null: 'null',
    'a string': JSON.stringify(text),
    'a number': '1',
    true: 'true',
    empty: '{}',
    'cut short': text.slice(0, -1),
    'with something behind it': `${text}{}`,
    'with NUL behind it': `${text}\0`,
    'after a byte order mark': `\ufeff${text}`,
    'in UTF-16': Buffer.from(text, 'utf16le'),
    'with a byte that is no UTF-8': Buffer.concat([Buffer.from(text.slice(0, -1)), hex('2c22ff223a317d')]),
    'with an overlong form in the kid': Buffer.from(text.replace('key-1', 'key-\u00c0\u00b1'), 'latin1'),
    'with a comma at its end': `${text.slice(0, -1)},}`,
    'with a comment': text.replace('{', '{/* */'),
    'in single quotes': text.replaceAll('"', "'"),
    'with names that are not quoted': text.replaceAll(/"(alg|typ|kid)"/g, '$1'),
    'with a raw newline in a string': text.replace('key-1', 'key-1\n'),
    'that says alg in __proto__': '{"__proto__":{"alg":"RS256"},"typ":"at+jwt","kid":"key-1"}',
    'that says everything in __proto__': `{"__proto__":${text}}`,
    'that says Alg': text.replace('"alg"', '"Alg"'),
    'whose last alg is none': text.replace('}', ',"alg":"none"}'),
    'whose last alg is none, spelt with an escape': text.replace('}', ',"\\u0061lg":"none"}'),
    'whose last kid is unknown': text.replace('}', ',"kid":"nobody"}'),
    'whose last typ is JWT': text.replace('}', ',"typ":"JWT"}'),
  }
  for (const [name, value] of Object.entries(headers)) refuse(`a header ${name}`, jsonHeader, make(value, claims))

  // ---- F-09
  const kind = 'F-09, RFC 9068 4, RFC 8725 3.11'
  for (const typ of [
    'JWT',
    'jwt',
    'statuslist+jwt',
    'authz-bundle+jwt',
    'id_token+jwt',
    'dpop+jwt',
    'logout+jwt',
    'secevent+jwt',
    'oauth-authz-req+jwt',
    'token-introspection+jwt',
    'at+jwt ',
    ' at+jwt',
    'at+jwt;charset=utf-8',
    'at+jwt\0',
    'text/at+jwt',
    'application/jwt',
    'at+JWS',
    '',
    null,
    1,
    ['at+jwt'],
    { typ: 'at+jwt' },
  ]) {
    refuse(`typ ${JSON.stringify(typ)}`, kind, withHeader({ typ }))
  }
  refuse('typ missing', kind, make(without(head, 'typ'), claims))
  const opaque: Record<string, readonly [string, string]> = {
    'an opaque token': [encode(Buffer.alloc(32, 0x5a)), 'F-09'],
    'an opaque token with dots': ['opaque.refresh.token', 'F-09'],
    'a UUID': ['01890a5d-ac96-774b-bcce-b302099a8057', 'F-09'],
    'a PASETO': [`v4.public.${encode(Buffer.concat([Buffer.from(JSON.stringify(claims)), Buffer.alloc(64)]))}`, 'F-09'],
    'an SD-JWT': [`${good}~${encode('["salt","sub","admin"]')}~`, 'F-09, RFC 9901 4'],
    'a JWE by dir': [
      join(
        encode('{"alg":"dir","enc":"A128GCM"}'),
        '',
        encode(Buffer.alloc(12)),
        encode(Buffer.alloc(64)),
        encode(Buffer.alloc(16)),
      ),
      'F-09, RFC 7516 7.1',
    ],
    'a JWE to the public key around an unsigned JWT': [
      join(
        encode(JSON.stringify({ alg: 'RSA-OAEP-256', enc: 'A128GCM', kid: 'key-1', cty: 'JWT' })),
        encode(Buffer.alloc(256, 1)),
        encode(Buffer.alloc(12)),
        encode(Buffer.alloc(64)),
        encode(Buffer.alloc(16)),
      ),
      'F-09, CVE-2026-29000, dvsekhvalnov/jose-jwt#236',
    ],
    'a nested token, signed twice': [make({ ...head, cty: 'JWT' }, good), 'F-09, RFC 7519 A.2'],
    'a nested token in a JSON string': [make({ ...head, cty: 'JWT' }, JSON.stringify(good)), 'F-09, RFC 7519 5.2'],
    'a JWK set': [
      make({ ...head, typ: 'jwk-set+json' }, JSON.stringify({ keys: [attackerJwk] })),
      'F-09, RFC 7517 8.5.2',
    ],
    'a status list': [
      make(
        { ...head, typ: 'statuslist+jwt' },
        { iss: issuer, sub: `${issuer}/status/1`, iat: now, ttl: 300, status_list: { bits: 1, lst: 'eNpjAAAAAQAB' } },
      ),
      'F-09',
    ],
    'a status list that says it is an access token': [
      make(head, {
        iss: issuer,
        sub: `${issuer}/status/1`,
        iat: now,
        exp: now + 900,
        ttl: 300,
        status_list: { bits: 1, lst: 'eNpjAAAAAQAB' },
      }),
      'F-09, RFC 8725 2.8',
    ],
    'an ID token that says it is an access token': [
      make(head, { iss: issuer, aud: 'signet', sub: 'user-1', iat: now, exp: now + 900, nonce: 'n', at_hash: 'AAAA' }),
      'F-09, RFC 8725 2.8, OWASP/CheatSheetSeries#2387',
    ],
  }
  for (const [name, [token, source]] of Object.entries(opaque)) refuse(name, source, token)

  // ---- F-10, the payload
  const jsonPayload = 'F-10, RFC 7519 7.2, honojs/hono#5316'
  const body = JSON.stringify(claims)
  const payloads: Record<string, string | Buffer> = {
    'an array': JSON.stringify([claims]),
    'an empty array': '[]',
    null: 'null',
    'a string': JSON.stringify(body),
    'a number': '1',
    true: 'true',
    'of one space': ' ',
    'an empty object': '{}',
    'cut short (restify-jwt-community#2)': body.slice(0, -1),
    'with something behind it': `${body}{}`,
    'with NUL behind it': `${body}\0`,
    'of two objects on two lines': `${body}\n${body}`,
    'after a byte order mark': `\ufeff${body}`,
    'in UTF-16': Buffer.from(body, 'utf16le'),
    'with a byte that is no UTF-8': Buffer.concat([Buffer.from(body.slice(0, -1)), hex('2c22ff223a317d')]),
    'with an encoded surrogate': Buffer.concat([Buffer.from(body.slice(0, -1)), hex('2c2278223a22eda080227d')]),
    'with an overlong slash': Buffer.concat([Buffer.from(body.slice(0, -1)), hex('2c2278223a22c0af227d')]),
    'with a comma at its end': `${body.slice(0, -1)},}`,
    'with a comment': body.replace('{', '{// \n'),
    'with NaN': body.replace('}', ',"x":NaN}'),
    'with a number in hexadecimal': body.replace('}', ',"x":0x10}'),
    'with a number that begins with zero': body.replace('}', ',"x":010}'),
    'with a raw tab in a string': body.replace('user-1', 'user\t1'),
    'with everything in __proto__': `{"__proto__":${body}}`,
    'gzipped, with zip in the header': hex('1f8b0800000000000003abae0500f9a3b4a302000000'),
  }
  for (const [name, value] of Object.entries(payloads)) refuse(`a payload ${name}`, jsonPayload, make(head, value))
  refuse('a payload with zip DEF in the header', 'F-10, RFC 7516 4.1.3', make({ ...head, zip: 'DEF' }, hex('abae0500')))

  // ---- F-10, the claims
  const numericDate = 'F-10, RFC 7519 2, auth0/node-jsonwebtoken#293'
  const dates: Record<string, unknown> = {
    'a string': String(now + 890),
    null: null,
    'an array': [now + 890],
    'an object': {},
    true: true,
    negative: -1,
  }
  for (const claim of ['exp', 'iat', 'nbf'])
    for (const [name, value] of Object.entries(dates))
      refuse(`${claim} ${name}`, numericDate, withClaims({ [claim]: value }))
  refuse('exp missing', 'F-10, RFC 9068 2.2', make(head, without(claims, 'exp')))
  refuse('iat missing', 'F-10, RFC 9068 2.2', make(head, without(claims, 'iat')))
  refuse('exp 1e999', 'F-10, benmcollins/libjwt#283', withText('exp', '1e999'))
  refuse('exp -1e999', 'F-10', withText('exp', '-1e999'))
  refuse('exp -1e300, a date that cannot be printed', 'F-10', withText('exp', '-1e300'))
  refuse('nbf 1e999', 'F-10, auth0/node-jsonwebtoken#500', withText('nbf', '1e999'))
  refuse('nbf 1e300, a date that cannot be printed', 'F-10', withText('nbf', '1e300'))
  refuse('nbf 2^53 − 1, a date that cannot be printed', 'F-10', withText('nbf', '9007199254740991'))
  refuse('exp in milliseconds of the past', 'F-10', withClaims({ exp: now - 60 }))
  refuse('exp 31 seconds ago', 'V-08, RFC 7519 4.1.4', withClaims({ exp: now - 31 }))
  refuse('exp 30 seconds ago, where the tolerance ends', 'V-08, RFC 7519 4.1.4', withClaims({ exp: now - 30 }))
  refuse('exp 0', 'F-10, benmcollins/libjwt#283', withClaims({ exp: 0 }))
  refuse('nbf in 31 seconds', 'V-08, RFC 7519 4.1.5', withClaims({ nbf: now + 31 }))
  refuse('nbf in a year', 'F-10, RFC 7519 4.1.5', withClaims({ nbf: now + 31_536_000 }))
  refuse('iat in a year', 'F-10', withClaims({ iat: now + 31_536_000, exp: now + 31_537_000 }))
  refuse('iat in 31 seconds', 'V-08', withClaims({ iat: now + 31 }))
  refuse('exp before iat, in the past', 'F-10', withClaims({ exp: now - 1_000, iat: now - 10 }))
  // RFC 7519 allows fractions. Ours takes whole seconds only: the issuer writes no others, and everybody rounds differently.
  for (const claim of ['exp', 'iat', 'nbf'])
    refuse(
      `${claim} with a fraction`,
      'F-10, auth0/node-jsonwebtoken#817',
      withClaims({ [claim]: ((claims[claim] as number | undefined) ?? now) + 0.5 }),
    )
  refuse('exp 2^53', 'F-10, benmcollins/libjwt#283', withClaims({ exp: 2 ** 53 }))
  refuse('exp 1e300', 'F-10, benmcollins/libjwt#283', withText('exp', '1e300'))

  const identity = 'F-10, RFC 9068 2.2, nearform/fast-jwt#552'
  const notText: Record<string, unknown> = {
    null: null,
    'a number': 1,
    'an object': {},
    'an array': ['user-1'],
    empty: '',
    false: false,
  }
  for (const claim of ['sub', 'jti', 'client_id', 'tid']) {
    refuse(`${claim} missing`, identity, make(head, without(claims, claim)))
    for (const [name, value] of Object.entries(notText))
      refuse(`${claim} ${name}`, identity, withClaims({ [claim]: value }))
  }
  const issuers: Record<string, unknown> = {
    'a slash more': `${issuer}/`,
    'upper case': issuer.toUpperCase(),
    http: issuer.replace('https', 'http'),
    'its port': `${issuer}:443`,
    'a space behind': `${issuer} `,
    'a newline behind': `${issuer}\n`,
    'NUL behind': `${issuer}\0`,
    'a path behind': `${issuer}/tenant`,
    'a host behind': `${issuer}.attacker.test`,
    'a user name': 'https://issuer.test@attacker.test',
    'a prefix of it': issuer.slice(0, -1),
    'a Cyrillic letter': issuer.replace('e', '\u0435'),
    'an array with it (CVE-2025-30144)': [issuer],
    'an array with it and another (CVE-2025-30144)': ['https://attacker.test', issuer],
    'an object': { [issuer]: true },
    null: null,
    'a number': 1,
    empty: '',
    another: 'https://attacker.test',
  }
  for (const [name, iss] of Object.entries(issuers)) refuse(`iss ${name}`, 'F-10, RFC 7519 4.1.1', withClaims({ iss }))
  refuse('iss missing', 'F-10, RFC 9068 2.2', make(head, without(claims, 'iss')))
  refuse('iss in the header only', 'F-10, RFC 7519 5.3', make({ ...head, iss: issuer }, without(claims, 'iss')))
  refuse(
    'iss in __proto__',
    'F-10',
    make(head, JSON.stringify(without(claims, 'iss')).replace('}', `,"__proto__":{"iss":"${issuer}"}}`)),
  )
  refuse(
    'iss whose last duplicate is another',
    'F-10, RFC 7519 4, lestrrat-go/jwx#2234',
    make(head, body.replace(/}$/, ',"iss":"https://attacker.test"}')),
  )
  const audiences: Record<string, unknown> = {
    'an empty array (jpadilla/pyjwt#388)': [],
    another: 'other',
    'others in an array': ['other', 'more'],
    'a prefix': audience.slice(0, -1),
    'something behind': `${audience}-admin`,
    'upper case': 'PLACES',
    'a space behind': `${audience} `,
    'a list in one string': `other ${audience}`,
    'a list with commas': `other,${audience}`,
    'an object with a length': { 0: audience, length: 1 },
    'an object': { [audience]: true },
    'an array in an array (clerk/javascript#8470)': [[audience]],
    'an array with a number': [1, audience],
    'an array with null': [audience, null],
    'an array with an object': [{ toString: audience }, audience],
    null: null,
    'a number': 1,
    true: true,
    empty: '',
    'a star': '*',
    'a pattern': '.*',
    'the parts in an array': ['pla', 'ces'],
  }
  for (const [name, aud] of Object.entries(audiences))
    refuse(`aud ${name}`, 'F-10, RFC 7519 4.1.3', withClaims({ aud }))
  refuse('aud missing', 'F-10, RFC 9068 2.2', make(head, without(claims, 'aud')))
  refuse('aud in the header only', 'F-10, RFC 7519 5.3', make({ ...head, aud: audience }, without(claims, 'aud')))
  refuse(
    'aud in __proto__',
    'F-10',
    make(head, JSON.stringify(without(claims, 'aud')).replace('}', `,"__proto__":{"aud":"${audience}"}}`)),
  )
  refuse('aud whose last duplicate is another', 'F-10, RFC 7519 4', make(head, body.replace(/}$/, ',"aud":"other"}')))
  refuse(
    'exp whose last duplicate is past',
    'F-10, RFC 7519 4',
    make(head, body.replace(/}$/, `,"exp":${now - 3_600}}`)),
  )
  refuse(
    'exp whose last duplicate is past, spelt with an escape',
    'F-10, RFC 7519 4',
    make(head, body.replace(/}$/, `,"e\\u0078p":${now - 3_600}}`)),
  )
  const lists: Record<string, unknown> = {
    'a string': 'admin',
    null: null,
    'an array with a number': [1],
    'an array with null': [null],
    'an object with a length': { 0: 'admin', length: 1 },
    'a number': 1,
  }
  for (const claim of ['roles', 'permissions'])
    for (const [name, value] of Object.entries(lists))
      refuse(`${claim} ${name}`, 'F-10, RFC 9068 2.2.3.1', withClaims({ [claim]: value }))
  for (const [name, scope] of Object.entries({ 'an array': ['read'], null: null, 'a number': 1 }))
    refuse(`scope ${name}`, 'F-10, RFC 8693 4.2', withClaims({ scope }))
  for (const [name, act] of Object.entries({
    'a string': 'x',
    null: null,
    'an empty object': {},
    'an object whose sub is a number': { sub: 1 },
  }))
    refuse(`act ${name}`, 'F-10, RFC 8693 4.1', withClaims({ act }))

  // ---- F-11, F-12
  refuse('another issuer, the same kid', 'F-11, RFC 8725 3.8', withClaims({}, attacker.privateKey))
  refuse(
    'another issuer, its own name, the same kid',
    'F-11, RFC 8725 3.8',
    withClaims({ iss: 'https://attacker.test' }, attacker.privateKey),
  )
  refuse('another issuer, the second kid', 'F-11, RFC 8725 3.8', withHeader({ kid: 'key-2' }, attacker.privateKey))
  refuse('the second key under the first kid', 'F-11', withClaims({}, second.privateKey))
  refuse('a removed key under its own kid', 'F-12', withHeader({ kid: 'key-0' }, removed.privateKey))
  refuse('a removed key under a published kid', 'F-12', withClaims({}, removed.privateKey))
  refuse(
    'a key of 1,024 bits',
    'F-11, RFC 7518 3.3, CVE-2022-23539',
    withClaims({}, generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
  )

  // ---- F-13
  const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  refuse('a payload 10,000 deep', 'F-13', make(head, deep(10_000)))
  refuse('objects 2,000 deep as payload', 'F-13', make(head, '{"a":'.repeat(2_000) + '1' + '}'.repeat(2_000)))
  refuse('brackets that never close', 'F-13', make(head, '['.repeat(12_000)))
  refuse('a header 4,000 deep', 'F-13', make(deep(4_000), claims))
  refuse('a token of 1 MB', 'F-13, auth0/node-jsonwebtoken#212', withClaims({ x: 'y'.repeat(786_432) }))
  refuse('a header of 64 kB', 'F-13', withHeader({ x: 'y'.repeat(65_536) }))
  refuse('a signature of 64 kB', 'F-13', join(goodHeader, goodPayload, 'A'.repeat(65_536)))
  refuse('10,000 segments', 'F-13', `${good}${'.AAAA'.repeat(10_000)}`)
  refuse('dots alone, 100,000 of them', 'F-13, CVE-2025-30204', '.'.repeat(100_000))

  // ---- valid
  const unknownClaim = 'RFC 7519 4: “all claims that are not understood by implementations MUST be ignored”.'
  const unknownHeader =
    'RFC 7515 4: “Unless listed as a critical Header Parameter, per Section 4.1.11, all Header Parameters not defined by this specification MUST be ignored when not understood”.'
  const whitespace =
    'RFC 7519 7.1: “whitespace is explicitly allowed in the representation and no canonicalization need be performed before encoding”.'
  const lastDuplicate =
    'RFC 7519 4: parsers “MUST either reject JWTs with duplicate Claim Names or use a JSON parser that returns only the lexically last duplicate member name”.'
  const jsonText = 'RFC 8259 7: “Any character may be escaped”.'
  const oneAudience = 'RFC 7519 4.1.3: “In the general case, the "aud" value is an array of case-sensitive strings”.'
  const jsonNumber =
    'RFC 7519 2: NumericDate is “a JSON numeric value”, and RFC 8259 6 lets a number be written with an exponent or a fraction of zero.'
  const leeway =
    'RFC 7519 4.1.4: “Implementers MAY provide for some small leeway, usually no more than a few minutes, to account for clock skew”.'
  const optional = 'RFC 7519 4.1.5: “Use of this claim is OPTIONAL”.'

  accept('a token as the issuer writes it', 'RFC 9068 2', good, 'RFC 9068 4: every check that it lists holds.')
  accept(
    'a token by the second published key',
    'RFC 7517 5',
    withHeader({ kid: 'key-2' }, second.privateKey),
    'RFC 7517 4.5: kid serves “to choose among a set of keys within a JWK Set during key rollover”.',
  )
  accept(
    'typ application/at+jwt',
    'RFC 9068 4',
    withHeader({ typ: 'application/at+jwt' }),
    'RFC 9068 4: “MUST verify that the "typ" header value is "at+jwt" or "application/at+jwt"”.',
  )
  accept('aud an array of one', 'RFC 7519 4.1.3', withClaims({ aud: [audience] }), oneAudience)
  accept(
    'aud an array, ours last',
    'RFC 7519 4.1.3, awslabs/aws-jwt-verify#13',
    withClaims({ aud: ['other', 'more', audience] }),
    oneAudience,
  )
  accept('aud an array with ours twice', 'RFC 7519 4.1.3', withClaims({ aud: [audience, audience] }), oneAudience)
  accept('aud an array with an empty string', 'RFC 7519 4.1.3', withClaims({ aud: ['', audience] }), oneAudience)
  accept(
    'only the claims that must be there',
    'RFC 9068 2.2',
    make(head, {
      iss: issuer,
      aud: audience,
      sub: 'user-1',
      client_id: 'signet',
      iat: now - 10,
      exp: now + 890,
      jti: 'token-1',
      tid: 'tenant-1',
    }),
    optional,
  )
  accept(
    'nbf at this moment',
    'RFC 7519 4.1.5',
    withClaims({ nbf: now }),
    'RFC 7519 4.1.5: “the current date/time MUST be after or equal to the not-before date/time”.',
  )
  accept('nbf in 29 seconds', 'V-08', withClaims({ nbf: now + 29 }), leeway)
  accept('nbf 0', 'RFC 7519 4.1.5', withClaims({ nbf: 0 }), optional)
  accept('iat in 29 seconds', 'V-08', withClaims({ iat: now + 29 }), leeway)
  accept(
    'iat 0',
    'RFC 7519 4.1.6',
    withClaims({ iat: 0 }),
    'RFC 7519 4.1.6: iat “can be used to determine the age of the JWT”; no age is too old by itself.',
  )
  accept('exp 29 seconds ago', 'V-08', withClaims({ exp: now - 29 }), leeway)
  accept(
    'exp 2^53 − 1',
    'RFC 7519 4.1.4',
    withClaims({ exp: 2 ** 53 - 1 }),
    'RFC 7519 4.1.4: “the current date/time MUST be before the expiration date/time”.',
  )
  accept('exp with an exponent', 'RFC 8259 6', withText('exp', '2e9'), jsonNumber)
  accept('exp with a fraction of zero', 'RFC 8259 6', withText('exp', `${now + 890}.0`), jsonNumber)
  accept('nbf minus zero', 'RFC 8259 6', withText('nbf', '-0'), jsonNumber)
  accept(
    'white space in the header',
    'RFC 7515 3, namshi/jose#109',
    make(JSON.stringify(head, null, 2), claims),
    whitespace,
  )
  accept('a newline behind the header', 'RFC 7519 7.1, auth0/java-jwt#144', make(`${text}\n`, claims), whitespace)
  accept(
    'white space around the payload',
    'RFC 7519 7.1',
    make(head, ` \t\r\n${JSON.stringify(claims, null, '\t')}\r\n`),
    whitespace,
  )
  accept(
    'members in another order',
    'RFC 8259 1',
    make(
      Object.fromEntries(Object.entries(head).toReversed()),
      Object.fromEntries(Object.entries(claims).toReversed()),
    ),
    'RFC 8259 1: “An object is an unordered collection of zero or more name/value pairs”.',
  )
  accept('an unknown header parameter', 'RFC 7515 4.2', withHeader({ 'x-build': 7, nested: { a: [1] } }), unknownHeader)
  accept(
    'a header parameter named __proto__',
    'RFC 7515 4.3',
    make(text.replace('}', ',"__proto__":{"alg":"none","crit":["x"]}}'), claims),
    unknownHeader,
  )
  accept(
    'a header parameter named constructor',
    'RFC 7515 4.3',
    make(text.replace('}', ',"constructor":{"prototype":{"admin":true}}}'), claims),
    unknownHeader,
  )
  accept(
    'x5t in the header',
    'RFC 7515 4.1.7',
    withHeader({ x5t: 'AAAA' }),
    'RFC 7515 4.1.7: “Use of this Header Parameter is OPTIONAL”.',
  )
  accept(
    'iss and aud in the header too',
    'RFC 7519 5.3, auth0/node-jsonwebtoken#575',
    withHeader({ iss: issuer, aud: audience }),
    unknownHeader,
  )
  accept(
    'an unknown claim',
    'RFC 7519 4',
    withClaims({ department: { name: 'map', floors: [1, 2, null] } }),
    unknownClaim,
  )
  accept(
    'a claim named __proto__',
    'RFC 7519 4.3, I-05',
    make(head, body.replace(/}$/, ',"__proto__":{"sub":"admin","roles":["admin"]}}')),
    unknownClaim,
  )
  accept(
    'a claim named constructor',
    'RFC 7519 4.3, I-05',
    make(head, body.replace(/}$/, ',"constructor":{"prototype":{"admin":true}}}')),
    unknownClaim,
  )
  accept(
    'claims named as header parameters',
    'RFC 7519 4.3',
    withClaims({ alg: 'none', kid: 'nobody', crit: ['x'], typ: 'JWT' }),
    unknownClaim,
  )
  accept('an unknown claim 1,000 deep', 'RFC 7519 4, F-13', withText('x', deep(1_000)), unknownClaim)
  accept('an unknown claim of 1e999', 'RFC 7519 4', withText('x', '1e999'), unknownClaim)
  accept('an unknown claim of 400 digits', 'RFC 8259 6', withText('x', '9'.repeat(400)), unknownClaim)
  accept('an unknown claim with an escaped lone surrogate', 'RFC 8259 8.2', withText('x', '"\\ud800"'), unknownClaim)
  accept('an unknown claim with an escaped NUL', 'RFC 8259 7', withText('x', '"\\u0000"'), unknownClaim)
  accept('an unknown claim of an empty name', 'RFC 7519 4.3', withClaims({ '': 1 }), unknownClaim)
  accept(
    'names in German and Chinese',
    'RFC 7519 3, F-08',
    withClaims({ roles: ['gesch\u00e4ftsf\u00fchrung', '\u7ba1\u7406', '\ud83d\ude97'] }),
    'RFC 7519 7.2: the message is “a UTF-8-encoded representation of a completely valid JSON object”.',
  )
  accept(
    'claim names spelt with escapes',
    'RFC 8259 7',
    make(head, body.replace('"aud"', '"\\u0061\\u0075d"').replace('"exp"', '"\\u0065xp"')),
    jsonText,
  )
  accept(
    'header names spelt with escapes',
    'RFC 8259 7',
    make(text.replace('"alg"', '"\\u0061lg"').replace('"RS256"', '"\\u0052S256"'), claims),
    jsonText,
  )
  accept('slashes of iss escaped', 'RFC 8259 7', make(head, body.replaceAll('/', '\\/')), jsonText)
  accept('no roles and no permissions', 'RFC 9068 2.2.3', withClaims({ roles: [], permissions: [] }), optional)
  accept(
    'a scope',
    'RFC 9068 2.2.3',
    withClaims({ scope: 'read write' }),
    'RFC 9068 2.2.3: the token “SHOULD include a "scope" claim”.',
  )
  accept(
    'an actor',
    'RFC 8693 4.1',
    withClaims({ act: { sub: 'staff-1', act: { sub: 'root' } } }),
    'RFC 8693 4.1: “A chain of delegation can be expressed by nesting one "act" claim within another”.',
  )
  accept(
    'when and how somebody signed in',
    'RFC 9068 2.2.1',
    withClaims({ auth_time: now - 600, amr: ['pwd', 'otp'], acr: 'urn:mace:incommon:iap:silver' }),
    optional,
  )
  accept(
    '200 permissions',
    'RFC 9068 2.2.3.1',
    withClaims({ permissions: Array.from({ length: 200 }, (_, at) => `resource-${at}:read`) }),
    unknownClaim,
  )
  const full = withClaims({ x: '' })
  accept(
    'a token of exactly 16,384 characters',
    'F-13',
    fill(maxTokenChars),
    'RFC 7519 2: nothing limits a JWT; ours reads up to 16,384 characters.',
  )
  refuse('a token of 16,385 characters', 'F-13', fill(maxTokenChars + 1))

  // ---- where either would do
  either(
    'exp twice, the last one in the future',
    'RFC 7519 4',
    make(head, body.replace('{', '{"exp":0,')),
    lastDuplicate,
  )
  either('sub twice, the last one a name', 'RFC 7519 4', make(head, body.replace('{', '{"sub":0,')), lastDuplicate)
  either(
    'alg twice, the last one RS256',
    'RFC 7515 4',
    make(text.replace('{', '{"alg":"none",'), claims),
    lastDuplicate,
  )
  either('typ AT+JWT', 'RFC 7515 4.1.9, mozilla/fxa#5888', withHeader({ typ: 'AT+JWT' }))
  either('typ Application/At+Jwt', 'RFC 7515 4.1.9', withHeader({ typ: 'Application/At+Jwt' }))
  either('enc in the header of a JWS', 'RFC 7516 9', withHeader({ enc: 'A128GCM' }), unknownHeader)
  either('zip in the header of a JWS', 'RFC 7516 4.1.3', withHeader({ zip: 'DEF' }), unknownHeader)
  either(
    'cty JWT over claims',
    'RFC 7519 5.2',
    withHeader({ cty: 'JWT' }),
    'RFC 7519 5.2: without nesting “the use of this Header Parameter is NOT RECOMMENDED”, which is no MUST NOT.',
  )
  either(
    'nonce and at_hash, as in an ID token',
    'RFC 8725 2.8',
    withClaims({ nonce: 'n', at_hash: 'AAAA' }),
    unknownClaim,
  )
  either(
    'cnf, which binds the token to a key',
    'RFC 7800 3, nearform/fast-jwt#591',
    withClaims({ cnf: { jkt: 'AAAA' } }),
    unknownClaim,
  )
  either(
    'an audience with a lone surrogate beside ours',
    'RFC 8259 8.2',
    make(head, body.replace(`"${audience}"`, `["\\ud800","${audience}"]`)),
    oneAudience,
  )
  either(
    'sub of 10,000 characters',
    'RFC 7519 4.1.2',
    withClaims({ sub: 's'.repeat(10_000) }),
    'RFC 7519 4.1.2: sub is “a case-sensitive string”, of any length.',
  )
  either(
    'sub of one space',
    'RFC 7519 4.1.2',
    withClaims({ sub: ' ' }),
    'RFC 7519 4.1.2: sub is “a case-sensitive string”.',
  )
  either(
    'sub with an escaped NUL',
    'RFC 7519 4.1.2',
    withClaims({ sub: 'user-1\0' }),
    'RFC 7519 4.1.2: sub is “a case-sensitive string”.',
  )
  either('an empty scope', 'RFC 6749 3.3', withClaims({ scope: '' }))
  either(
    'exp before iat, both in the future',
    'RFC 7519 4.1.4',
    withClaims({ iat: now + 20, exp: now + 10 }),
    'RFC 7519 4.1.4 and 4.1.6 say nothing of their order.',
  )

  const keys = [
    { kid: 'key-1', publicKey: own.publicKey },
    { kid: 'key-2', publicKey: second.publicKey },
  ]
  return { setting: { issuer, audience, keys, nowMs: now * 1_000 }, cases }

  /** A token of exactly so many characters: filled in the payload, and to the character in the header. */
  function fill(chars: number): string {
    const short = chars - full.length
    for (let headerChars = 0; headerChars < 4; headerChars++) {
      const header: Json = headerChars === 0 ? head : { ...head, x: 'y'.repeat(headerChars) }
      for (let size = Math.floor((short * 3) / 4) - 60; size < Math.floor((short * 3) / 4) + 4; size++) {
        const token = make(header, { ...claims, x: 'y'.repeat(Math.max(size, 0)) }, () => raw)
        if (token.length === chars) return make(header, { ...claims, x: 'y'.repeat(Math.max(size, 0)) })
      }
    }
    throw new Error(`No token has ${chars} characters.`)
  }
}

function write(value: Json | string | Uint8Array): string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value)
}
