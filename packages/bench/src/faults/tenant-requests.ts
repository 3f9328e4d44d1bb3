/** Requests of many tenants, of every kind: good, faulty, about what is another's, and without the right to it. */

import type { Directory, DirectorySample } from '../seed-directory.ts'
import type { Sent } from './cut-requests.ts'

export interface CrowdRequest extends Sent {
  readonly kind: string
  /** Its place among the tenants. */
  readonly tenant: number
  /** The status it has to be answered with. */
  readonly right: number
  /** What it makes. */
  readonly makes?: MadeRow
}

/** A row that says by its name which tenant asked for it. */
export interface MadeRow {
  readonly kind: 'user' | 'role'
  readonly mark: string
}

type Samples = Directory['samples']

/** The same for the same number. Every tenant sends every kind. */
export function requestOf(samples: Samples, number: number): CrowdRequest {
  const tenant = (number + Math.floor(number / samples.length)) % samples.length
  const own = sampleAt(samples, tenant)
  const foreign = sampleAt(samples, tenant + 1 + (number % (samples.length - 1)))
  const person = own.people.at(number % own.people.length)?.userId
  const stranger = foreign.people.at(number % foreign.people.length)
  const mark = `mark-${tenant}-${number}`
  const email = `${mark}@bench.invalid`
  const kinds: readonly Omit<CrowdRequest, 'tenant'>[] = [
    get('list people', '/users?limit=200&count=true'),
    post('create a person', 201, '/users', { email }, { kind: 'user', mark }),
    get('read a person', `/users/${person}`),
    get('read a person of another tenant', `/users/${stranger?.userId}`, 404),
    post('create a person with an address of another tenant', 409, '/users', { email: stranger?.email }),
    post('create a role', 201, '/roles', { name: mark, permissions: ['users:read'] }, { kind: 'role', mark }),
    patch('rename a person', 200, `/users/${person}`, { name: mark }),
    patch('rename a person of another tenant', 404, `/users/${stranger?.userId}`, { name: mark }),
    get('search people', '/users?limit=200&q=bench.invalid'),
    get('list roles', '/roles?limit=200&q=mark'),
    post('create a person with a member that is unknown', 400, '/users', { email, tenant_id: foreign.keeper.tenantId }),
    { kind: 'send half a document', method: 'POST', path: at('/users'), body: '{"email":', right: 400 },
    post('do what the platform does', 403, '/tenants', { name: mark, slug: mark }),
  ]
  const chosen = kinds[number % kinds.length]
  if (chosen === undefined) throw new RangeError(`No request has the number ${number}.`)
  return { ...chosen, tenant }
}

function sampleAt(samples: Samples, index: number): DirectorySample {
  const sample = samples[index % samples.length]
  if (sample === undefined) throw new RangeError('There are no tenants.')
  return sample
}

const at = (path: string) => `/admin/v1${path}`

function get(kind: string, path: string, right = 200) {
  return { kind, method: 'GET', path: at(path), right } as const
}

function post(kind: string, right: number, path: string, body: object, makes?: MadeRow) {
  const sent = { kind, method: 'POST', path: at(path), body: JSON.stringify(body), right } as const
  return makes === undefined ? sent : { ...sent, makes }
}

function patch(kind: string, right: number, path: string, body: object) {
  return { kind, method: 'PATCH', path: at(path), body: JSON.stringify(body), right } as const
}
