import { Problem } from '@signet/kernel'
import t, { type Test } from 'tap'
import { decodeBmp } from '../src/imaging/bmp.ts'
import { bitmap } from './pictures.ts'

const [red, green, blue] = [
  [255, 0, 0, 255],
  [0, 255, 0, 255],
  [0, 0, 255, 128],
]
const pixels = [
  [red, green, blue],
  [blue, red, green],
] as const
const rgb = pixels.flat().flatMap(pixel => pixel.slice(0, 3))
const rgba = pixels.flat(2)
const mostPixels = 1_000_000
const masks = [0xff_00_00, 0xff_00, 0xff, 0xff_00_00_00]

function refused(t: Test, file: Buffer, why: RegExp) {
  t.throws(() => decodeBmp(file, mostPixels), { code: 'invalid-image', detail: why })
}

t.test('a bitmap', async t => {
  await t.test('of 24 and 32 bits is read from the bottom up and from the top down', async t => {
    for (const bits of [24, 32])
      for (const isTopDown of [false, true]) {
        const read = decodeBmp(bitmap(pixels, { bits, isTopDown }), mostPixels)
        t.match(read, { width: 3, height: 2, channels: 3 }, `${bits} bits`)
        t.same([...read.data], rgb)
      }
  })
  await t.test('has alpha where its header names it', async t => {
    const options = { bits: 32, compression: 3, headerBytes: 108, masks }
    const read = decodeBmp(bitmap(pixels, options), mostPixels)
    t.equal(read.channels, 4)
    t.same([...read.data], rgba)
    const short = decodeBmp(bitmap(pixels, { ...options, headerBytes: 40 }), mostPixels)
    t.equal(short.channels, 3, 'three masks behind a short header name none')
  })
  await t.test('of another kind is refused, saying so', async t => {
    for (const bits of [1, 4, 8, 16]) refused(t, bitmap([[[]]], { bits }), new RegExp(`${bits} bits`))
    refused(t, bitmap(pixels, { compression: 1 }), /compressed/)
    refused(t, bitmap(pixels, { compression: 3 }), /compressed/)
    refused(t, bitmap(pixels, { headerBytes: 12 }), /OS\/2/)
    const swapped = [0xff, 0xff_00, 0xff_00_00, 0]
    refused(t, bitmap(pixels, { bits: 32, compression: 3, headerBytes: 108, masks: swapped }), /order/)
  })
})

t.test('I-07 a bitmap that says more than there is', async t => {
  const whole = bitmap(pixels)
  await t.test('is refused at whatever byte it ends', async t => {
    for (let length = 0; length < whole.length; length++) refused(t, whole.subarray(0, length), /ends/)
    t.ok(decodeBmp(whole, mostPixels))
  })
  await t.test('is refused with a size that is none, or too large', async t => {
    for (const [at, value, why] of [
      [18, 0, /no width/],
      [18, -3, /no width/],
      [18, 2_147_483_647, /million pixels/],
      [22, 0, /no width/],
      [22, -2_147_483_648, /million pixels/],
      [22, 1_000, /ends/],
      [10, 0, /ends/],
      [10, -1, /ends/],
    ] as const) {
      const file = Buffer.from(whole)
      file.writeInt32LE(value, at)
      refused(t, file, why)
    }
  })
  await t.test('is read or refused, whichever byte of its header is wrong, and never past its end', async t => {
    for (let at = 0; at < 54; at++)
      for (const value of [0, 1, 127, 128, 255]) {
        const file = Buffer.from(whole)
        file[at] = value
        try {
          const { width, height, channels, data } = decodeBmp(file, mostPixels)
          t.equal(data.length, width * height * channels)
        } catch (error) {
          t.ok(error instanceof Problem && error.code === 'invalid-image', `${at}: ${value}`)
        }
      }
  })
})
