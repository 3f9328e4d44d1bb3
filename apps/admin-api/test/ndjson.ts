/** What an import is sent and what it answers. */
import type { TestActor } from '@signet/testkit'
import type { World } from './world.ts'

export interface Report {
  readonly line: number
  readonly status: 'created' | 'would_create' | 'exists' | 'failed'
  readonly id?: string
  readonly external_id?: string
  readonly errors?: readonly { readonly pointer: string; readonly message: string; readonly code?: string }[]
}

export interface Imported {
  readonly status: number
  readonly text: string
  readonly reports: readonly Report[]
  readonly summary: Readonly<Record<'created' | 'would_create' | 'exists' | 'failed' | 'lines' | 'seconds', number>>
}

export const ndjson = { 'content-type': 'application/x-ndjson' }

export const linesOf = (people: readonly (object | string)[]): string =>
  people.map(person => `${typeof person === 'string' ? person : JSON.stringify(person)}\n`).join('')

/** Sends lines, or bytes as they are. */
export async function sendImport(
  { call }: Pick<World, 'call'>,
  who: TestActor | null,
  file: readonly (object | string)[] | Uint8Array,
  query = '',
): Promise<Imported> {
  const bytes = file instanceof Uint8Array ? file : Buffer.from(linesOf(file))
  const { status, text } = await call(who, 'POST', `users/import${query}`, bytes, ndjson)
  const answers = status === 200 ? readNdjson(text) : []
  if (answers.at(-1)?.problem !== undefined) throw new Error(`The import stopped: ${text.slice(-500)}`)
  return { status, text, reports: answers.slice(0, -1) as Report[], summary: answers.at(-1)?.summary }
}

// oxlint-disable-next-line typescript/no-explicit-any -- a test reads what came over the wire
export const readNdjson = (text: string): any[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
