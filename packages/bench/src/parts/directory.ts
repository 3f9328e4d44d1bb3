/** What a request costs in an installation of a million people, against one of ten thousand: as many people a tenant, both at once. */

import type { TestIssuer } from '@signet/verifier/testing'
import { type Administration, expectOk, publishKeys, startAdministration, tokenOf } from '../administration.ts'
import type { Bench } from '../bench.ts'
import { compareRates, type Row } from '../report.ts'
import { alternate, type Turns } from '../rounds.ts'
import type { DirectorySize } from '../seed-directory.ts'
import { signInWithoutHash } from '../sign-in.ts'
import { type HttpConnection, openConnection } from '../workers/http-connection.ts'

const large: DirectorySize = { tenants: 10_000, peopleEach: 100 }
const small: DirectorySize = { tenants: 100, peopleEach: 100 }
const turns: Turns = { sliceMs: 100, slices: 5 }
/** The bound is 1.5 times the cost. */
const leastRate = 1 / 1.5

export async function measureDirectory(bench: Bench): Promise<Row[]> {
  await using issuer = await publishKeys()
  await using many = await startAdministration(bench, issuer.issuer, large)
  await using few = await startAdministration(bench, issuer.issuer, small)
  // Not before both are ready: the server closes a connection on which nothing is asked.
  const ours = await connectTo(many)
  const theirs = await connectTo(few)
  const rows: Row[] = []
  for (const [subject, work] of Object.entries(kinds)) {
    bench.say(subject)
    const rounds = await alternate(
      () => work(ours, issuer.issuer),
      () => work(theirs, issuer.issuer),
      turns,
    )
    rows.push(
      compareRates({
        part: 'directory',
        subject: `${subject}, 1,000,000 people`,
        against: '10,000 people',
        rounds,
        atLeast: leastRate,
      }),
    )
  }
  ours.connection.close()
  theirs.connection.close()
  return rows
}

interface Side extends Pick<Administration, 'directory' | 'db'> {
  readonly connection: HttpConnection
  /** Requests so far: each goes to another tenant and another person. */
  turn: number
}

type Work = (side: Side, issuer: TestIssuer) => Promise<number>

const kinds: Readonly<Record<string, Work>> = {
  'list a page of people': keeperGets(() => '/admin/v1/users?limit=50'),
  'search people': keeperGets(() => '/admin/v1/users?limit=50&q=lovelace'),
  'read a person': keeperGets(id => `/admin/v1/users/${id}`),
  'check a permission': checkPermission,
  'sign in, without the hash': signIn,
  'list a page of tenants': async (side, issuer) => {
    await expectOk(side.connection.get('/admin/v1/tenants?limit=50', tokenOf(issuer, side.directory.staff)))
    return 1
  },
}

function keeperGets(pathOf: (personId: string) => string): Work {
  return async (side, issuer) => {
    const { keeper, person } = nextOf(side)
    await expectOk(side.connection.get(pathOf(person.userId), tokenOf(issuer, keeper)))
    return 1
  }
}

async function checkPermission(side: Side, issuer: TestIssuer): Promise<number> {
  const { keeper, person } = nextOf(side)
  const body = JSON.stringify({
    subject: { type: 'user', id: person.userId },
    action: { name: 'users:read' },
    resource: { type: 'Tenant', id: keeper.tenantId },
  })
  const path = '/access/v1/evaluation'
  await expectOk(side.connection.post(path, 'application/json', body, undefined, tokenOf(issuer, keeper)))
  return 1
}

async function signIn(side: Side): Promise<number> {
  const { keeper, person } = nextOf(side)
  await signInWithoutHash(side.db, { tenantId: keeper.tenantId, ...person })
  return 1
}

function nextOf(side: Side) {
  side.turn += 1
  const { samples } = side.directory
  const sample = samples[side.turn % samples.length]
  const person = sample?.people[(side.turn * 7) % sample.people.length]
  if (sample === undefined || person === undefined) throw new Error('The directory is empty.')
  return { keeper: sample.keeper, person }
}

async function connectTo({ directory, db, url }: Administration): Promise<Side> {
  return { directory, db, connection: await openConnection(url), turn: 0 }
}
