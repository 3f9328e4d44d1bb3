/**
 * A bucket in memory behind HTTP. It checks each request's signature as the specification of AWS Signature Version 4 says it is made,
 * with nothing of the client that made it.
 */
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'

export interface S3Server {
  readonly endpoint: string
  readonly objects: Map<string, Buffer>
  /** What it answers instead of what it should. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
}

export const s3Credentials = { region: 'eu-central-1', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not/a+secret' }

export async function startS3(t: Test, bucket: string): Promise<S3Server> {
  const objects = new Map<string, Buffer>()
  const server = createServer((request, response) => {
    void serve(request, response)
  })
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    if (s3.answer !== undefined) return s3.answer(request, response)
    const fault = findFault(request, body)
    if (fault !== undefined) return void response.writeHead(403).end(fault)
    const path = request.url ?? ''
    if (!path.startsWith(`/${bucket}/`)) return void response.writeHead(404).end('NoSuchBucket')
    const found = objects.get(path)
    if (request.method === 'PUT') objects.set(path, body)
    if (request.method === 'DELETE') objects.delete(path)
    if (request.method === 'GET' && found === undefined) return void response.writeHead(404).end('NoSuchKey')
    response.writeHead(request.method === 'DELETE' ? 204 : 200).end(request.method === 'GET' ? found : undefined)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const s3: S3Server = { endpoint: `http://127.0.0.1:${port}`, objects, answer: undefined }
  return s3
}

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer | string, data: string) => createHmac('sha256', key).update(data).digest()

/** See "Create a signed AWS API request" in the IAM guide. */
function findFault({ method, url = '', headers }: IncomingMessage, body: Buffer): string | undefined {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/
  const [, id, date = '', region = '', signed = '', signature] = form.exec(headers.authorization ?? '') ?? []
  if (id !== s3Credentials.accessKeyId || region !== s3Credentials.region) return 'InvalidAccessKeyId'
  if (headers['x-amz-content-sha256'] !== sha256(body)) return 'XAmzContentSHA256Mismatch'
  const names = signed.split(';')
  for (const name of ['host', 'x-amz-content-sha256', 'x-amz-date'])
    if (!names.includes(name)) return `${name} unsigned`
  const canonicalHeaders = names.map(name => `${name}:${String(headers[name]).trim()}\n`).join('')
  const canonical = [method, url, '', canonicalHeaders, signed, sha256(body)].join('\n')
  const moment = String(headers['x-amz-date'])
  if (Math.abs(Date.now() - Date.parse(moment.replace(/(....)(..)(..T..)(..)(..)/, '$1-$2-$3:$4:$5'))) > 900_000)
    return 'RequestTimeTooSkewed'
  const text = ['AWS4-HMAC-SHA256', moment, `${date}/${region}/s3/aws4_request`, sha256(canonical)].join('\n')
  const key = ['s3', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${s3Credentials.secretAccessKey}`, date), region))
  return hmac(key, text).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch'
}
