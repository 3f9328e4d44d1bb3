/** People who come from another system sign in with the password that they had there. */
import t from 'tap'
import { password, testApp } from './test-app.ts'

const a = await testApp(t)
const signIn = (identifier: string, text: string) => a.post('/api/v1/tokens', { identifier, password: text })

/** Of the password of these tests. */
const formats: Readonly<Record<string, string>> = {
  'bcrypt 2a': '$2a$10$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW',
  'bcrypt 2b': '$2b$10$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW',
  'bcrypt 2y': '$2y$10$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW',
  'argon2 without a version':
    '$argon2id$m=19456,t=2,p=1$5P42bbtGCTgpTyu36jes0w$F6MmSulmcobr7FfI0b052ncKRfNk1G6CZgu+iHn4V/Y',
  'werkzeug pbkdf2 sha1': 'pbkdf2:sha1:260000$Qm7vXk2LpT9wZr4D$44cb445b28e1ea2d3b085ceee026cb10113862d5',
  'werkzeug pbkdf2 sha256':
    'pbkdf2:sha256:260000$Qm7vXk2LpT9wZr4D$9f5475634ef57cd491b598b49a91f8f859b079aadf0919b7bdbc0bba755ec464',
  'werkzeug scrypt':
    'scrypt:32768:8:1$Qm7vXk2LpT9wZr4D$326c11ab132925ec2bb3a9f2ff7aec7c1d4621c60fc9347885158fb927aff02c8017a9f88361542b473f928242f05f27a879dc43b6059d2f2d454b5e501ece1c',
  'passlib pbkdf2': '$pbkdf2$131000$Dx4tPEtaaXiHlqW0w9Lh/w$wS2qpU9nZt4gjAF8hqU1JjtFXOU',
  'passlib pbkdf2-sha256': '$pbkdf2-sha256$29000$Dx4tPEtaaXiHlqW0w9Lh/w$zjve/Dolc2Qi7yxMzCkF8ErKbbkiu.2lBnT2PPShVCY',
  'passlib pbkdf2-sha512':
    '$pbkdf2-sha512$25000$Dx4tPEtaaXiHlqW0w9Lh/w$e5eDDMUQSA4iOl9Ln9SKQtAiHWr4jQ1wvFmZFOK4sguFRdoKW.x7TWxn1bPgqjqyi3BTHgFEYnA0HUehisRrtg',
  'passlib scrypt': '$scrypt$ln=16,r=8,p=1$Dx4tPEtaaXiHlqW0w9Lh/w$XTRIY5h2BLfKI6rHyQp577vpbLLJVWm3iIFDO+q4y2E',
}

t.test('P-02 a hash of another system is made one of ours at the first sign-in', async t => {
  for (const [name, hash] of Object.entries(formats)) {
    const email = `${name.replaceAll(' ', '-')}@example.com`
    const { id } = await a.register({ email })
    await a.asOwner(
      sql =>
        sql`update password_credentials set hash = ${hash}, changed_at = '2020-01-01T00:00:00Z' where user_id = ${id}`,
    )
    const stored = () =>
      a.asOwner(
        async sql =>
          (
            await sql<{ hash: string; changed_at: Date }[]>`
              select hash, changed_at from password_credentials where user_id = ${id}`
          )[0],
      )
    t.match(await signIn(email, 'a wrong password'), { status: 401, body: { code: 'invalid-credentials' } }, name)
    t.equal((await stored())?.hash, hash, `${name}: a wrong password changes nothing`)
    const tokens = await signIn(email, password)
    t.equal(tokens.status, 200, name)
    const upgraded = await stored()
    t.match(upgraded?.hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/, name)
    t.equal(upgraded?.changed_at.toISOString(), '2020-01-01T00:00:00.000Z', 'the password is as old as it was')
    const refreshed = await a.post('/api/v1/tokens/refresh', { refresh_token: tokens.body.refresh_token })
    t.equal(refreshed.status, 200, `${name}: the session lives`)
    t.equal((await signIn(email, password)).status, 200, `${name}: by the hash of our own`)
    t.equal((await signIn(email, 'a wrong password')).status, 401, name)
  }
})

t.test('a hash that cannot be verified lets nobody in, and the issuer goes on', async t => {
  const email = 'broken@example.com'
  const { id } = await a.register({ email })
  for (const hash of ['pbkdf2:sha256:2147483648$salt$abab', 'no hash at all']) {
    await a.asOwner(sql => sql`update password_credentials set hash = ${hash} where user_id = ${id}`)
    t.equal((await signIn(email, password)).status, 500, 'a fault of ours: such a hash is never stored')
    t.equal((await signIn(a.administrator.email, password)).status, 200)
  }
})
