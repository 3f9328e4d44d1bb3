/**
 * Whatever was sent becomes a PNG of our own making: the first frame, upright, at most 512 pixels a side, in sRGB, and nothing else
 * of the file: no metadata, no colour profile, nothing behind the image (THREATS I-07). One conversion runs at a time.
 */
import { Problem, problem } from '@signet/kernel'
import type { Sharp, SharpOptions } from 'sharp'
import { decodeBmp } from './bmp.ts'
import { type ImageType, findImageType } from './image-type.ts'
import { createLane } from './lane.ts'

/** @throws Problem `invalid-image`, `unsupported-media-type` for bytes of another type than was said, `images-busy` */
export type ImageConverter = (bytes: Buffer, saidToBe: ImageType) => Promise<Buffer>

const mostPixelsASide = 512
/** More than phones send; four bytes each of them is what a conversion may cost. Told from the header, before anything is decoded. */
const mostPixels = 25_000_000
const longestSeconds = 10
const queueLimit = 8
const retryAfterSeconds = 2

export function createImageConverter(): ImageConverter {
  const busy = () => problem('images-busy', undefined, { retryAfterSeconds })
  const inLane = createLane({ maxConcurrent: 1, queueLimit, busy })
  return (bytes, saidToBe) => {
    const type = findImageType(bytes)
    if (type === undefined) return Promise.reject(problem('invalid-image'))
    if (type !== saidToBe) {
      const detail = `It was sent as ${saidToBe}, and it is ${type}.`
      return Promise.reject(problem('unsupported-media-type', detail))
    }
    return inLane(() => convert(bytes, type))
  }
}

async function convert(bytes: Buffer, type: ImageType): Promise<Buffer> {
  const open = await loadSharp()
  const options = { limitInputPixels: mostPixels, failOn: 'error', pages: 1, autoOrient: true } as const
  try {
    return await openImage(open, bytes, type, options)
      .resize({ width: mostPixelsASide, height: mostPixelsASide, fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .png()
      .timeout({ seconds: longestSeconds })
      .toBuffer()
  } catch (error) {
    throw describeFailure(error, type)
  }
}

function openImage(open: Open, bytes: Buffer, type: ImageType, options: SharpOptions): Sharp {
  if (type !== 'image/bmp') return open(bytes, options)
  const { data, ...raw } = decodeBmp(bytes, mostPixels)
  return open(data, { raw })
}

type Open = (bytes: Buffer, options: SharpOptions) => Sharp
let loaded: Promise<Open> | undefined

/** Not before somebody sends an image: it costs thirty megabytes. */
function loadSharp(): Promise<Open> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false)
    sharp.concurrency(1)
    // Of all that the library reads, nothing but what is taken here: no SVG, no TIFF, no file by its name.
    sharp.block({ operation: ['VipsForeignLoad'] })
    sharp.unblock({
      operation: [
        'VipsForeignLoadJpegBuffer',
        'VipsForeignLoadPngBuffer',
        'VipsForeignLoadNsgifBuffer',
        'VipsForeignLoadWebpBuffer',
      ],
    })
    return sharp
  })
  return loaded
}

function describeFailure(error: unknown, type: ImageType): Problem {
  if (error instanceof Problem) return error
  const message = String(error)
  const why = /pixel limit/.test(message)
    ? `It has more than ${mostPixels / 1_000_000} million pixels.`
    : /timeout/.test(message)
      ? 'It takes too long to read.'
      : `It cannot be read as ${type}: it is damaged or cut off.`
  return problem('invalid-image', why, { cause: error })
}
