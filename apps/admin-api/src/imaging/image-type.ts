/** What an image is, its first bytes say: a header or a name may say anything (THREATS I-07). */

export const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/bmp', 'image/webp'] as const
export type ImageType = (typeof imageTypes)[number]

const signatures: readonly (readonly [type: ImageType, signature: RegExp])[] = [
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/png', /^\x89PNG\r\n/],
  ['image/gif', /^GIF8[79]a/],
  ['image/bmp', /^BM/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
]

export function findImageType(bytes: Uint8Array): ImageType | undefined {
  const start = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  return signatures.find(([, signature]) => signature.test(start))?.[0]
}
