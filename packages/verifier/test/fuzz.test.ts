// Whatever is thrown at the verifier, it answers with a principal or an AuthError, accepts only what was signed, tells
// nothing of what it was given, and is afterwards what it was before. The seed is fixed, so that each run in CI tries the
// same things (with new keys). To search further: TEST_FUZZ_RUNS=100000 TEST_FUZZ_SEED=1 node test/fuzz.test.ts

import { sign } from 'node:crypto'
import { inspect } from 'node:util'
import { AuthError, createVerifier, type Principal, type Reason, type RequestHeaders } from '@signet/verifier'
import { createTestIssuer } from '@signet/verifier/testing'
import * as fc from 'fast-check'
import { compactVerify, importJWK } from 'jose'
import t from 'tap'
import { encode, header, standardClaims } from './forge.ts'

const runs = Number(process.env['TEST_FUZZ_RUNS'] ?? 300)
const seed = Number(process.env['TEST_FUZZ_SEED'] ?? 20_270_115)
const parameters = { numRuns: runs, seed }
// About 12 ms for one run of all properties here; a slow machine may take ten times that.
t.setTimeout(Math.max(30_000, runs * 120))

const toleranceSeconds = 30
const telltaleChars = 12

const issuer = createTestIssuer()
const stranger = createTestIssuer({ issuer: issuer.issuer })
const [jwk] = issuer.jwks.keys
if (jwk === undefined) throw new Error('The test issuer publishes no key.')
const publicKey = await importJWK({ ...jwk }, 'RS256')
const common = { issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks }, cookie: 'session' }
// With a memory for tokens, without one, with one so small that it is always full, and with keys that are fetched.
const verifiers = [
  createVerifier(common),
  createVerifier({ ...common, cache: false }),
  createVerifier({ ...common, cache: { max: 2 } }),
  createVerifier({ ...common, keys: { fetch: issuer.fetch } }),
]
// With two issuers the payload is looked at before anybody has vouched for it: reasons may differ, verdicts may not.
const other = createTestIssuer({ issuer: 'https://other.test' })
const several = createVerifier({
  ...common,
  issuer: [issuer.issuer, other.issuer],
  keys: { fetch: async (...call) => ((await issuer.fetch(...call)).ok ? issuer : other).fetch(...call) },
})
await Promise.all([...verifiers, several].map(verifier => verifier.warmUp()))
const good = issuer.token({ sub: 'somebody' })
const alternative = issuer.token({ sub: 'somebody else' }, { typ: 'application/at+jwt' })
const signed = [good, alternative]
const claims = standardClaims(issuer)
const prototypes = [Object.prototype, Array.prototype, String.prototype, Function.prototype, Buffer.prototype]
const describePrototypes = () => inspect(prototypes.map(prototype => Object.getOwnPropertyDescriptors(prototype)))
const untouched = describePrototypes()

// ---- what is asked of every answer

type Answer = { readonly principal: Principal } | { readonly reason: Reason; readonly message: string }

async function answer(ask: () => Principal | Promise<Principal>, given: string): Promise<Answer> {
  try {
    return { principal: await ask() }
  } catch (error) {
    if (!(error instanceof AuthError)) throw new Error('It threw something that is no AuthError', { cause: error })
    assertTellsNothing(error, given)
    return { reason: error.reason, message: error.message }
  }
}

/** All that an error could show in a log or an answer, searched for twelve characters of the token or of what it encodes. */
function assertTellsNothing(error: AuthError, given: string): void {
  const texts = [inspect(error), ...Object.values(error.toProblem()), error.wwwAuthenticate()].join('\n')
  const secrets = [given, ...given.split('.').map(segment => Buffer.from(segment, 'base64url').toString())].join('\n')
  if (secrets.length < telltaleChars) return
  for (let at = 0; at + telltaleChars <= texts.length; at++) {
    const part = texts.slice(at, at + telltaleChars)
    if (secrets.includes(part)) throw new Error(`Its error tells ${JSON.stringify(part)} of what it was given`)
  }
}

function assertAgreement(answers: readonly Answer[]): void {
  const words = new Set(answers.map(each => ('reason' in each ? `${each.reason}: ${each.message}` : 'accepted')))
  if (words.size > 1) throw new Error(`The answers differ: ${[...words].join('; ')}`)
  const subjects = new Set(answers.map(each => ('principal' in each ? each.principal.subject : '')))
  if (subjects.size > 1) throw new Error('They speak for different people')
}

/** Asks every verifier in both ways; they must agree. Undefined: refused. */
async function verdictOf(token: string): Promise<Principal | undefined> {
  const answers: Answer[] = []
  for (const verifier of verifiers) {
    // The words are compared below: to look into one error is enough.
    answers.push(
      await answer(() => verifier.verifySync(token), answers.length === 0 && typeof token === 'string' ? token : ''),
    )
    answers.push(await answer(() => verifier.verify(token), ''))
  }
  assertAgreement(answers)
  const [first] = answers
  const bySeveral = await answer(() => several.verifySync(token), typeof token === 'string' ? token : '')
  if (first === undefined || 'principal' in first !== 'principal' in bySeveral)
    throw new Error('With several issuers the verdict is another')
  return 'principal' in first ? first.principal : undefined
}

/** Whoever was refused has changed nothing: the good tokens are still accepted as the same people. */
function assertUnharmed(): void {
  for (const verifier of verifiers) {
    for (const [token, subject] of [
      [good, 'somebody'],
      [alternative, 'somebody else'],
    ] as const) {
      const principal = verifier.verifySync(token)
      if (principal.subject !== subject || principal.claims.sub !== subject)
        throw new Error(`A good token now speaks for ${principal.subject}`)
    }
  }
  for (const prototype of prototypes) {
    for (const name of ['admin', 'polluted', 'iss', 'aud', 'alg', 'kid']) {
      if (Object.hasOwn(prototype, name)) throw new Error(`A prototype now has ${name}`)
    }
  }
}

/** The oracle: another library's arithmetic, and the rules of RFC 7515, 7519 and 9068 written out once more. */
async function isGenuine(token: string): Promise<boolean> {
  const segments = token.split('.')
  if (segments.length !== 3) return false
  for (const segment of segments) {
    if (segment === '' || Buffer.from(segment, 'base64url').toString('base64url') !== segment) return false
  }
  let payload: Record<string, unknown>
  try {
    const verified = await compactVerify(token, publicKey, { algorithms: ['RS256'] })
    const { kid, typ, crit, b64 } = verified.protectedHeader
    if (kid !== jwk?.kid || (typ !== 'at+jwt' && typ !== 'application/at+jwt')) return false
    if (crit !== undefined || b64 !== undefined) return false
    payload = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(verified.payload)) as Record<string, unknown>
  } catch {
    return false
  }
  const isText = (value: unknown) => typeof value === 'string' && value !== ''
  const isTime = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
  const { iss, aud, sub, exp, iat, nbf, jti, tid, client_id: client } = Object.fromEntries(Object.entries(payload))
  const now = Date.now() / 1_000
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud]
  return (
    iss === issuer.issuer &&
    audiences.includes(issuer.audience) &&
    audiences.every(each => typeof each === 'string') &&
    [sub, jti, tid, client].every(isText) &&
    isTime(exp) &&
    isTime(iat) &&
    (nbf === undefined || isTime(nbf)) &&
    (exp as number) + toleranceSeconds > now &&
    (iat as number) - toleranceSeconds <= now &&
    ((nbf as number | undefined) ?? 0) - toleranceSeconds <= now
  )
}

async function assertSound(token: string): Promise<void> {
  const principal = await verdictOf(token)
  if (principal !== undefined && !(await isGenuine(token))) throw new Error('It accepted a token that is not genuine')
  assertUnharmed()
}

// ---- what is thrown at it

const special = fc.constantFrom<unknown>(
  null,
  true,
  false,
  '',
  ' ',
  0,
  -0,
  -1,
  0.5,
  2 ** 53,
  2 ** 53 - 1,
  1e300,
  -1e300,
  [],
  {},
  [[]],
  [null],
  ['', ''],
  issuer.issuer,
  [issuer.issuer],
  issuer.audience,
  [issuer.audience],
  [issuer.audience, 1],
  Math.floor(Date.now() / 1_000),
  { length: 1, 0: issuer.audience },
  '\ud800',
  '\0',
)
const value = fc.oneof(special, fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary', maxLength: 40 }))
const claimName = fc.constantFrom(...Object.keys(claims), 'nbf', 'scope', 'act', 'cnf', 'status', 'crit', 'toString')
const headerName = fc.constantFrom(
  'alg',
  'typ',
  'kid',
  'crit',
  'b64',
  'jwk',
  'jku',
  'x5u',
  'x5c',
  'cty',
  'enc',
  'zip',
  'x',
)
const headerValue = fc.oneof(
  fc.constantFrom<unknown>(
    'none',
    'HS256',
    'PS256',
    'rs256',
    'RS256',
    'at+jwt',
    'JWT',
    issuer.key.kid,
    ['RS256'],
    [],
    'b64',
  ),
  value,
)

/** JSON text that no JavaScript object writes: hostile names, names twice, depth, white space, numbers of any size. */
const snippet = fc.oneof(
  fc.constantFrom(
    '"__proto__":{"admin":true}',
    '"__proto__":null',
    '"constructor":{"prototype":{"polluted":true}}',
    '"\\u005f_proto__":{"iss":"x"}',
    '"hasOwnProperty":1',
    '"toJSON":1',
    '"":0',
    '"x":1e999',
    '"x":-1e999',
    '"x":1e-999',
    '"exp":1e999',
    '"exp":-0',
    '"nbf":1e999',
    '"sub":0',
    '"alg":"none"',
    '"alg":"RS256"',
    '"\\u0061lg":"none"',
    '"x":"\\ud800"',
    '"x":"\\u0000"',
  ),
  fc.integer({ min: 1, max: 5_000 }).map(depth => `"x":${'['.repeat(depth)}${']'.repeat(depth)}`),
  fc.integer({ min: 1, max: 1_500 }).map(depth => `"x":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  fc.integer({ min: 1, max: 400 }).map(digits => `"exp":${'9'.repeat(digits)}`),
  fc.tuple(claimName, fc.jsonValue({ maxDepth: 2 })).map(([name, given]) => `"${name}":${JSON.stringify(given)}`),
)
const textOf = (object: fc.Arbitrary<object>) =>
  fc
    .tuple(
      object,
      fc.array(snippet, { maxLength: 3 }),
      fc.boolean(),
      fc.constantFrom('', ' ', '\n', '\t', '\r\n', '\0', '\ufeff'),
    )
    .map(([given, snippets, first, space]) => {
      const inner = JSON.stringify(given).slice(1, -1)
      const members = first ? [...snippets, inner] : [inner, ...snippets]
      return `${space}{${members.filter(member => member !== '').join(`,${space.trim()}`)}}${space}`
    })
const withMembers = (
  base: Readonly<Record<string, unknown>>,
  name: fc.Arbitrary<string>,
  given: fc.Arbitrary<unknown>,
) =>
  fc
    .array(fc.tuple(name, fc.option(given, { nil: undefined })), { maxLength: 2 })
    .map(changes => ({ ...base, ...Object.fromEntries(changes) }))

const segment = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.uint8Array({ maxLength: 400 }).map(bytes => encode(bytes)),
  fc.jsonValue({ maxDepth: 3 }).map(json => encode(JSON.stringify(json))),
  fc.string({ unit: fc.constantFrom(...Array.from('ABCZabcz0189-_=+/ .\n\0\u0141')), maxLength: 80 }),
  fc.constantFrom(...good.split('.')),
)
const noise = fc.array(segment, { maxLength: 5 }).map(segments => segments.join('.'))
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
})

type Mutation = (token: string) => string
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const piece = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
  fc.constantFrom('A', '=', '.', '-', '+', ' ', '\n', '\0', '\u0100', '\ud800', 'AAAA'),
)
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 0, max: 15 })).map(
    ([at, bit]): Mutation =>
      token => {
        const index = Math.floor(at * token.length)
        return (
          token.slice(0, index) + String.fromCharCode(token.charCodeAt(index) ^ (1 << bit)) + token.slice(index + 1)
        )
      },
  ),
  fc.tuple(place, piece).map(
    ([at, text]): Mutation =>
      token => {
        const index = Math.floor(at * (token.length + 1))
        return token.slice(0, index) + text + token.slice(index)
      },
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(
    ([at, length]): Mutation =>
      token => {
        const index = Math.floor(at * token.length)
        return token.slice(0, index) + token.slice(index + length)
      },
  ),
  // The last characters carry bits that must be zero.
  fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 63 })).map(
    ([index, by]): Mutation =>
      token => {
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        const segments = token.split('.')
        const last = segments[index] ?? ''
        segments[index] = last.slice(0, -1) + alphabet[(alphabet.indexOf(last.slice(-1)) + by) % 64]
        return segments.join('.')
      },
  ),
  fc.shuffledSubarray([0, 1, 2], { minLength: 1 }).map(
    (order): Mutation =>
      token => {
        const segments = token.split('.')
        return order.map(index => segments[index]).join('.')
      },
  ),
  fc.tuple(place, place).map(
    ([from, to]): Mutation =>
      token => {
        const start = Math.floor(from * token.length)
        return token.slice(0, start) + alternative.slice(Math.floor(to * alternative.length))
      },
  ),
  fc.subarray([0, 1, 2], { minLength: 1, maxLength: 2 }).map(
    (taken): Mutation =>
      token => {
        const segments = alternative.split('.')
        return token
          .split('.')
          .map((each, index) => (taken.includes(index) ? segments[index] : each))
          .join('.')
      },
  ),
)

const signer = fc.constantFrom(issuer, issuer, issuer, stranger).map(({ key }) => key.privateKey)

/** Signs a header and a payload that are text already: no JavaScript object has two members of one name. */
function signText(head: string, body: string | Uint8Array, key = issuer.key.privateKey): string {
  const input = `${encode(head)}.${encode(body)}`
  return `${input}.${encode(sign('RSA-SHA256', Buffer.from(input), key))}`
}

const goodHead = JSON.stringify(header(issuer))
const check = <Values>(property: fc.IAsyncProperty<Values>): Promise<void> => fc.assert(property, parameters)

t.test('Noise', async t => {
  await check(fc.asyncProperty(noise, assertSound))
  t.pass('of bytes, base64url, JSON and dots is answered')
  await check(
    fc.asyncProperty(anything, async given => {
      if (typeof given !== 'string' && (await verdictOf(given as string)) !== undefined)
        throw new Error('It accepted what is no string')
      assertUnharmed()
    }),
  )
  t.pass('and so is what is no string')
})

t.test('A changed token is never accepted', async t => {
  await check(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async mutations => {
      const token = mutations.reduce((current, change) => change(current), good)
      if ((await verdictOf(token)) !== undefined && !signed.includes(token))
        throw new Error('It accepted a changed token')
      assertUnharmed()
    }),
  )
  t.pass('however it was changed')
})

t.test('A signed token is accepted only where another library and the rules agree', async t => {
  const heads = textOf(withMembers(header(issuer), headerName, headerValue))
  await check(fc.asyncProperty(heads, signer, (head, key) => assertSound(signText(head, JSON.stringify(claims), key))))
  t.pass('whatever its header says')
  const bodies = textOf(withMembers(claims, claimName, value))
  await check(fc.asyncProperty(bodies, signer, (body, key) => assertSound(signText(goodHead, body, key))))
  t.pass('whatever its claims say')
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.jsonValue().map(json => Buffer.from(JSON.stringify(json))),
  )
  await check(fc.asyncProperty(bytes, body => assertSound(signText(goodHead, body))))
  t.pass('and whatever bytes its payload is')
})

t.test('A genuine token is accepted', async t => {
  const unknown = fc.string({ maxLength: 20 }).map(text => `x-${text}`)
  const extras = fc.dictionary(unknown, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
  const space = fc.constantFrom('', ' ', '\n', '\t', '\r\n', '  ')
  await check(
    fc.asyncProperty(extras, extras, space, fc.boolean(), async (more, params, gap, first) => {
      const body = first ? { ...more, ...claims } : { ...claims, ...more }
      const token = signText(
        JSON.stringify({ ...params, ...header(issuer) }, null, gap),
        `${gap}${JSON.stringify(body, null, gap)}${gap}`,
      )
      const principal = await verdictOf(token)
      if (principal?.subject !== claims.sub) throw new Error('It refused a genuine token')
      if (JSON.stringify(principal?.claims) !== JSON.stringify(body)) throw new Error('Its claims are not those signed')
      assertUnharmed()
    }),
  )
  t.pass('with whatever unknown members and white space')
})

t.test('Headers of a request', async t => {
  const credential = fc.oneof(
    fc.constantFrom(
      good,
      `Bearer ${good}`,
      `bearer  ${good}`,
      `Bearer\t${good}`,
      `Bearer ${good},${good}`,
      `Basic ${good}`,
    ),
    fc.constantFrom(
      'Bearer',
      'Bearer ',
      'Bearer null',
      `session=${good}`,
      `session=${good}; session=${good}`,
      `a=b; session="${good}"`,
    ),
    mutation.map(change => `Bearer ${change(good)}`),
    fc.string({ unit: 'binary', maxLength: 40 }),
    noise,
  )
  const headerNames = fc.oneof(
    fc.constantFrom(
      'authorization',
      'Authorization',
      'AUTHORIZATION',
      'cookie',
      'Cookie',
      'x-access-token',
      '__proto__',
      'get',
    ),
    fc.string({ maxLength: 12 }),
  )
  const given = fc.oneof(credential, fc.array(credential, { maxLength: 3 }), fc.constant(undefined))
  const records = fc.array(fc.tuple(headerNames, given), { maxLength: 4 }).map(pairs => {
    const record: Record<string, string | string[] | undefined> = Object.fromEntries(pairs)
    return record
  })
  const web = fc
    .array(fc.tuple(fc.constantFrom('authorization', 'cookie', 'x'), credential), { maxLength: 3 })
    .map(pairs => {
      const headers = new Headers()
      for (const [key, text] of pairs) {
        try {
          headers.append(key, text)
        } catch {
          // What no Headers object can hold reaches no verifier in one.
        }
      }
      return headers
    })
  await check(
    fc.asyncProperty(fc.oneof(records, web), async headers => {
      // Their names are no secrets.
      const text = JSON.stringify(headers instanceof Headers ? [...headers.values()] : Object.values(headers))
      const answers: Answer[] = []
      for (const verifier of verifiers) answers.push(await answer(() => verifier.authenticate(headers), text))
      assertAgreement(answers)
      if (answers.some(each => 'principal' in each) && !signed.some(token => text.includes(token)))
        throw new Error('It let somebody in')
      assertUnharmed()
    }),
  )
  t.pass('in any case, repeated, as arrays and as cookies')
})

t.test('Of two tokens none is picked', async t => {
  const authorization = `Bearer ${good}`
  const isRefused = async (headers: RequestHeaders) =>
    (await Promise.all(verifiers.map(verifier => answer(() => verifier.authenticate(headers), '')))).every(
      each => 'reason' in each,
    )
  for (const second of [`Bearer ${alternative}`, authorization]) {
    t.ok(await isRefused({ Authorization: authorization, AUTHORIZATION: second }), 'in two spellings')
    t.ok(await isRefused({ authorization: [authorization, second] }), 'in an array')
    t.ok(await isRefused({ cookie: `session=${good}; session=${alternative}` }), 'in two cookies')
    t.ok(await isRefused({ authorization, Authorization: second }), 'in the spelling of Node and another')
  }
})

t.test('Afterwards', async t => {
  t.equal(describePrototypes(), untouched, 'the prototypes are what they were')
  t.ok(await isGenuine(good), 'the oracle knows a good token')
  t.notOk(await isGenuine(`${good}=`), 'from a bad one')
  t.comment(`${runs} runs a property, seed ${seed}`)
})
