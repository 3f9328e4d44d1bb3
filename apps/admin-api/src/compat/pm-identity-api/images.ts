/** Pictures of people and logos of companies, sent as a field of a form. */
import multipart from '@fastify/multipart'
import { type App, IdText, messageResponses } from '@signet/http'
import { problem, Problem, type TenantId, type UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { findImageType } from '../../imaging/image-type.ts'
import { actAs } from '../../modules/actors/index.ts'
import { avatarOf, type ImageOwner, logoOf, putImage, readImage, removeImage } from '../../modules/images/index.ts'
import { type Caller, callerOf } from '../../wire/caller.ts'
import { Gone, IdParams } from './lists.ts'
import { config, describeRoute } from './route-options.ts'

interface Picture {
  readonly path: '/users/:id/avatar' | '/companies/:id/logo'
  /** The field of the form, and the word in the answers. */
  readonly field: 'avatar' | 'logo'
  readonly native: string
  readonly ownerOf: (caller: Caller, id: string) => Promise<ImageOwner>
  /** Throws for whoever does not change this one, beside the rule of the native route. */
  readonly assertMayChange: (caller: Caller, id: string) => void
  readonly missing: string
}

const bytesPerMegabyte = 1024 * 1024

export async function serveImages(scope: App, deps: Deps): Promise<void> {
  const pictures: readonly Picture[] = [
    {
      path: '/users/:id/avatar',
      field: 'avatar',
      native: '/admin/v1/users/{id}/avatar',
      ownerOf: (caller, id) => avatarOf(deps, caller, id as UserId),
      // The document: only the user themselves.
      assertMayChange: (caller, id) => {
        if (caller.userId !== id) throw problem('forbidden', "Access denied: cannot manage other user's avatar")
      },
      missing: 'User has no avatar',
    },
    {
      path: '/companies/:id/logo',
      field: 'logo',
      native: '/admin/v1/tenants/{id}/logo',
      ownerOf: async (caller, id) => logoOf(caller, id as TenantId),
      assertMayChange: () => undefined,
      missing: 'Company has no logo',
    },
  ]
  await scope.register(async forms => {
    const limits = { fileSize: deps.images.maxMegabytes * bytesPerMegabyte, files: 1, fields: 20, parts: 21 }
    await forms.register(multipart, { limits })
    for (const picture of pictures) takePicture(forms, deps, picture)
  })
  for (const picture of pictures) servePicture(scope, deps, picture)
}

function takePicture(scope: App, deps: Deps, picture: Picture): void {
  const { path, field, native, ownerOf, assertMayChange } = picture
  const name = field === 'avatar' ? 'Avatar' : 'Logo'
  scope.post(
    path,
    {
      config,
      schema: describeRoute(
        {
          operationId: `uploadIdentity${name}`,
          summary: `Upload the ${field}`,
          description: `multipart/form-data with the image in the field \`${field}\`: jpeg, png, gif, bmp or webp, up to \`MAX_AVATAR_SIZE_MB\`. Instead: PUT ${native}.`,
        },
        { params: IdParams },
        { 201: Uploaded },
        404,
        413,
      ),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { id } = request.params
      assertMayChange(caller, id)
      const owner = await ownerOf(caller, id)
      // Whoever may not is sent away before their file is read.
      await actAs(deps, caller, owner.toChange, owner.lock, owner.scope)
      if (deps.images.storage === undefined) throw problem('storage-off')
      const bytes = await readField(request, field, deps.images.maxMegabytes)
      const type = findImageType(bytes)
      if (type === undefined) throw problem('invalid-image')
      const etag = await putImage(deps, caller, owner, { bytes, type, ifMatch: undefined })
      const fileId = etag.replaceAll('"', '')
      const message = `${name} uploaded successfully`
      return reply.code(201).send({ message, file_id: fileId, [`${field}_file_id`]: fileId, [`has_${field}`]: true })
    },
  )
}

const Uploaded = Type.Object(
  { message: Type.String({ examples: ['Avatar uploaded successfully'] }), file_id: IdText },
  { additionalProperties: true },
)

interface FormRequest {
  isMultipart(): boolean
  file(): Promise<{ readonly fieldname: string; toBuffer(): Promise<Buffer> } | undefined>
}

/** @throws Problem `invalid-input` without the file, `body-too-large` */
async function readField(request: FormRequest, field: Picture['field'], maxMegabytes: number): Promise<Buffer> {
  const part = request.isMultipart() ? await request.file() : undefined
  if (part?.fieldname !== field) throw problem('invalid-input', `No ${field} file provided`)
  try {
    return await part.toBuffer()
  } catch (error) {
    if ((error as { code?: string }).code !== 'FST_REQ_FILE_TOO_LARGE') throw error
    throw problem('body-too-large', `An image has at most ${maxMegabytes} MB.`)
  }
}

function servePicture(scope: App, deps: Deps, picture: Picture): void {
  const { path, field, native, ownerOf, assertMayChange, missing } = picture
  const name = field === 'avatar' ? 'Avatar' : 'Logo'
  scope.get(
    path,
    {
      config,
      schema: {
        tags: ['pm-identity-api'],
        operationId: `downloadIdentity${name}`,
        summary: `Download the ${field}`,
        description: `A PNG of at most 512 pixels a side. Instead: GET ${native}.`,
        params: IdParams,
        response: {
          200: {
            description: 'The image',
            content: { 'image/png': { schema: Type.Unsafe<Buffer>({ contentMediaType: 'image/png' }) } },
          },
          ...messageResponses(400, 401, 403, 404, 503),
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const owner = await ownerOf(caller, request.params.id)
      const { etag, png } = await orMissing(
        missing,
        readImage(deps, caller, owner, () => false),
      )
      return reply
        .headers({ etag, 'cache-control': 'private, no-cache' })
        .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'; sandbox")
        .type('image/png')
        .send(Buffer.from(png ?? []))
    },
  )

  scope.delete(
    path,
    {
      config,
      schema: describeRoute(
        {
          operationId: `deleteIdentity${name}`,
          summary: `Delete the ${field}`,
          description: `Instead: DELETE ${native}.`,
        },
        { params: IdParams },
        { 204: Gone },
        404,
      ),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { id } = request.params
      assertMayChange(caller, id)
      await orMissing(missing, removeImage(deps, caller, await ownerOf(caller, id), undefined))
      return reply.code(204).send(null)
    },
  )
}

/** Says that there is no image in the words of this system. */
function orMissing<T>(message: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof Problem && error.code === 'image-not-found' ? problem('image-not-found', message) : error
  })
}
