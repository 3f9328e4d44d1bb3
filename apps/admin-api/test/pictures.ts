/** Images for tests, made on the spot. */
import sharp from 'sharp'

/** A plain image of one colour. */
export function plain(width: number, height = width) {
  return sharp({ create: { width, height, channels: 3, background: '#c83214' } })
}

export interface BitmapOptions {
  readonly bits?: number
  /** From the top down: the height is negative. */
  readonly isTopDown?: boolean
  readonly compression?: number
  readonly headerBytes?: number
  readonly masks?: readonly number[]
}

/** A bitmap by hand. `pixels` are rows from the top, each pixel [red, green, blue, alpha]. */
export function bitmap(
  pixels: readonly (readonly (readonly number[])[])[],
  { bits = 24, isTopDown = false, compression = 0, headerBytes = 40, masks = [] }: BitmapOptions = {},
): Buffer {
  const [height, width] = [pixels.length, pixels[0]?.length ?? 0]
  const from = 14 + Math.max(headerBytes, 40 + masks.length * 4)
  const rowBytes = Math.ceil((width * bits) / 32) * 4
  const file = Buffer.alloc(from + rowBytes * height)
  file.write('BM')
  file.writeUInt32LE(file.length, 2)
  file.writeUInt32LE(from, 10)
  file.writeUInt32LE(headerBytes, 14)
  file.writeInt32LE(width, 18)
  file.writeInt32LE(isTopDown ? -height : height, 22)
  file.writeUInt16LE(1, 26)
  file.writeUInt16LE(bits, 28)
  file.writeUInt32LE(compression, 30)
  for (const [index, mask] of masks.entries()) file.writeUInt32LE(mask, 54 + index * 4)
  const rows = isTopDown ? pixels : pixels.toReversed()
  for (const [row, line] of rows.entries()) {
    for (const [column, [red = 0, green = 0, blue = 0, alpha = 255]] of line.entries()) {
      const at = from + row * rowBytes + (column * bits) / 8
      file.set(bits === 32 ? [blue, green, red, alpha] : [blue, green, red], at)
    }
  }
  return file
}

/** A PNG that says to be of this size and holds next to nothing. */
export function hollowPng(width: number, height: number): Promise<Buffer> {
  return plain(1)
    .png()
    .toBuffer()
    .then(png => {
      png.writeUInt32BE(width, 16)
      png.writeUInt32BE(height, 20)
      png.writeUInt32BE(crc32(png.subarray(12, 29)), 29)
      return png
    })
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xed_b8_83_20 : 0)
  }
  return ~crc >>> 0
}
