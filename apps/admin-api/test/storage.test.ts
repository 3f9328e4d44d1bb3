import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { problem } from '@signet/kernel'
import t from 'tap'
import { readConfig } from '../src/config.ts'
import { createLane } from '../src/imaging/lane.ts'
import { createFileStorage } from '../src/storage/file-storage.ts'
import { openStorage } from '../src/storage/open-storage.ts'
import { createS3Storage } from '../src/storage/s3-storage.ts'
import type { ImageStorage } from '../src/storage/storage.ts'
import { s3Credentials, startS3 } from './s3-server.ts'

const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 10, 13])
const folder = join(t.testdir(), 'deep', 'images')
const s3 = await startS3(t, 'signet-images')
const settings = { endpoint: s3.endpoint, bucket: 'signet-images', ...s3Credentials }

const stores: Readonly<Record<string, ImageStorage>> = {
  'a folder': createFileStorage(folder),
  'a bucket': createS3Storage(settings),
}
for (const [name, storage] of Object.entries(stores)) {
  t.test(name, async t => {
    await t.test('keeps what it is given, byte for byte, until it is removed', async t => {
      const [one, two] = [randomUUID(), randomUUID()]
      t.equal(await storage.get(one), undefined)
      await storage.put(one, png)
      await storage.put(two, Buffer.alloc(0))
      t.same(Buffer.from((await storage.get(one)) ?? []), png)
      t.equal((await storage.get(two))?.length, 0)
      await storage.remove(one)
      await storage.remove(one)
      t.equal(await storage.get(one), undefined)
      t.not(await storage.get(two), undefined)
    })
    await t.test('can be tried out, and nothing of that stays', async t => {
      const before = [...s3.objects.keys(), ...readdirSync(folder)]
      await storage.check()
      t.same([...s3.objects.keys(), ...readdirSync(folder)], before)
    })
    await t.test('takes no key that the program has not drawn', async t => {
      for (const key of [
        '../../etc/passwd',
        '',
        'a',
        `${randomUUID()}/..`,
        randomUUID().toUpperCase(),
        '.'.repeat(36),
      ]) {
        await t.rejects(storage.put(key, png), TypeError)
        await t.rejects(storage.get(key), TypeError)
        await t.rejects(storage.remove(key), TypeError)
      }
    })
  })
}

t.test('a folder that cannot be written to says so', async t => {
  const file = join(t.testdir(), 'file')
  writeFileSync(file, '')
  await t.rejects(createFileStorage(join(file, 'images')).check(), { code: 'ENOTDIR' })
})

t.test('what a crash has left of writing goes with the image', async t => {
  const key = randomUUID()
  writeFileSync(join(folder, `${key}.png.part`), 'half')
  await stores['a folder']?.remove(key)
  t.notOk(existsSync(join(folder, `${key}.png.part`)))
})

t.test('a bucket', async t => {
  const storage = createS3Storage(settings)
  const hasty = createS3Storage({ ...settings, timeoutMs: 250 })
  const key = randomUUID()
  t.afterEach(() => {
    s3.answer = undefined
  })
  await t.test('is closed to a wrong secret and another region', async t => {
    for (const wrong of [{ secretAccessKey: 'another' }, { region: 'eu-west-1' }, { accessKeyId: 'AKIDOTHER' }])
      await t.rejects(createS3Storage({ ...settings, ...wrong }).put(key, png), {
        message: 'The image store answered 403.',
      })
    await t.rejects(createS3Storage({ ...settings, bucket: 'missing' }).check(), /answered 404/)
  })
  await t.test('that fails is a failure whatever it says, and nothing of the answer is repeated', async t => {
    for (const status of [301, 400, 403, 500, 503]) {
      s3.answer = (_request, response) => response.writeHead(status, { location: s3.endpoint }).end('s3cret')
      for (const work of [() => storage.put(key, png), () => storage.get(key), () => storage.remove(key)]) {
        const failure: unknown = await work().catch((error: unknown) => error)
        t.ok(failure instanceof Error, String(status))
        t.notMatch(String(failure), /s3cret/)
      }
    }
  })
  await t.test('that never answers, never ends or sends too much ends in time', async t => {
    s3.answer = () => undefined
    await t.rejects(hasty.put(key, png), { name: 'TimeoutError' })
    s3.answer = (_request, response) => void response.writeHead(200).write('begun')
    await t.rejects(hasty.get(key), { name: 'TimeoutError' })
    s3.answer = (_request, response) => void response.writeHead(200).end(Buffer.alloc(5 * 1024 * 1024))
    await t.rejects(storage.get(key), /more than an image/)
  })
  await t.test('that is not there is a failure', async t => {
    const nowhere = createS3Storage({ ...settings, endpoint: 'http://127.0.0.1:1' })
    await t.rejects(nowhere.put(key, png))
  })
})

t.test('the settings', async t => {
  const read = (environment: Record<string, string>) =>
    readConfig({ DATABASE_URL: 'postgres://signet@localhost/signet', ...environment })
  await t.test('keep images in a folder unless they say otherwise', async t => {
    t.match(read({}), { STORAGE: 'file', MAX_AVATAR_SIZE_MB: 5 })
    t.equal(await openStorage({ by: 'off' }), undefined)
  })
  await t.test('refuse a bucket without what it needs, naming each', async t => {
    const named = (pattern: RegExp) => ({ name: 'SettingsError', message: pattern })
    for (const name of ['S3_ENDPOINT', 'S3_BUCKET', 'S3_REGION', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'])
      t.throws(() => read({ STORAGE: 's3' }), named(new RegExp(`${name} is missing`)))
    t.throws(() => read({ STORAGE: 's3', S3_BUCKET: '../other' }), named(/S3_BUCKET has to be/))
    t.throws(
      () => read({ STORAGE: 's3', USE_STORAGE_SERVICE: 'false' }),
      named(/STORAGE and USE_STORAGE_SERVICE are the same setting/),
    )
    t.throws(() => read({ STORAGE: 'ftp' }), named(/STORAGE has to be one of file, s3, off/))
    t.throws(() => read({ MAX_AVATAR_SIZE_MB: '0' }), named(/MAX_AVATAR_SIZE_MB/))
    t.throws(() => read({ MAX_AVATAR_SIZE_MBS: '5' }), named(/MAX_AVATAR_SIZE_MB\?/))
  })
})

t.test('conversions have a lane, and whoever finds it full is sent away', async t => {
  const inLane = createLane({ maxConcurrent: 1, queueLimit: 1, busy: () => problem('images-busy') })
  const gates: (() => void)[] = []
  const job = () => inLane(() => new Promise<void>(resolve => gates.push(resolve)))
  const [first, second] = [job(), job()]
  await t.rejects(job(), { code: 'images-busy' })
  t.equal(gates.length, 1, 'one at a time')
  gates[0]?.()
  await first
  gates[1]?.()
  await second
  await t.rejects(
    inLane(() => Promise.reject(new Error('faulty'))),
    /faulty/,
  )
  t.equal(await inLane(async () => 'free again'), 'free again')
})
