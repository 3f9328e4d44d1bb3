import { type App, problemResponses } from '@signet/http'
import { problem, type TenantId, type UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { type Caller, callerOf } from '../../wire/caller.ts'
import { imageTypes } from '../../imaging/image-type.ts'
import { avatarOf, type ImageOwner, logoOf } from './owners.ts'
import { ImageCondition, ImageParams, ImagePrecondition, SentImage, ServedImage } from './schema.ts'
import { putImage, readImage, removeImage } from './service.ts'

const config = { access: {} }
const tags = ['Images']
const Done = Type.Null({ description: 'Done' })
const bytesPerMegabyte = 1024 * 1024

export async function serveImages(app: App, deps: Deps): Promise<void> {
  const owners = [avatarRoutes(deps), logoRoutes]
  for (const owner of owners) serveImage(app, deps, owner)
  await app.register(async scope => {
    readImageBodies(scope, deps.images.maxMegabytes)
    for (const owner of owners) takeImage(scope, deps, owner)
  })
}

/** Here a body is an image and nothing else, and may be larger than elsewhere. */
function readImageBodies(scope: App, maxMegabytes: number): void {
  scope.removeAllContentTypeParsers()
  const options = { parseAs: 'buffer', bodyLimit: maxMegabytes * bytesPerMegabyte } as const
  scope.addContentTypeParser<Buffer>([...imageTypes], options, (_request, body, done) => done(null, body))
  scope.setErrorHandler((error: Error & { readonly code?: string }) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
      throw problem('body-too-large', `An image has at most ${maxMegabytes} MB.`)
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') throw notAnImage()
    throw error
  })
}

interface OwnerRoutes {
  readonly path: `/${string}/:id/${string}`
  /** In the ids of the operations. */
  readonly name: string
  readonly notFound: 'user-not-found' | 'tenant-not-found'
  readonly ownerOf: (caller: Caller, id: string) => Promise<ImageOwner>
  readonly title: string
  readonly toRead: string
  readonly toChange: string
}

function avatarRoutes(deps: Deps): OwnerRoutes {
  return {
    path: '/users/:id/avatar',
    name: 'Avatar',
    notFound: 'user-not-found',
    ownerOf: (caller, id) => avatarOf(deps, caller, id as UserId),
    title: 'the picture of a person',
    toRead: 'The person themself, or whoever holds `users:read`.',
    toChange: 'The person themself, or whoever holds `users:modify` and all that the person holds.',
  }
}

const logoRoutes: OwnerRoutes = {
  path: '/tenants/:id/logo',
  name: 'Logo',
  notFound: 'tenant-not-found',
  ownerOf: async (caller, id) => logoOf(caller, id as TenantId),
  title: 'the logo of a tenant',
  toRead: "One's own tenant's. Needs `tenants:read`.",
  toChange: "One's own tenant's. Needs `tenants:modify`.",
}

function serveImage(
  app: App,
  deps: Deps,
  { path, name, notFound, ownerOf, title, toRead, toChange }: OwnerRoutes,
): void {
  app.get(
    path,
    {
      config,
      schema: {
        operationId: `read${name}`,
        tags,
        summary: `Read ${title}`,
        description: `A PNG of at most 512 pixels a side. ${toRead}`,
        params: ImageParams,
        headers: ImageCondition,
        response: {
          200: ServedImage,
          304: Type.Null({ description: 'It is the one at hand' }),
          ...problemResponses(400, 401, 403, notFound, 'image-not-found', 503, 'storage-off', 'storage-unavailable'),
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const isAtHand = (etag: string) => namesTag(request.headers['if-none-match'], etag)
      const { etag, png } = await readImage(deps, caller, await ownerOf(caller, request.params.id), isAtHand)
      // Whoever may read it may lose that: it is asked for again each time, and mostly not sent again.
      reply.header('etag', etag).header('cache-control', 'private, no-cache')
      if (png === undefined) return reply.code(304).send(null)
      return reply
        .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'; sandbox")
        .type('image/png')
        .send(Buffer.from(png))
    },
  )

  app.delete(
    path,
    {
      config,
      schema: {
        operationId: `remove${name}`,
        tags,
        summary: `Take away ${title}`,
        description: toChange,
        params: ImageParams,
        headers: ImagePrecondition,
        response: {
          204: Done,
          ...problemResponses(
            400,
            401,
            403,
            notFound,
            'image-not-found',
            412,
            503,
            'storage-off',
            'storage-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      await removeImage(deps, caller, await ownerOf(caller, request.params.id), request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )
}

function takeImage(scope: App, deps: Deps, { path, name, notFound, ownerOf, title, toChange }: OwnerRoutes): void {
  scope.put(
    path,
    {
      config,
      schema: {
        operationId: `put${name}`,
        tags,
        summary: `Set ${title}`,
        description:
          'The body is the image itself: jpeg, png, gif, bmp or webp, up to `MAX_AVATAR_SIZE_MB` and 25 million pixels. What is ' +
          `kept is its first frame as a PNG without metadata. ${toChange}`,
        params: ImageParams,
        headers: ImagePrecondition,
        body: SentImage,
        response: {
          204: Done,
          ...problemResponses(
            400,
            401,
            403,
            notFound,
            412,
            413,
            415,
            'invalid-image',
            503,
            'images-busy',
            'storage-off',
            'storage-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const { body, headers, params } = request
      const type = imageTypes.find(each => each === headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase())
      if (!Buffer.isBuffer(body) || type === undefined) throw notAnImage()
      const caller = callerOf(request)
      const sent = { bytes: body, type, ifMatch: headers['if-match'] }
      const etag = await putImage(deps, caller, await ownerOf(caller, params.id), sent)
      return reply.header('etag', etag).code(204).send(null)
    },
  )
}

/** The weak comparison of RFC 9110 section 13.1.2. */
function namesTag(header: string | undefined, etag: string): boolean {
  const given = (header ?? '').split(',').map(tag => tag.trim().replace(/^W\//, ''))
  return given.includes(etag) || given.includes('*')
}

function notAnImage() {
  return problem('unsupported-media-type', `Send one of ${imageTypes.join(', ')}.`)
}
