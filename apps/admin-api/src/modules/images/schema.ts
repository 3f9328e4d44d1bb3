import { IdText, strictObject } from '@signet/http'
import { Type } from 'typebox'
import { imageTypes } from '../../imaging/image-type.ts'

export const ImageParams = strictObject({ id: IdText })

/** Bytes have a media type and no schema. */
const bytesOf = (contentMediaType: string) => ({ schema: Type.Unsafe<Buffer>({ contentMediaType }) })

export const SentImage = { content: Object.fromEntries(imageTypes.map(type => [type, bytesOf(type)])) }
export const ServedImage = { description: 'The image', content: { 'image/png': bytesOf('image/png') } }

/** Of the image, not of whom it shows. Other headers pass. */
export const ImagePrecondition = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      description: 'The ETag of the image as it was read',
      examples: ['"0198a0c0-0000-7000-8000-000000000001"'],
    }),
  ),
})
export const ImageCondition = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({
      description: 'The ETag of the image that is at hand: 304 when it is still that one',
      examples: ['"0198a0c0-0000-7000-8000-000000000001"'],
    }),
  ),
})
