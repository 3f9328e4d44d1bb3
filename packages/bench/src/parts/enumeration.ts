/**
 * P-01: can a stopwatch tell who has an account? A thousand answers of each kind, their order drawn by lot. What is compared is
 * the rank of each time, so that one slow answer counts no more than another.
 */

import { randomBytes, randomInt } from 'node:crypto'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { type Issuer, startIssuer } from '../issuer.ts'
import { addressOf } from '../network-addresses.ts'
import { compareTimes, type Row } from '../report.ts'
import { closeRegistration, seedInstallation, seedPeople } from '../seed-installation.ts'
import { startWorker, type Worker } from '../worker.ts'
import type { TimedAnswer, TimingQuestion } from '../workers/timing.ts'

const samples = 1_000
/** Of each kind, before any counts: the server's code is compiled by then. */
const warmUps = 100
/** As often is a name used: fewer times than the issuer counts to before it refuses. */
const signInsPerName = 4

const below = 0.58

/** A kind of person who is asked about, and what is sent for each of them. */
type Kinds = Readonly<Record<string, readonly object[]>>

interface Trial {
  readonly subject: string
  readonly path: string
  /** What every answer begins with. */
  readonly status: number
  readonly kinds: Kinds
}

export async function measureEnumeration(bench: Bench): Promise<Row[]> {
  await using database = await openBenchDatabase(bench)
  const { tenantId } = await seedInstallation(database)
  // Where anybody may register, an address that nobody has gets a code as well: closed is where there is something to learn.
  await closeRegistration(database, tenantId)
  const password = randomBytes(15).toString('base64url')
  const seed = (count: number, status?: 'suspended') => seedPeople(database, { tenantId, count, password, status })
  const perName = Math.ceil((samples + warmUps) / signInsPerName)
  const suspended = await seed(perName, 'suspended')
  const known = await seed(perName)
  const codes = codeNames(await seed(samples + warmUps))
  const resets = codeNames(await seed(samples + warmUps))
  const wrong = randomBytes(15).toString('base64url')
  const signIns = (emails: readonly string[], secret: string) =>
    Array.from({ length: signInsPerName }, () => emails.map(email => ({ email, password: secret }))).flat()
  const trials: Trial[] = [
    {
      subject: 'sign-in',
      path: '/api/v1/tokens',
      status: 401,
      kinds: {
        'wrong password': signIns(known, wrong),
        'unknown person': signIns(nobodies(perName), wrong),
        'suspended, right password': signIns(suspended, password),
      },
    },
    {
      subject: 'asking for a code',
      path: '/api/v1/otp/requests',
      status: 202,
      kinds: bodiesOf(codes, email => ({ email })),
    },
    {
      subject: 'a wrong code',
      path: '/api/v1/otp/verifications',
      status: 400,
      kinds: bodiesOf(codes, email => ({ email, code: anyCode() })),
    },
    {
      subject: 'asking for a reset',
      path: '/api/v1/password-resets',
      status: 200,
      kinds: bodiesOf(resets, email => ({ email })),
    },
    {
      subject: 'a reset with a wrong code',
      path: '/api/v1/password-resets/confirm',
      status: 400,
      kinds: bodiesOf(resets, email => ({ email, code: anyCode(), new_password: wrong })),
    },
  ]
  await using issuer = await startIssuer(bench, database.url)
  await using worker = startWorker<TimingQuestion, TimedAnswer[]>(bench, workerFile, bench.machine.loadCore)
  const rows: Row[] = []
  for (const trial of trials) {
    bench.say(`${trial.subject}: ${samples} answers of each of ${Object.keys(trial.kinds).length} kinds`)
    rows.push(...(await runTrial(issuer, worker, trial)))
  }
  return rows
}

const workerFile = new URL('../workers/timing.ts', import.meta.url)

/** Of the form of those who are somebody: an answer's time may well depend on how long a name is. */
function nobodies(count: number): string[] {
  return Array.from({ length: count }, () => `${randomBytes(12).toString('hex')}@bench.invalid`)
}

/** Addresses to ask about, each once: a code is sent at most once a minute. */
function codeNames(known: readonly string[]): Readonly<Record<string, readonly string[]>> {
  return { 'known address': known, 'unknown address': nobodies(known.length) }
}

function bodiesOf(names: Readonly<Record<string, readonly string[]>>, bodyOf: (email: string) => object): Kinds {
  return Object.fromEntries(Object.entries(names).map(([name, emails]) => [name, emails.map(bodyOf)]))
}

/** Wrong but once in a million times. */
function anyCode(): string {
  return randomInt(1_000_000).toString().padStart(6, '0')
}

let requests = 0

async function runTrial(issuer: Issuer, worker: Worker<TimingQuestion, TimedAnswer[]>, trial: Trial): Promise<Row[]> {
  const names = Object.keys(trial.kinds)
  const order: { name: string; body: object; isCounted: boolean }[] = []
  for (let number = 0; number < warmUps + samples; number += 1) {
    for (const name of shuffle(names)) {
      order.push({ name, body: itemAt(trial.kinds[name], number), isCounted: number >= warmUps })
    }
  }
  const answers = await worker.ask({
    url: issuer.url,
    path: trial.path,
    // Each from a network of its own: the limits of networks would answer instead.
    requests: order.map(({ body }) => ({ body: JSON.stringify(body), from: addressOf(requests++) })),
  })
  const texts = new Set(answers.map(({ text }) => text))
  const [text = ''] = texts
  if (texts.size !== 1 || !text.startsWith(`${trial.status} `))
    throw new Error(`${trial.path} was to give one answer, ${trial.status}: ${[...texts].slice(0, 3).join(' | ')}`)
  const timesOf = (name: string) =>
    order.flatMap((request, at) => (request.isCounted && request.name === name ? [itemAt(answers, at).ms] : []))
  return pairsOf(names).map(([ours, theirs]) =>
    compareTimes({
      part: 'enumeration',
      subject: `${trial.subject}: ${ours}`,
      against: theirs,
      ours: timesOf(ours),
      theirs: timesOf(theirs),
      below,
    }),
  )
}

function pairsOf(names: readonly string[]): [string, string][] {
  return names.flatMap((one, at) => names.slice(at + 1).map((other): [string, string] => [one, other]))
}

function shuffle<T>(items: readonly T[]): T[] {
  const shuffled = [...items]
  for (let at = shuffled.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1)
    const [here, there] = [itemAt(shuffled, at), itemAt(shuffled, other)]
    shuffled[at] = there
    shuffled[other] = here
  }
  return shuffled
}

function itemAt<T>(items: readonly T[] | undefined, index: number): T {
  const item = items?.[index]
  if (item === undefined) throw new RangeError(`There is no item ${index}.`)
  return item
}
