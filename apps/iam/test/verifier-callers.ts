/** What a verifier does to the issuer, in tests: reads lists and bundles with jose, and listens to events on a real socket. */
import { connect, type Socket } from 'node:net'
import { gunzipSync, inflateSync } from 'node:zlib'
import type { TestScope } from '@signet/testkit'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { issuer, type TestApp } from './test-app.ts'

/** Waits for something that comes by itself. */
export async function until(isSo: () => boolean | Promise<boolean>, what = 'it'): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`Within twenty seconds ${what} did not happen.`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

export interface ReadList {
  readonly status: number
  readonly etag: string
  readonly bytes: number
  // oxlint-disable-next-line typescript/no-explicit-any -- a test compares every member it reads
  readonly payload: any
  readonly header: object
  readonly token: string
  isSet(index: number): boolean
  count(): number
}

/** A list as a verifier reads it: gzip, signature, claims, bits. */
export async function readList(a: TestApp, uri: string): Promise<ReadList> {
  const answer = await a.app.inject({ url: new URL(uri).pathname, headers: { 'accept-encoding': 'gzip' } })
  if (answer.statusCode !== 200) throw new Error(`The list answered ${answer.body}`)
  const token = gunzipSync(answer.rawPayload).toString()
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(a.signingKeys.keySet() as never), {
    issuer,
    subject: uri,
    typ: 'statuslist+jwt',
    algorithms: ['RS256'],
    currentDate: new Date(a.clock.nowMs()),
  })
  const { lst } = payload['status_list'] as { lst: string }
  const bits = inflateSync(Buffer.from(lst, 'base64url'))
  return {
    status: answer.statusCode,
    etag: String(answer.headers['etag']),
    bytes: answer.rawPayload.length,
    payload,
    header: protectedHeader,
    token,
    isSet: index => ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0,
    count: () => bits.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0),
  }
}

export interface HeardEvent {
  readonly id: string
  readonly event: string
  // oxlint-disable-next-line typescript/no-explicit-any -- a test compares every member it reads
  readonly data: any
}

export interface EventReader {
  readonly status: number
  readonly head: string
  readonly events: HeardEvent[]
  readonly comments: string[]
  readonly socket: Socket
  isEnded(): boolean
  has(event: string, data: object): boolean
}

/** Listens on a socket of its own; resolves when the answer has begun. */
export async function listenTo(
  t: TestScope,
  address: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventReader> {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  t.teardown(async () => void socket.destroy())
  let text = ''
  let isEnded = false
  socket.setEncoding('utf8').on('data', (part: string) => (text += part))
  socket.on('close', () => (isEnded = true)).on('error', () => undefined)
  const lines = Object.entries({ host: `${hostname}:${port}`, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  socket.write(`GET /verifier/events HTTP/1.1\r\n${lines.join('')}\r\n`)
  const events: HeardEvent[] = []
  const comments: string[] = []
  let head = ''
  const read = () => {
    if (head === '') {
      const end = text.indexOf('\r\n\r\n')
      if (end === -1) return
      head = text.slice(0, end)
      text = text.slice(end + 4)
    }
    // Chunks of the transfer coding begin and end with lines of their own.
    const clean = text.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '').replaceAll('\r\n', '')
    const blocks = clean.split('\n\n')
    events.length = 0
    comments.length = 0
    for (const block of blocks.slice(0, -1)) {
      const fields = new Map(
        block.split('\n').map(line => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
      )
      const event = fields.get('event')
      if (event !== undefined) {
        events.push({ id: String(fields.get('id')), event, data: JSON.parse(String(fields.get('data'))) })
      } else comments.push(block)
    }
  }
  socket.on('data', read)
  await until(() => head !== '' && (!head.includes(' 200 ') || comments.length > 0), 'an answer')
  return {
    status: Number(head.split(' ')[1]),
    head,
    events,
    comments,
    socket,
    isEnded: () => isEnded,
    has: (event, data) =>
      events.some(heard => heard.event === event && JSON.stringify(heard.data) === JSON.stringify(data)),
  }
}
