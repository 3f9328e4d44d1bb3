import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { withAdminClient } from '@signet/db'
import type { TestActor } from '@signet/testkit'
import sharp from 'sharp'
import t from 'tap'
import { collectImages } from '../src/modules/images/service.ts'
import { createFileStorage } from '../src/storage/file-storage.ts'
import { bitmap, hollowPng, plain } from './pictures.ts'
import { createWorld } from './world.ts'

const folder = join(t.testdir(), 'images')
const world = await createWorld(t, { storage: createFileStorage(folder) })
const { database, deps, cast, company, other, admin, member, stranger, call, app } = world

const send = (who: TestActor, path: string, bytes: Uint8Array, type = 'image/png', headers = {}) =>
  call(who, 'PUT', path, bytes, { 'content-type': type, ...headers })
const own = (who: { userId: string }) => `users/${who.userId}/avatar`
const fetchImage = async (who: TestActor, path: string, headers = {}) => {
  const answer = await app.inject({ url: `/admin/v1/${path}`, headers: { ...who.headers, ...headers } })
  return { status: answer.statusCode, headers: answer.headers, bytes: answer.rawPayload }
}
const files = () => readdirSync(folder)
/** As if the minute were over in which somebody might still be reading. */
const letTimePass = () =>
  withAdminClient(database.superUrl, sql => sql`update unused_images set due_at = now()`.then(() => undefined))

t.test('an avatar', async t => {
  const ada = await cast.addActor(company)
  await t.test('is nobody’s at first', async t => {
    t.match(await call(ada, 'GET', own(ada)), { status: 404, body: { code: 'image-not-found' } })
    t.match(await call(ada, 'DELETE', own(ada)), { status: 404, body: { code: 'image-not-found' } })
    t.match((await call(admin, 'GET', `users/${ada.userId}`)).body, { has_avatar: false })
  })
  await t.test('is set by the person, and served as a small PNG that no page runs', async t => {
    const sent = await send(ada, own(ada), await plain(1200, 600).jpeg().toBuffer(), 'image/jpeg')
    t.match(sent, { status: 204, headers: { etag: /^"[0-9a-f-]{36}"$/ } }, sent.text)
    const { status, headers, bytes } = await fetchImage(ada, own(ada))
    t.equal(status, 200)
    t.match(headers, {
      'content-type': 'image/png',
      'cache-control': 'private, no-cache',
      'content-security-policy': /sandbox/,
      'x-content-type-options': 'nosniff',
      etag: String(sent.headers['etag']),
    })
    t.match(await sharp(bytes).metadata(), { format: 'png', width: 512, height: 256 })
    t.match((await call(admin, 'GET', `users/${ada.userId}`)).body, { has_avatar: true })
    const again = await fetchImage(ada, own(ada), { 'if-none-match': `"x", W/${headers['etag']}` })
    t.match(again, { status: 304, headers: { etag: headers['etag'] } })
    t.equal(again.bytes.length, 0)
  })
  await t.test('is a file that its owner alone may read', async t => {
    t.equal(statSync(folder).mode & 0o777, 0o700)
    for (const file of files()) t.equal(statSync(join(folder, file)).mode & 0o777, 0o600)
  })
  await t.test('is replaced, and the former bytes go', async t => {
    const [former] = files()
    const before = (await call(admin, 'GET', `users/${ada.userId}`)).headers['etag']
    t.equal((await send(ada, own(ada), await plain(3).png().toBuffer())).status, 204)
    t.not((await call(admin, 'GET', `users/${ada.userId}`)).headers['etag'], before, 'a new version of the person')
    t.equal(await collectImages(deps), 0, 'not at once: somebody may be reading them')
    await letTimePass()
    t.equal(await collectImages(deps), 1)
    t.equal(files().length, 1)
    t.notOk(files().includes(former ?? ''))
  })
  await t.test('is changed only as it was read, where that is said', async t => {
    const { headers } = await fetchImage(ada, own(ada))
    const bytes = await plain(4).png().toBuffer()
    const stale = { 'if-match': '"0198a0c0-0000-7000-8000-000000000001"' }
    t.match(await send(ada, own(ada), bytes, 'image/png', stale), { status: 412, body: { code: 'version-mismatch' } })
    t.equal((await call(ada, 'DELETE', own(ada), undefined, stale)).status, 412)
    t.equal((await send(ada, own(ada), bytes, 'image/png', { 'if-match': String(headers['etag']) })).status, 204)
  })
  await t.test('of sixteen sent at once is one, and no other bytes stay', async t => {
    const bytes = await plain(5).png().toBuffer()
    const answers = await Promise.all(Array.from({ length: 16 }, () => send(ada, own(ada), bytes)))
    t.ok(answers.every(({ status }) => status === 204 || status === 503))
    for (const { status, body, headers } of answers)
      if (status === 503) t.match({ body, headers }, { body: { code: 'images-busy' }, headers: { 'retry-after': '2' } })
    await letTimePass()
    await collectImages(deps)
    t.equal(files().length, 1)
  })
  await t.test('goes with the person', async t => {
    t.equal((await call(admin, 'DELETE', `users/${ada.userId}`)).status, 204)
    t.match(await call(admin, 'GET', own(ada)), { status: 404, body: { code: 'user-not-found' } })
    await letTimePass()
    await collectImages(deps)
    t.equal(files().length, 0)
  })
})

t.test('one’s own avatar is at home, also where one works as a guest', async t => {
  const person = await cast.addPerson(other)
  await cast.addGuest(company, person)
  const guest = await cast.signIn(person, company)
  t.equal((await send(guest, own(guest), await plain(7).png().toBuffer())).status, 204)
  t.match(await sharp((await fetchImage(guest, own(guest))).bytes).metadata(), { width: 7 })
  t.match((await call(stranger, 'GET', `users/${person.userId}`)).body, { has_avatar: true })
  t.match(await call(admin, 'GET', own(guest)), { status: 404, body: { code: 'user-not-found' } })
  t.equal((await call(guest, 'DELETE', own(guest))).status, 204)
})

t.test('X-02 whose avatar it is to change', async t => {
  const bytes = await plain(2).png().toBuffer()
  const person = await cast.addPerson(company)
  const strong = await cast.addPerson(company, { permissions: ['audit-events:read'] })
  const clerk = await cast.addActor(company, { permissions: ['users:read', 'users:modify'] })
  t.equal((await send(clerk, own(person), bytes)).status, 204)
  t.match(await send(clerk, own(strong), bytes), { status: 403, body: { detail: /audit-events:read/ } })
  t.match(await send(member, own(person), bytes), { status: 403, body: { detail: /users:modify/ } })
  t.match(await call(member, 'GET', own(person)), { status: 403, body: { detail: /users:read/ } })
  t.match(await send(stranger, own(person), bytes), { status: 404, body: { code: 'user-not-found' } })
  const client = await cast.addActor(company, { kind: 'client' })
  t.equal((await send(client, own(client), bytes)).status, 204, 'a client sets their own')
})

t.test('a logo', async t => {
  const bytes = await plain(20).webp().toBuffer()
  await t.test('is set and read by those who may change and read the tenant', async t => {
    t.equal((await send(admin, `tenants/${company}/logo`, bytes, 'image/webp')).status, 204)
    t.match((await call(admin, 'GET', `tenants/${company}`)).body, { has_logo: true })
    t.match(await sharp((await fetchImage(admin, `tenants/${company}/logo`)).bytes).metadata(), { width: 20 })
    t.equal((await call(member, 'GET', `tenants/${company}/logo`)).status, 403)
  })
  await t.test('is of one’s own tenant', async t => {
    const notFound = { status: 404, body: { code: 'tenant-not-found' } }
    t.match(await send(admin, `tenants/${other}/logo`, bytes, 'image/webp'), notFound)
    t.match(await call(stranger, 'GET', `tenants/${company}/logo`), notFound)
  })
})

t.test('I-07 what is sent as an image', async t => {
  const who = await cast.addActor(company)
  const put = (bytes: Uint8Array, type: string) => send(who, own(who), bytes, type)
  const kept = async () => (await fetchImage(who, own(who))).bytes
  const invalid = (detail: RegExp) => ({ status: 422, body: { code: 'invalid-image', detail } })

  await t.test('is jpeg, png, gif, bmp or webp, and always becomes a PNG', async t => {
    for (const [type, bytes] of [
      ['image/jpeg', await plain(9).jpeg().toBuffer()],
      ['image/png', await plain(9).png().toBuffer()],
      ['image/gif', await plain(9).gif().toBuffer()],
      ['image/webp', await plain(9).webp().toBuffer()],
      ['image/bmp', bitmap(Array.from({ length: 9 }, () => Array.from({ length: 9 }, () => [200, 50, 20])))],
      ['IMAGE/PNG; name=photo.png', await plain(9).png().toBuffer()],
    ] as const) {
      const answer = await put(bytes, type)
      t.equal(answer.status, 204, `${type} ${answer.text}`)
      t.match(await sharp(await kept()).metadata(), { format: 'png', width: 9, height: 9 }, type)
    }
  })
  await t.test('of another type is refused, by its header and by its bytes', async t => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    const tiff = await plain(2).tiff().toBuffer()
    for (const type of ['image/svg+xml', 'application/octet-stream', 'application/json', 'text/html'])
      t.match(await put(svg, type), { status: 415, body: { code: 'unsupported-media-type', detail: /image\/webp/ } })
    for (const bytes of [svg, tiff, Buffer.from('GIF90a'), Buffer.from('%PDF-1.7'), Buffer.alloc(64), Buffer.alloc(0)])
      t.match(await put(bytes, 'image/png'), { status: 422, body: { code: 'invalid-image' } })
    const jpeg = await plain(2).jpeg().toBuffer()
    t.match(await put(jpeg, 'image/png'), {
      status: 415,
      body: { detail: /sent as image\/png, and it is image\/jpeg/ },
    })
  })
  await t.test('beyond the bound is refused before it is read', async t => {
    const answer = await put(Buffer.alloc(6 * 1024 * 1024), 'image/png')
    t.match(answer, { status: 413, body: { code: 'body-too-large', detail: 'An image has at most 5 MB.' } })
  })
  await t.test('of a hundred million pixels is refused from its header', async t => {
    const bomb = invalid(/25 million pixels/)
    t.match(await put(await plain(10_000).png().toBuffer(), 'image/png'), bomb, 'a real one')
    t.match(await put(await hollowPng(10_000, 10_000), 'image/png'), bomb, 'a small one')
    t.match(await put(await hollowPng(2_147_483_647, 2_147_483_647), 'image/png'), { status: 422 })
  })
  await t.test('that is damaged or cut off is refused', async t => {
    for (const [type, bytes] of [
      ['image/jpeg', await plain(200).jpeg().toBuffer()],
      ['image/png', await plain(200).png().toBuffer()],
      ['image/webp', await plain(200).webp().toBuffer()],
      ['image/gif', await plain(200).gif().toBuffer()],
    ] as const)
      t.match(await put(bytes.subarray(0, bytes.length / 2), type), invalid(/damaged or cut off/), type)
  })
  await t.test('and is something else as well comes out clean', async t => {
    const script = '<script>alert(1)</script>'
    const jpeg = Buffer.concat([await plain(30).jpeg().toBuffer(), Buffer.from(`PK\u0003\u0004${script}`)])
    const commented = await plain(30)
      .withExif({ IFD0: { ImageDescription: script, Copyright: script } })
      .png()
      .toBuffer()
    for (const [bytes, type] of [
      [jpeg, 'image/jpeg'],
      [commented, 'image/png'],
    ] as const) {
      t.ok(bytes.includes('<script>'))
      t.equal((await put(bytes, type)).status, 204)
      t.notOk((await kept()).includes('<script>'))
    }
  })
  await t.test('loses its metadata and stands upright', async t => {
    const located = await plain(40, 20)
      .withExif({ IFD0: { Make: 'Camera' }, IFD3: { GPSLatitude: '48/1 8/1 0/1', GPSLatitudeRef: 'N' } })
      .withMetadata({ orientation: 6 })
      .withIccProfile('p3')
      .jpeg()
      .toBuffer()
    const before = await sharp(located).metadata()
    t.ok(before.exif !== undefined && before.icc !== undefined && before.orientation === 6)
    t.equal((await put(located, 'image/jpeg')).status, 204)
    const png = await kept()
    const { exif, icc, xmp, orientation, width, height } = await sharp(png).metadata()
    t.same({ exif, icc, xmp, orientation }, { exif: undefined, icc: undefined, xmp: undefined, orientation: undefined })
    t.same([width, height], [20, 40])
    t.notMatch(png.toString('latin1'), /eXIf|iCCP|tEXt|iTXt|zTXt/)
  })
  await t.test('of many frames, deep colours or inks is one picture in plain colours', async t => {
    const frames = Buffer.concat([Buffer.alloc(300, 10), Buffer.alloc(300, 240)])
    const animated = await sharp(frames, { raw: { width: 10, height: 20, channels: 3, pageHeight: 10 } as never })
      .gif()
      .toBuffer()
    t.equal((await sharp(animated).metadata()).pages, 2)
    const inks = await plain(10).toColourspace('cmyk').jpeg().toBuffer()
    const deep = await plain(10).toColourspace('rgb16').png().toBuffer()
    for (const [bytes, type] of [
      [animated, 'image/gif'],
      [inks, 'image/jpeg'],
      [deep, 'image/png'],
    ] as const) {
      t.equal((await put(bytes, type)).status, 204, type)
      t.match(await sharp(await kept()).metadata(), { width: 10, height: 10, space: 'srgb', depth: 'uchar' }, type)
    }
  })
  await t.test('of one pixel stays one pixel', async t => {
    t.equal((await put(await plain(1).png().toBuffer(), 'image/png')).status, 204)
    t.match(await sharp(await kept()).metadata(), { width: 1, height: 1 })
  })
})

t.test('a store that fails', async t => {
  const who = await cast.addActor(company)
  const bytes = await plain(2).png().toBuffer()
  await send(who, own(who), bytes)
  const { storage } = deps.images
  if (storage === undefined) throw new Error('There is a store in this test.')
  const away = { put: storage.put, get: storage.get, remove: storage.remove }
  t.teardown(() => Object.assign(storage, away))

  await t.test('answers 503 and loses nothing', async t => {
    const fail = () => Promise.reject(new Error('away'))
    Object.assign(storage, { put: fail, get: fail, remove: fail })
    const unavailable = { status: 503, headers: { 'retry-after': '5' }, body: { code: 'storage-unavailable' } }
    t.match(await send(who, own(who), bytes), unavailable)
    t.match(await call(who, 'GET', own(who)), unavailable)
    t.equal((await call(who, 'DELETE', own(who))).status, 204, 'taking away needs no store')
    await letTimePass()
    await t.rejects(collectImages(deps), /away/)
    Object.assign(storage, away)
    t.ok((await collectImages(deps)) >= 2, 'and what is no longer used goes when it is back')
    t.equal((await send(who, own(who), bytes)).status, 204)
  })
  await t.test('that has lost an image says that there is none', async t => {
    const [, key = ''] = /"(.*)"/.exec(String((await fetchImage(who, own(who))).headers['etag'])) ?? []
    t.ok(readFileSync(join(folder, `${key}.png`)).length > 0)
    rmSync(join(folder, `${key}.png`))
    t.match(await call(who, 'GET', own(who)), { status: 404, body: { code: 'image-not-found' } })
  })
})

t.test('without a store every route says that images are off', async t => {
  const off = await createWorld(t, { storage: undefined })
  const who = await off.cast.addActor(off.company)
  const answers = [
    await off.call(who, 'GET', own(who)),
    await off.call(who, 'DELETE', own(who)),
    await off.call(who, 'PUT', own(who), await plain(1).png().toBuffer(), { 'content-type': 'image/png' }),
  ]
  for (const answer of answers) t.match(answer, { status: 503, body: { code: 'storage-off' } })
})
