import { Problem } from '@signet/kernel'
import t from 'tap'
import { checkPassword, createHasher, createTemporaryPassword, wordsAbout } from '../src/index.ts'

function refusalOf(password: string, ownWords: readonly string[] = []): string {
  try {
    checkPassword(password, { minLength: 8, ownWords })
    return 'accepted'
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}

t.test('P-03 common passwords and own words are refused, and no composition rule', async t => {
  await t.test('length is counted in characters, with a limit in characters and bytes', async t => {
    t.equal(refusalOf('zvqmx7k'), 'password-too-short')
    t.equal(refusalOf('zvqmx7kw'), 'accepted')
    t.equal(refusalOf('🦊🐢🌵🪐🎈🧭🪁'), 'password-too-short', 'seven characters in 28 bytes')
    t.equal(refusalOf('🦊🐢🌵🪐🎈🧭🪁🔭'), 'accepted')
    const long = Array.from({ length: 128 }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 37) % 97))).join('')
    t.equal(refusalOf(long), 'accepted', '384 bytes')
    t.equal(refusalOf(`${long}x`), 'password-too-long')
    const wide = Array.from({ length: 128 }, (_, index) => String.fromCodePoint(0x1f300 + ((index * 37) % 97))).join('')
    t.equal(refusalOf(wide), 'accepted', '512 bytes')
    t.equal(
      refusalOf(`${wide.slice(0, -2)}\u0065\u0301\u0301\u0301`),
      'password-too-long',
      'marks that do not compose count',
    )
  })
  await t.test('what everybody tries is refused, with four digits or signs at its end too', async t => {
    for (const common of [
      'password',
      'PassWord123',
      'sunshine!',
      'Dragon2024',
      'aaaaaaaa',
      'abcdefgh',
      '87654321',
      'abababab',
    ]) {
      t.equal(refusalOf(common), 'password-too-common', common)
    }
    for (const fine of ['correct horse battery staple', 'zzzzzzzzqjxk', 'alllowercaseletters', '4961 7703 2258']) {
      t.equal(refusalOf(fine), 'accepted', fine)
    }
  })
  await t.test('the own words are refused in any case and form', async t => {
    const words = wordsAbout({
      email: 'Ada.Byron@example.com',
      username: 'countess_88',
      name: 'Ada Lovelace',
      phone: '+4915112345678',
      lastName: null,
    })
    for (const own of ['xx-BYRON-xx', 'mylovelace!!', 'x-COUNTESS_88-x', '4915112345678', 'ａｄａ.ｂｙｒｏｎ77']) {
      t.equal(refusalOf(own, words), 'password-own-words', own)
    }
    t.equal(refusalOf('adage of whales', words), 'accepted', 'three letters are found by chance')
  })
})

t.test('the hasher', async t => {
  await t.test('P-04 every byte counts, up to the last of 512', async t => {
    const hasher = createHasher({ maxConcurrent: 2, queueLimit: 10 })
    const long = 'x'.repeat(127)
    const hash = await hasher.hash(`${long}a`)
    t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    t.equal(await hasher.verify(hash, `${long}a`), true)
    t.equal(await hasher.verify(hash, `${long}b`), false)
    const accented = await hasher.hash('caf\u00e9 au lait')
    t.equal(await hasher.verify(accented, 'cafe\u0301 au lait'), true, 'one password however it is typed')
  })
  await t.test('says no where there is no hash, having done the same work', async t => {
    const hasher = createHasher({ maxConcurrent: 1, queueLimit: 10 })
    const hash = await hasher.hash('a right password')
    const time = async (check: string | null) => {
      const startedAt = performance.now()
      t.equal(await hasher.verify(check, 'a wrong password'), false)
      return performance.now() - startedAt
    }
    const samples: { known: number; unknown: number }[] = []
    for (let round = 0; round < 15; round += 1) samples.push({ known: await time(hash), unknown: await time(null) })
    const best = (kind: 'known' | 'unknown') => Math.min(...samples.map(sample => sample[kind]))
    t.ok(best('unknown') > best('known') / 2, `${best('unknown')} ms against ${best('known')} ms`)
  })
  await t.test('takes as many as its lane and queue hold, and refuses the rest at once', async t => {
    const hasher = createHasher({ maxConcurrent: 2, queueLimit: 3 })
    const asked = Array.from({ length: 8 }, () => hasher.verify(null, 'anything'))
    t.same(hasher.load(), { running: 2, queued: 3, shed: 3 })
    const outcomes = await Promise.allSettled(asked)
    t.same(hasher.load(), { running: 0, queued: 0, shed: 3 })
    const refused = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as Problem] : []))
    t.same(
      refused.map(each => [each.code, each.status, each.retryAfterSeconds]),
      Array.from({ length: 3 }, () => ['hashing-busy', 503, 1]),
    )
    t.equal(await hasher.verify(null, 'anything'), false, 'works again afterwards')
  })
  await t.test('hands results on six at a time while others wait, and the last as soon as it is there', async t => {
    const hasher = createHasher({ maxConcurrent: 1, queueLimit: 10 })
    const groups: number[] = []
    let together = 0
    const closeGroup = () => {
      groups.push(together)
      together = 0
    }
    await Promise.all(
      Array.from({ length: 7 }, async () => {
        await hasher.verify(null, 'anything')
        if (together === 0) setImmediate(closeGroup)
        together += 1
      }),
    )
    await new Promise(setImmediate)
    t.same(groups, [6, 1])
    t.same(hasher.load(), { running: 0, queued: 0, shed: 0 })
  })
  await t.test('keeps a place for whoever asks first, once', async t => {
    const hasher = createHasher({ maxConcurrent: 1, queueLimit: 1 })
    const [used, unused] = [hasher.keepPlace(), hasher.keepPlace()]
    t.throws(() => hasher.keepPlace(), { code: 'hashing-busy', retryAfterSeconds: 1 })
    await t.rejects(hasher.verify(null, 'anything'), { code: 'hashing-busy' })
    t.equal(await used.verify(null, 'anything'), false)
    for (const place of [used, unused, unused]) place.giveBack()
    const again = [hasher.keepPlace(), hasher.keepPlace()]
    t.throws(() => hasher.keepPlace(), { code: 'hashing-busy' })
    for (const place of again) place.giveBack()
  })
  await t.test('gives its place back when a job fails', async t => {
    const hasher = createHasher({ maxConcurrent: 1, queueLimit: 0 })
    await t.rejects(hasher.verify('not a hash', 'anything'))
    t.equal(await hasher.verify(null, 'anything'), false)
  })
  await t.test('leaves nobody behind whose job fails while others wait', async t => {
    const hasher = createHasher({ maxConcurrent: 1, queueLimit: 10 })
    const outcomes = await Promise.allSettled(
      ['not a hash', null, 'not a hash', 'not a hash'].map(hash => hasher.verify(hash, 'anything')),
    )
    t.same(
      outcomes.map(outcome => outcome.status),
      ['rejected', 'fulfilled', 'rejected', 'rejected'],
    )
    t.same(hasher.load(), { running: 0, queued: 0, shed: 0 })
  })
})

t.test('P-02 a hash is outdated that cost less than ours or more, or is of another variant or version', async t => {
  const hasher = createHasher({ maxConcurrent: 1, queueLimit: 10 })
  t.equal(hasher.isOutdated(await hasher.hash('a right password')), false)
  t.equal(hasher.isOutdated('$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA'), false)
  for (const old of [
    '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA',
    '$argon2id$v=19$m=19456,t=3,p=1$c2FsdA$aGFzaA',
    '$argon2id$v=19$m=19456,t=2,p=4$c2FsdA$aGFzaA',
    '$argon2id$v=19$m=19455,t=2,p=1$c2FsdA$aGFzaA',
    '$argon2id$v=19$m=19456,t=1,p=1$c2FsdA$aGFzaA',
    '$argon2id$v=16$m=19456,t=2,p=1$c2FsdA$aGFzaA',
    '$argon2i$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
    '$argon2d$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
    '$2b$12$c2FsdA',
  ]) {
    t.equal(hasher.isOutdated(old), true, old)
  }
})

t.test('temporary passwords have twelve characters, each as likely as any other', async t => {
  const counts = new Map<string, number>()
  const passwords = Array.from({ length: 20_000 }, createTemporaryPassword)
  for (const character of passwords.join('')) counts.set(character, (counts.get(character) ?? 0) + 1)
  t.ok(passwords.every(password => password.length === 12))
  t.equal(new Set(passwords).size, passwords.length)
  t.equal(counts.size, 56)
  t.notOk(['0', 'O', 'o', '1', 'I', 'l'].some(character => counts.has(character)))
  const expected = (20_000 * 12) / 56
  // Six and a half standard deviations: by chance once in 200 million runs.
  t.ok([...counts.values()].every(count => Math.abs(count - expected) < expected / 10))
})
