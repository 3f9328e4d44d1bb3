/** The verifier against the arithmetic alone and against other libraries. Neither network nor database. */

import type { Bench } from '../bench.ts'
import { buildVerifier, timeImport } from '../import-times.ts'
import { boundRate, compareCosts, compareDurations, compareRates, type Row } from '../report.ts'
import { median, type Round } from '../rounds.ts'
import { startWorker } from '../worker.ts'
import type { CanAnswer } from '../workers/can.ts'
import type { VerifyQuestion } from '../workers/verify.ts'

const part = 'verify'

interface Pairing {
  readonly theirs: VerifyQuestion['theirs']
  readonly atLeast?: number
}

const pairings: readonly Pairing[] = [
  { theirs: 'raw crypto.verify', atLeast: 0.85 },
  { theirs: 'decoding, crypto.verify and JSON.parse', atLeast: 0.92 },
  { theirs: 'jose', atLeast: 1.6 },
  { theirs: 'fast-jwt', atLeast: 1 },
  { theirs: 'aws-jwt-verify' },
  { theirs: 'jsonwebtoken' },
]

const unseen = 'token never seen before'
const seen = 'token seen before, fresh string'

export async function measureVerify(bench: Bench): Promise<Row[]> {
  const rows: Row[] = []
  for (const { theirs, atLeast } of pairings) {
    const rounds = await takeTurns(bench, { ours: 'signet', theirs, isCached: false, isRevocable: false })
    rows.push(
      compareRates({ part, subject: unseen, against: theirs, rounds, ...(atLeast !== undefined && { atLeast }) }),
    )
  }
  return [
    ...rows,
    ...(await measureRemembered(bench)),
    ...(await measureRevocation(bench)),
    ...(await measureCan(bench)),
    ...(await measureImports(bench)),
  ]
}

/** A process for each pairing: none runs in what another's garbage and code have left behind. */
async function takeTurns(bench: Bench, question: VerifyQuestion): Promise<Round[]> {
  bench.say(`${question.ours} and ${question.theirs} by turns`)
  await using worker = startWorker<VerifyQuestion, Round[]>(bench, workerFile('verify'), bench.machine.programCore)
  return await worker.ask(question)
}

async function measureRemembered(bench: Bench): Promise<Row[]> {
  const theirs = 'fast-jwt, cached'
  const rounds = await takeTurns(bench, { ours: 'signet, cached', theirs, isCached: true, isRevocable: false })
  return [
    boundRate({ part, subject: seen, perSecond: median(rounds.map(round => round.ours)), atLeast: 1_000_000 }),
    compareRates({ part, subject: seen, against: theirs, rounds, atLeast: 3 }),
  ]
}

/** The same tokens on both sides. */
async function measureRevocation(bench: Bench): Promise<Row[]> {
  const against = 'the same without'
  const [ours, theirs] = ['signet, sees ends', 'signet, sees no ends'] as const
  const full = await takeTurns(bench, { ours, theirs, isCached: false, isRevocable: true })
  const cached = await takeTurns(bench, {
    ours: 'signet, cached, sees ends',
    theirs: 'signet, cached, sees no ends',
    isCached: true,
    isRevocable: true,
  })
  return [
    compareRates({ part, subject: `${unseen}, and its status`, against, rounds: full, atLeast: 0.97 }),
    compareCosts({ part, subject: `${seen}, and its status`, against, rounds: cached, belowNs: 100 }),
  ]
}

async function measureCan(bench: Bench): Promise<Row[]> {
  bench.say('can() by the roles of a bundle')
  await using worker = startWorker<object, CanAnswer>(bench, workerFile('can'), bench.machine.programCore)
  const { yes, no } = await worker.ask({})
  return [
    boundRate({ part, subject: 'can() by role, yes', perSecond: median(yes), atLeast: 5_000_000 }),
    boundRate({ part, subject: 'can() by role, no', perSecond: median(no) }),
  ]
}

const imports = 41
const otherLibraries = ['jose', 'fast-jwt', 'aws-jwt-verify'] as const

async function measureImports(bench: Bench): Promise<Row[]> {
  await using built = await buildVerifier()
  const others = otherLibraries.map(name => ({ name, url: import.meta.resolve(name), times: [] as number[] }))
  const ours: number[] = []
  bench.say(`${imports} imports of ${1 + others.length} libraries by turns`)
  // The files are read from the disk once before.
  for (const { url } of [built, ...others]) await timeImport(bench, url)
  for (let count = 0; count < imports; count += 1) {
    ours.push(await timeImport(bench, built.url))
    for (const { url, times } of others) times.push(await timeImport(bench, url))
  }
  return others.map(({ name, times }) =>
    compareDurations({ part, subject: 'import in a new process', against: name, ours, theirs: times, belowMs: 10 }),
  )
}

const workerFile = (name: string) => new URL(`../workers/${name}.ts`, import.meta.url)
