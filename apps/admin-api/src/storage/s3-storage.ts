/**
 * Images in a bucket of Amazon S3 or of what speaks like it: path-style addresses, requests signed by SigV4 with the hash of their
 * body, one limit on each of them, and no redirect followed.
 */
import { createHash } from 'node:crypto'
import { AwsClient } from 'aws4fetch'
import { assertKey, type ImageStorage, tryOut } from './storage.ts'

export interface S3Options {
  /** Without a slash at the end. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** For one request, from the connection to the last byte. */
  readonly timeoutMs?: number
}

/** Ours are 512 pixels a side: this much of them is more than all. */
const largestObjectBytes = 4 * 1024 * 1024
const mediaType = 'image/png'

export function createS3Storage({ endpoint, bucket, timeoutMs = 5_000, ...credentials }: S3Options): ImageStorage {
  const client = new AwsClient({ ...credentials, service: 's3', retries: 0 })

  async function send(method: 'GET' | 'PUT' | 'DELETE', key: string, body?: Uint8Array): Promise<Response> {
    assertKey(key)
    const signal = AbortSignal.timeout(timeoutMs)
    const signed = await client.sign(`${endpoint}/${bucket}/${key}.png`, {
      method,
      headers: {
        'x-amz-content-sha256': createHash('sha256')
          .update(body ?? '')
          .digest('hex'),
        ...(body === undefined ? {} : { 'content-type': mediaType }),
      },
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    })
    return fetch(signed, { redirect: 'error', signal })
  }

  /** @param missing whether 404 is an answer like another: there is a bucket without the object */
  async function assertDone(answer: Response, missing: boolean): Promise<void> {
    if (answer.ok || (missing && answer.status === 404)) return answer.body?.cancel()
    await answer.body?.cancel()
    throw refusal(answer)
  }

  const put = async (key: string, png: Uint8Array) => assertDone(await send('PUT', key, png), false)
  const remove = async (key: string) => assertDone(await send('DELETE', key), true)

  async function get(key: string): Promise<Uint8Array | undefined> {
    const answer = await send('GET', key)
    if (answer.ok) return readBounded(answer)
    await answer.body?.cancel()
    if (answer.status === 404) return undefined
    throw refusal(answer)
  }

  return { put, get, remove, check: () => tryOut({ put, get, remove }) }
}

/** Of the answer nothing but its number: it may repeat what was sent. */
function refusal({ status }: Response): Error {
  return new Error(`The image store answered ${status}.`)
}

async function readBounded(answer: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of answer.body ?? []) {
    length += part.length
    if (length > largestObjectBytes) throw new Error('The image store answered with more than an image of ours.')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
