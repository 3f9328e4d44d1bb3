import { hash } from '@node-rs/bcrypt'
import t from 'tap'
import { createHasher, findHashFault } from '../src/index.ts'

const hasher = createHasher({ maxConcurrent: 2, queueLimit: 100 })

/** Examples of the formats' own documentation, of the password `password`. */
const documented = [
  '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ',
  '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
  '$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m',
]

/** Made with Python's hashlib and libcrypt, of the password `a quiet green harbour`. */
const made = [
  '$2b$10$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW',
  '$2a$10$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW',
  '$2y$10$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW',
  'pbkdf2:sha256:260000$Qm7vXk2LpT9wZr4D$9f5475634ef57cd491b598b49a91f8f859b079aadf0919b7bdbc0bba755ec464',
  'pbkdf2:sha512:260000$Qm7vXk2LpT9wZr4D$de75b0d516f5f5ca2ffaffdfd485db2b88e7c185db77a31b2c75d72c7ddaf6ac91b95f27057eff47bc7176c364a45d1f9b66bbef2dcf19f2e0c53267ccc84a0d',
  'pbkdf2:sha1:260000$Qm7vXk2LpT9wZr4D$44cb445b28e1ea2d3b085ceee026cb10113862d5',
  'scrypt:32768:8:1$Qm7vXk2LpT9wZr4D$326c11ab132925ec2bb3a9f2ff7aec7c1d4621c60fc9347885158fb927aff02c8017a9f88361542b473f928242f05f27a879dc43b6059d2f2d454b5e501ece1c',
  '$pbkdf2-sha256$29000$Dx4tPEtaaXiHlqW0w9Lh/w$zjve/Dolc2Qi7yxMzCkF8ErKbbkiu.2lBnT2PPShVCY',
  '$pbkdf2-sha512$25000$Dx4tPEtaaXiHlqW0w9Lh/w$e5eDDMUQSA4iOl9Ln9SKQtAiHWr4jQ1wvFmZFOK4sguFRdoKW.x7TWxn1bPgqjqyi3BTHgFEYnA0HUehisRrtg',
  '$pbkdf2$131000$Dx4tPEtaaXiHlqW0w9Lh/w$wS2qpU9nZt4gjAF8hqU1JjtFXOU',
  '$scrypt$ln=16,r=8,p=1$Dx4tPEtaaXiHlqW0w9Lh/w$XTRIY5h2BLfKI6rHyQp577vpbLLJVWm3iIFDO+q4y2E',
  '$argon2i$v=19$m=19456,t=2,p=1$4fwyNfVc0lpdYC5YXn55kQ$cclMGEy8spGP5YvSllnMEnzgXDcQa2/+ApHuVtD6MSw',
  '$argon2d$v=19$m=19456,t=2,p=1$vTMtu29yFGszoOkFKeTx8Q$8JX5CjQ+2Myet+0elcUrwoUpqMRfLQOc2HHFrM9LKbk',
  '$argon2id$v=16$m=19456,t=2,p=1$5P42bbtGCTgpTyu36jes0w$F6MmSulmcobr7FfI0b052ncKRfNk1G6CZgu+iHn4V/Y',
  '$argon2id$m=19456,t=2,p=1$5P42bbtGCTgpTyu36jes0w$F6MmSulmcobr7FfI0b052ncKRfNk1G6CZgu+iHn4V/Y',
]

t.test('a hash of another system is right for its password, and for no other', async t => {
  for (const [password, hashes] of [
    ['password', documented],
    ['a quiet green harbour', made],
  ] as const) {
    for (const stored of hashes) {
      t.equal(findHashFault(stored), undefined, stored)
      t.equal(await hasher.verify(stored, password), true, stored)
      t.equal(await hasher.verify(stored, `${password}!`), false, stored)
      t.equal(hasher.isOutdated(stored), true, 'and is made anew at the first sign-in')
    }
  }
})

t.test('bcrypt takes what it took there: the bytes that were typed, up to 72 of them', async t => {
  const typed = 'cafe\u0301 au lait'
  const stored = await hash(typed, { cost: 4 })
  t.equal(await hasher.verify(stored, typed), true, 'not composed, as it was hashed')
  t.equal(await hasher.verify(await hash('caf\u00e9 au lait', { cost: 4 }), typed), true, 'composed')
  t.equal(await hasher.verify(stored, 'cafe au lait'), false)
  const long = 'x'.repeat(72)
  t.equal(await hasher.verify(await hash(`${long}abc`, { cost: 4 }), `${long}xyz`), true)
})

t.test('a hash that would cost more than a sign-in may is refused, saying the bound', async t => {
  const hex = (bytes: number) => 'ab'.repeat(bytes)
  const argon2 = (cost: string) =>
    `$argon2id$v=19$${cost}$4fwyNfVc0lpdYC5YXn55kQ$cclMGEy8spGP5YvSllnMEnzgXDcQa2/+ApHuVtD6MSw`
  const beyond: readonly [hash: string, bound: string][] = [
    ['$2b$15$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW', 'between 4 and 14'],
    ['$2b$03$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW', 'between 4 and 14'],
    [`pbkdf2:sha256:2147483648$salt$${hex(32)}`, 'between 1 and 2000000'],
    [`pbkdf2:sha256:0$salt$${hex(32)}`, 'between 1 and 2000000'],
    ['$pbkdf2$999999999999$Dx4tPEtaaXiHlqW0w9Lh/w$wS2qpU9nZt4gjAF8hqU1JjtFXOU', 'between 1 and 2000000'],
    [`scrypt:8388608:8:1$salt$${hex(64)}`, 'between 2 and 131072'],
    [`scrypt:32769:8:1$salt$${hex(64)}`, 'power of two'],
    [`scrypt:32768:8:1000$salt$${hex(64)}`, 'between 1 and 4'],
    [`scrypt:1024:100000:1$salt$${hex(64)}`, 'between 1 and 64'],
    [
      '$scrypt$ln=33,r=8,p=1$Dx4tPEtaaXiHlqW0w9Lh/w$XTRIY5h2BLfKI6rHyQp577vpbLLJVWm3iIFDO+q4y2E',
      'between 2 and 131072',
    ],
    [argon2('m=8388608,t=1,p=1'), 'between 8 and 262144'],
    [argon2('m=262144,t=5,p=1'), 'between 1 and 4'],
    [argon2('m=64,t=1,p=65'), 'between 1 and 64'],
  ]
  for (const [stored, bound] of beyond) {
    t.match(findHashFault(stored), bound, stored)
    await t.rejects(hasher.verify(stored, 'anything'), { name: 'HashFault' }, stored)
  }
})

t.test('a hash that is cut, padded, empty or of no format is refused, and never right', async t => {
  const none = [
    '',
    'a quiet green harbour',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '$2b$10$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgD',
    '$2x$10$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW',
    'pbkdf2:sha256:1000$salt$',
    'pbkdf2:sha256:1000$$abab',
    'pbkdf2:md5:1000$salt$abababababababababababababababab',
    'pbkdf2:sha256:1000$salt$abab',
    'scrypt:32768:8:1$salt$',
    '$pbkdf2-sha256$29000$$',
    '$pbkdf2-sha256$29000$Dx4tPEtaaXiHlqW0w9Lh/w$zjve',
    '$argon2id$v=19$m=19456,t=2,p=1$4fwyNfVc0lpdYC5YXn55kQ$',
    `$2b$10$${'a'.repeat(10_000)}`,
    '$argon2id$v=19$m=19456,t=2,p=1$4fwyNfVc0lpdYC5YXn55kQ$cclMGEy8spGP5YvSllnMEnzgXDcQa2/+ApHuVtD6MSw\n',
  ]
  for (const text of none) {
    t.match(findHashFault(text), 'no hash of bcrypt, argon2, PBKDF2 or scrypt', text.slice(0, 40))
    await t.rejects(hasher.verify(text, ''), { name: 'HashFault' })
  }
})
