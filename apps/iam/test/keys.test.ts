import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createVerifier } from '@signet/verifier'
import t, { type Test } from 'tap'
import { ensureRing, rotateKeys } from '../src/modules/keys/key-administration.ts'
import {
  type KeyFolder,
  KeyFolderError,
  openSigningKeys,
  runKeysCommand,
  type SigningKeys,
} from '../src/modules/keys/index.ts'
import { temporaryFolder } from './test-app.ts'

const claims = {
  aud: 'signet',
  client_id: 'signet',
  iss: 'https://issuer.test',
  jti: 'j',
  sid: 's',
  sub: 'u',
  tid: 't',
}

interface Ring extends KeyFolder {
  shift(ms: number): void
}

async function newFolder(t: Test, tokenLifeMs = 900_000): Promise<Ring> {
  let shiftMs = 0
  return {
    folder: join(await temporaryFolder(t), 'keys'),
    tokenLifeMs,
    clock: () => Date.now() + shiftMs,
    shift: ms => void (shiftMs += ms),
  }
}

async function open(t: Test, keys: KeyFolder): Promise<SigningKeys> {
  const opened = await openSigningKeys(keys)
  t.teardown(() => opened.close())
  return opened
}

function tokenOf(keys: SigningKeys, nowMs: number): string {
  const iat = Math.floor(nowMs / 1_000)
  return keys.sign('at+jwt', JSON.stringify({ ...claims, iat, exp: iat + 900 }))
}

function kidOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
}

const run = (keys: KeyFolder, ...words: string[]) => runKeysCommand(keys, words)
const statesOf = async (keys: KeyFolder) =>
  (await run(keys, 'list')).text
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.split(/ +/)[1])

const sorted = (words: readonly (string | undefined)[]) =>
  words.map(String).toSorted((one, other) => one.localeCompare(other))

/** Waits for what a watcher or the interval brings. */
async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('It did not happen within ten seconds.')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

t.test('the first start', async t => {
  const keys = await newFolder(t)
  const opened = await open(t, keys)
  await t.test('makes one key that signs and one that will', async t => {
    t.same(await statesOf(keys), ['active', 'next'])
    t.equal(opened.keySet().keys.length, 2)
    t.equal(kidOf(tokenOf(opened, Date.now())), opened.keySet().keys[0]?.kid)
  })
  await t.test('lets nobody else read them', async t => {
    t.equal((await stat(keys.folder)).mode & 0o777, 0o700)
    for (const name of await readdir(keys.folder))
      t.equal((await stat(join(keys.folder, name))).mode & 0o777, 0o600, name)
  })
  await t.test('publishes nothing private', async t => {
    for (const key of opened.keySet().keys) t.same(Object.keys(key).toSorted(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
    t.notMatch(opened.keySet().body, /"[dpq]"|PRIVATE/)
  })
  await t.test('is one, however many start at once', async t => {
    const shared = await newFolder(t)
    const rings = await Promise.all(Array.from({ length: 5 }, () => ensureRing(shared)))
    t.equal(new Set(rings.map(({ ring }) => JSON.stringify(ring))).size, 1)
    const names = await readdir(shared.folder)
    t.equal(names.filter(name => name.endsWith('.pem')).length, 2, 'the losers leave nothing behind')
    t.equal(names.length, 3)
  })
  await t.test('closes a folder that a clone left open', async t => {
    const cloned = await newFolder(t)
    await mkdir(cloned.folder, { mode: 0o755 })
    await writeFile(join(cloned.folder, 'README.md'), 'x')
    await open(t, cloned)
    t.equal((await stat(cloned.folder)).mode & 0o777, 0o700)
  })
  await t.test('leaves the mode of a folder alone that is not its own', async t => {
    const shared = await newFolder(t)
    await mkdir(shared.folder, { mode: 0o755 })
    await writeFile(join(shared.folder, 'passwd'), 'x')
    await t.rejects(openSigningKeys(shared), { message: /entered by others \(mode 755\)\. Run: chmod 700/ })
    t.equal((await stat(shared.folder)).mode & 0o777, 0o755)
  })
})

t.test('K-04 a key file that is missing, corrupt or readable by others stops the start, and is named', async t => {
  const refuses = async (t: Test, keys: KeyFolder, file: string, fault: RegExp, mend: RegExp) => {
    const error: unknown = await openSigningKeys(keys).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    t.ok(error instanceof KeyFolderError, 'it is refused')
    const { message } = error as Error
    t.ok(message.includes(file), `${message} names ${file}`)
    t.match(message, fault)
    t.match(message, mend)
  }
  const prepare = async (t: Test) => {
    const keys = await newFolder(t)
    const { ring } = await ensureRing(keys)
    const [active, next] = ring.keys
    return { keys, active: join(keys.folder, `${active?.kid}.pem`), next: join(keys.folder, `${next?.kid}.pem`) }
  }
  await t.test('missing, and the command that is named mends it', async t => {
    const { keys, active } = await prepare(t)
    await rm(active)
    await refuses(t, keys, active, /is missing/, /pnpm keys rotate/)
    t.equal((await run(keys, 'rotate')).exitCode, 0)
    await open(t, keys)
  })
  await t.test('missing next key', async t => {
    const { keys, next } = await prepare(t)
    await rm(next)
    await refuses(t, keys, next, /is missing/, /pnpm keys remove [\w-]{43}/)
    t.equal((await run(keys, 'remove', next.slice(-47, -4))).exitCode, 0)
    await open(t, keys)
  })
  await t.test('a key id that begins with a dash is no option', async t => {
    const { keys } = await prepare(t)
    const { exitCode, text } = await run(keys, 'remove', `-${'h'.repeat(42)}`)
    t.not(exitCode, 2, text)
    t.match(text, /-h{42}/)
  })
  await t.test('corrupt', async t => {
    const { keys, active } = await prepare(t)
    await writeFile(active, (await readFile(active, 'utf8')).replace(/MII/, 'XII'), { mode: 0o600 })
    await refuses(t, keys, active, /damaged/, /pnpm keys rotate/)
  })
  await t.test('another key than its name says', async t => {
    const { keys, active, next } = await prepare(t)
    await writeFile(active, await readFile(next), { mode: 0o600 })
    await refuses(t, keys, active, /another key/, /pnpm keys rotate/)
  })
  await t.test('C-05 weak', async t => {
    const { keys, active } = await prepare(t)
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    await writeFile(active, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    await refuses(t, keys, active, /fewer than 2048 bits/, /pnpm keys rotate/)
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await writeFile(active, curve.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    await refuses(t, keys, active, /not RSA/, /pnpm keys rotate/)
  })
  await t.test('readable by others', async t => {
    const { keys, active } = await prepare(t)
    await chmod(active, 0o644)
    await refuses(t, keys, active, /read by others \(mode 644\)/, /chmod 600/)
  })
  await t.test('in a folder that others may enter', async t => {
    const { keys } = await prepare(t)
    await chmod(keys.folder, 0o755)
    await refuses(t, keys, keys.folder, /entered by others/, /chmod 700/)
  })
  await t.test('a ring that is corrupt, has two active keys, or is gone', async t => {
    const { keys } = await prepare(t)
    const path = join(keys.folder, 'ring-1.json')
    const ring = await readFile(path, 'utf8')
    await writeFile(path, ring.slice(0, 50))
    await refuses(t, keys, path, /cannot be read/, /backup/)
    await writeFile(path, ring.replaceAll('"next"', '"active"'))
    await refuses(t, keys, path, /2 active keys/, /backup/)
    await rm(path)
    await refuses(t, keys, keys.folder, /ring-\*\.json is missing/, /rm .*\*\.pem/)
  })
})

t.test('a running program', async t => {
  await t.test('K-01 takes up twenty rotations while tokens are verified, and refuses none', async t => {
    const keys = await newFolder(t)
    const opened = await open(t, keys)
    const verifier = createVerifier({
      issuer: claims.iss,
      audience: 'signet',
      keys: {
        uri: 'https://issuer.test/jwks',
        fetch: async () => Response.json({ keys: opened.keySet().keys }),
        cooldownMs: 1,
        refreshEveryMs: 50,
      },
      revocation: { mode: 'off' },
    })
    t.teardown(() => verifier.close())
    await verifier.warmUp()
    const rotation = { isRunning: true }
    let verified = 0
    const seen = new Set<string>()
    const verifying = (async () => {
      const held: string[] = []
      while (rotation.isRunning) {
        held.push(tokenOf(opened, Date.now()))
        for (const token of held.slice(-40)) {
          const principal = await verifier.verify(token)
          if (principal.subject !== 'u') throw new Error('another subject')
          verified += 1
          seen.add(kidOf(token))
        }
        await new Promise(resolve => setImmediate(resolve))
      }
    })()
    const watched = new Set<string>()
    for (let round = 0; round < 20; round += 1) {
      const { ring } = await rotateKeys(keys)
      const active = ring.keys.find(key => key.state === 'active')?.kid ?? ''
      await until(() => kidOf(tokenOf(opened, Date.now())) === active)
      watched.add(active)
    }
    rotation.isRunning = false
    await verifying
    t.equal(watched.size, 20)
    t.ok(seen.size >= 20, `${verified} verifications with ${seen.size} keys`)
  })
  await t.test('publishes a retired key until the last token of it has expired', async t => {
    const keys = await newFolder(t, 60_000)
    const opened = await open(t, keys)
    const old = kidOf(tokenOf(opened, Date.now()))
    await rotateKeys(keys)
    await until(() => kidOf(tokenOf(opened, Date.now())) !== old)
    const kids = () => opened.keySet().keys.map(key => key.kid)
    keys.shift(60_000)
    t.ok(kids().includes(old), 'as long as a token lives')
    keys.shift(6_000)
    t.notOk(kids().includes(old))
    t.equal(kids().length, 2)
    await rotateKeys(keys)
    t.same(sorted(await statesOf(keys)), ['active', 'next', 'removed', 'retired'], 'and the ring lets go of it')
  })
  await t.test('goes on with what it read when the folder becomes unreadable, and says so once', async t => {
    const keys = await newFolder(t)
    const opened = await open(t, keys)
    const faults: unknown[] = []
    opened.onFault(error => void faults.push(error))
    const { kid } = (await rotateKeys(keys)).ring.keys.find(key => key.state === 'active') ?? { kid: '' }
    await until(() => kidOf(tokenOf(opened, Date.now())) === kid)
    await writeFile(join(keys.folder, 'ring-3.json'), 'not a ring', { mode: 0o600 })
    await until(() => faults.length > 0)
    t.match((faults[0] as Error).message, /ring-3\.json cannot be read/)
    t.equal(kidOf(tokenOf(opened, Date.now())), kid)
    t.equal(opened.isCurrent(), false)
    await rm(join(keys.folder, 'ring-3.json'))
    await until(() => opened.isCurrent())
    const after = await rotateKeys(keys)
    const active = after.ring.keys.find(key => key.state === 'active')?.kid
    await until(() => kidOf(tokenOf(opened, Date.now())) === active)
    t.equal(faults.length, 1)
  })
})

t.test('K-03 two that rotate at once leave one active key', async t => {
  for (let round = 0; round < 5; round += 1) {
    const keys = await newFolder(t)
    const first = await ensureRing(keys)
    const results = await Promise.all([rotateKeys(keys), rotateKeys(keys), rotateKeys(keys)])
    t.equal(results.filter(result => result.changed).length, 1, 'one of them rotated')
    t.same(sorted(await statesOf(keys)), ['active', 'next', 'retired'])
    const names = await readdir(keys.folder)
    t.equal(names.filter(name => name.endsWith('.pem')).length, 2, 'only keys that sign or will have a private half')
    t.notOk(names.includes(`${first.ring.keys[0]?.kid}.pem`))
  }
})

t.test('pnpm keys', async t => {
  const keys = await newFolder(t)
  await t.test('explains itself', async t => {
    for (const words of [['--help'], ['-h'], ['rotate', '--help']]) {
      const { text, exitCode } = await run(keys, ...words)
      t.match(text, /Usage: pnpm keys <command>/)
      t.equal(exitCode, 0)
    }
    for (const words of [['rotatte'], ['retire'], ['list', 'more'], ['--force'], ['remove', 'a', 'b']]) {
      t.equal((await run(keys, ...words)).exitCode, 2, words.join(' '))
    }
  })
  await t.test('takes a key id that begins with a dash for no option, shortened or not', async t => {
    for (const kid of ['-Vwu9XyYCeSP', '--wu9XyYCeSP', `-${'a'.repeat(42)}`]) {
      t.equal((await run(keys, 'retire', kid)).exitCode, 1, `${kid} is a key that is not there`)
    }
    t.match(await run(keys, 'retire', '--help'), { exitCode: 0, text: /^Usage/ })
  })
  await t.test('says what to do on an empty folder', async t => {
    t.match(await run(keys, 'list'), { exitCode: 1, text: /holds no keys yet.*pnpm keys add/ })
    await t.rejects(stat(keys.folder), { code: 'ENOENT' }, 'looking makes nothing')
    t.match(await run(keys, 'rotate'), { exitCode: 1, text: /holds no keys yet/ })
    t.match(await run(keys, 'add'), { exitCode: 0, text: /^Added the next key/ })
    t.same(await statesOf(keys), ['active', 'next'])
  })
  await t.test('may be repeated', async t => {
    t.match(await run(keys, 'add'), { exitCode: 0, text: /^There is already the next key/ })
    const next = (await ensureRing(keys)).ring.keys[1]?.kid ?? ''
    t.match(await run(keys, 'retire', next.slice(0, 12)), { exitCode: 0, text: new RegExp(`^Retired ${next}`) })
    t.match(await run(keys, 'retire', next), { exitCode: 0, text: new RegExp(`^Retired already: ${next}`) })
    t.match(await run(keys, 'remove', next), { exitCode: 0, text: new RegExp(`^Removed ${next}`) })
    t.match(await run(keys, 'remove', next), { exitCode: 0, text: new RegExp(`^Removed already: ${next}`) })
    t.match(await run(keys, 'add'), { exitCode: 0, text: /^Added/ })
  })
  await t.test('confirms a rotation and warns of a key that nobody had time to fetch', async t => {
    const { text, exitCode } = await run(keys, 'rotate')
    t.equal(exitCode, 0)
    t.match(text, /^Now signing with [\w-]{43}\nRetired {12}[\w-]{43}\nNote: this key was published only/)
    t.match(text, /active +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +signs since/)
    t.match(text, /retired .* published until/)
  })
  await t.test('does not take the active key away', async t => {
    const active = (await ensureRing(keys)).ring.keys.find(key => key.state === 'active')?.kid ?? ''
    t.match(await run(keys, 'remove', active), { exitCode: 1, text: /cannot be removed\. Run first: pnpm keys rotate/ })
    t.match(await run(keys, 'retire', active), { exitCode: 1, text: /cannot be retired/ })
    t.match(await run(keys, 'remove', 'nonsense'), { exitCode: 1, text: /no key nonsense/ })
    t.match(await run(keys, 'remove', ''), { exitCode: 1, text: /keys begin with/ })
  })
  await t.test('a removed key is published no more, at once', async t => {
    const opened = await open(t, keys)
    const retired = (await ensureRing(keys)).ring.keys.find(key => key.state === 'retired')?.kid ?? ''
    t.ok(opened.keySet().keys.some(key => key.kid === retired))
    await run(keys, 'remove', retired)
    await until(() => !opened.keySet().keys.some(key => key.kid === retired))
  })
})
