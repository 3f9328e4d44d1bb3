/**
 * Reads the bitmaps that are in use: 24 and 32 bits a pixel, not compressed, from the bottom up or from the top down. Everything
 * that a header says is held against the bytes that are there before any of them is read.
 */
import { problem } from '@signet/kernel'

export interface Pixels {
  readonly width: number
  readonly height: number
  /** 3 is RGB, 4 is RGBA; row by row from the top. */
  readonly channels: 3 | 4
  readonly data: Buffer
}

const fileHeaderBytes = 14
const infoHeaderBytes = 40
const masksEnd = fileHeaderBytes + infoHeaderBytes + 16
const uncompressed = 0
const bitFields = 3

/** @throws Problem `invalid-image` that says what is not read here */
export function decodeBmp(file: Buffer, mostPixels: number): Pixels {
  if (file.length < fileHeaderBytes + infoHeaderBytes) throw refused('It ends within its header.')
  const headerBytes = file.readUInt32LE(14)
  const width = file.readInt32LE(18)
  const signedHeight = file.readInt32LE(22)
  const height = Math.abs(signedHeight)
  const bits = file.readUInt16LE(28)
  const compression = file.readUInt32LE(30)
  if (headerBytes < infoHeaderBytes) throw refused('A bitmap of OS/2 is not read here.')
  if (bits !== 24 && bits !== 32) throw refused(`A bitmap of ${bits} bits a pixel is not read here: send 24 or 32.`)
  if (width <= 0 || height === 0) throw refused('It has no width or no height.')
  if (width * height > mostPixels) throw refused(`It has more than ${mostPixels / 1_000_000} million pixels.`)
  const hasMasks = bits === 32 && compression === bitFields
  if (compression !== uncompressed && !hasMasks) throw refused('A compressed bitmap is not read here.')
  const hasAlpha = hasMasks && assertMasks(file, headerBytes)

  const from = file.readUInt32LE(10)
  const pixelBytes = bits / 8
  // A row is filled up to a multiple of four bytes.
  const rowBytes = Math.ceil((width * pixelBytes) / 4) * 4
  if (from < fileHeaderBytes + infoHeaderBytes || from + rowBytes * height > file.length)
    throw refused('It ends before its last pixel.')

  const channels = hasAlpha ? 4 : 3
  const data = Buffer.allocUnsafe(width * height * channels)
  let to = 0
  for (let row = 0; row < height; row++) {
    let at = from + rowBytes * (signedHeight < 0 ? row : height - 1 - row)
    for (let column = 0; column < width; column++) {
      data[to] = file[at + 2] as number
      data[to + 1] = file[at + 1] as number
      data[to + 2] = file[at] as number
      if (hasAlpha) data[to + 3] = file[at + 3] as number
      to += channels
      at += pixelBytes
    }
  }
  return { width, height, channels, data }
}

/** Blue, green, red, one byte each; gives whether the fourth is alpha. In a header of 40 bytes three masks follow it. */
function assertMasks(file: Buffer, headerBytes: number): boolean {
  if (file.length < masksEnd) throw refused('It ends within its header.')
  const [red, green, blue, alpha] = [54, 58, 62, 66].map(at => file.readUInt32LE(at))
  if (red !== 0xff_00_00 || green !== 0xff_00 || blue !== 0xff)
    throw refused('A bitmap with colours in another order than blue, green, red is not read here.')
  return headerBytes >= 56 && alpha === 0xff_00_00_00
}

function refused(why: string) {
  return problem('invalid-image', why)
}
