/**
 * K-01: the signing key is rotated a thousand times in ten minutes while tokens are issued and verified; none is refused. K-02: a
 * key that is removed, as one would be that was stolen, counts no more within a second for whoever listens.
 */

import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { countFaults, expectNone, type FaultRow, tell } from '../fault-report.ts'
import { prepareIssuer } from '../issuer.ts'
import { seedInstallation } from '../seed-installation.ts'
import { percentile } from '../statistics.ts'
import { startWorker, type Worker } from '../worker.ts'
import type { KeysQuestion } from '../workers/keys-command.ts'
import { kidOf, type KeyTraffic, startKeyTraffic, verificationsPerSecond } from './key-traffic.ts'

const part = 'keys'
const rotations = 1_000
const longestMinutes = 10
/** Two seconds; and none of chat-auth's tokens, which live for a minute at least and keep their keys published as long. */
const tokenSettings = { ACCESS_TOKEN_TTL: '2', COMPAT: 'none' }
/**
 * A retired key stays published for the life of a token and five seconds more, beside the active and the next one: so long apart
 * are rotations that never more than sixteen keys are published, and still there are a thousand in ten minutes.
 */
const rotateEveryMs = 540
const mostKeys = 16
/** The traffic begins before the first rotation and is counted until after the last. */
const reachedShare = 0.98
const removals = 10
const removedWithinMs = 1_000
/** How long somebody watches a removed key at most. */
const patienceMs = 10_000

export async function breakKeys(bench: Bench): Promise<FaultRow[]> {
  await using kept = new AsyncDisposableStack()
  const database = kept.use(await openBenchDatabase(bench))
  await seedInstallation(database)
  const issuer = kept.use(await prepareIssuer(bench, database.url, tokenSettings))
  await issuer.start()
  const keys = kept.use(await startKeysCommand(bench, issuer.keysFolder))
  const traffic = kept.use(await startKeyTraffic(issuer.url, issuer.url.replace('127.0.0.1', 'localhost')))
  const { made, elapsedMs } = await rotate(bench, keys, traffic)
  const { seen } = traffic
  const { issued, unissued, verified } = seen
  const [keysSeen, refused] = [seen.kids.size, [...seen.refused]]
  const delays = await removeKeys(bench, keys, traffic)
  const late = delays.filter(ms => ms > removedWithinMs).map(ms => `${Math.round(ms)} ms`)
  const perSecond = Math.round(verified / (elapsedMs / 1_000))
  return [
    countFaults(part, 'the key is rotated', made, rotations, longestMinutes),
    tell(part, 'tokens issued, and the keys that signed them', `${issued}, ${keysSeen}`),
    {
      part,
      promise: `${verificationsPerSecond} verifications a second`,
      seen: `${perSecond}`,
      held: perSecond >= verificationsPerSecond * reachedShare ? 'yes' : 'NO',
    },
    expectNone(part, 'no live token is refused', refused, `${verified} verifications`),
    expectNone(part, 'every refresh brings a token', unissued, `${issued + unissued.length} refreshes`),
    {
      part,
      promise: `never more than ${mostKeys} keys are published`,
      seen: `${seen.mostKeys} at most`,
      held: seen.mostKeys <= mostKeys ? 'yes' : 'NO',
    },
    tell(part, 'a removed key is refused after', describeDelays(delays)),
    expectNone(part, `within ${removedWithinMs} ms of the command's end`, late, `${delays.length} removals`),
  ]
}

interface KeysCommand extends AsyncDisposable {
  /** @throws Error where it refuses; why is written to stderr */
  run(...words: string[]): Promise<void>
}

async function startKeysCommand(bench: Bench, keysFolder: string): Promise<KeysCommand> {
  const settings = { SIGNET_KEYS: keysFolder, ...tokenSettings }
  const file = new URL('../workers/keys-command.ts', import.meta.url)
  const worker: Worker<KeysQuestion, number> = startWorker(bench, file, undefined)
  const run = async (...words: string[]) => {
    const code = await worker.ask({ url: program.href, words, settings })
    if (code !== 0) throw new Error(`pnpm keys ${words.join(' ')} ended with ${code}.`)
  }
  try {
    // What it imports is loaded now.
    await run('list')
    return { run, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() }
  } catch (error) {
    await worker[Symbol.asyncDispose]()
    throw error
  }
}

const program = new URL('../../../../apps/iam/src/main-keys.ts', import.meta.url)

async function rotate(
  bench: Bench,
  keys: KeysCommand,
  traffic: KeyTraffic,
): Promise<{ made: number; elapsedMs: number }> {
  const startedAt = performance.now()
  const deadline = startedAt + longestMinutes * 60_000
  let made = 0
  while (made < rotations && performance.now() < deadline) {
    const nextAt = performance.now() + rotateEveryMs
    await keys.run('rotate')
    made += 1
    if (made % 50 === 0) {
      const { verified, refused } = traffic.seen
      const last = refused.length === 0 ? '' : `, the last: ${refused.at(-1)}`
      bench.say(`${made} of ${rotations} rotations, ${verified} verifications, ${refused.length} refused${last}`)
    }
    await pause(Math.max(0, nextAt - performance.now()), undefined, { signal: bench.signal })
  }
  return { made, elapsedMs: performance.now() - startedAt }
}

/** Milliseconds from the end of the command until the verifier knows no more the key of a token that it has just accepted. */
async function removeKeys(bench: Bench, keys: KeysCommand, traffic: KeyTraffic): Promise<number[]> {
  const delays: number[] = []
  while (delays.length < removals) {
    const token = await traffic.nextToken()
    const before = await traffic.reasonOf(token)
    if (before !== undefined) throw new Error(`A new token was refused: ${before}.`)
    await keys.run('rotate')
    await keys.run('remove', kidOf(token))
    const removedAt = performance.now()
    while ((await traffic.reasonOf(token)) !== 'unknown_key') {
      if (performance.now() > removedAt + patienceMs) break
      await pause(1, undefined, { signal: bench.signal })
    }
    delays.push(performance.now() - removedAt)
  }
  return delays
}

function describeDelays(delays: readonly number[]): string {
  return `${Math.round(percentile(delays, 0.5))} ms, at most ${Math.round(Math.max(...delays))} ms`
}
