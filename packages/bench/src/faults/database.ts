/** D-01: the server ends every connection in the middle of its work, a hundred times under load. */

import { setTimeout as pause } from 'node:timers/promises'
import { openDatabase } from '@signet/db'
import type { Bench } from '../bench.ts'
import { openBenchDatabase } from '../bench-database.ts'
import { expectNone, type FaultRow, tell } from '../fault-report.ts'
import { prepareIssuer, type RestartableIssuer } from '../issuer.ts'
import { seedInstallation } from '../seed-installation.ts'
import { endConnections } from './families-repo.ts'
import { createIssuerClient } from './issuer-client.ts'
import { checkWhatIsLeft, type MixedLoad, startMixedLoad } from './mixed-load.ts'

const part = 'database'
const rounds = 100
const people = { refreshing: 12, signingIn: 2, registering: 2, readingKeys: 0 }
/** So many refreshes have to succeed after each time. */
const provenBy = 20
const recoveryMs = 10_000
/** The longest pause before the next time: it comes at another moment of the load. */
const longestPauseMs = 40

export async function breakDatabase(bench: Bench): Promise<FaultRow[]> {
  await using database = await openBenchDatabase(bench)
  await seedInstallation(database)
  await using issuer = await prepareIssuer(bench, database.url)
  await issuer.start()
  const load = await startMixedLoad({ ...people, createClient: () => createIssuerClient(issuer.url) })
  const db = openDatabase({ url: database.superUrl, max: 1 })
  try {
    const total = { ended: 0, atWork: 0, longestMs: 0 }
    for (let round = 1; round <= rounds; round += 1) {
      const { ended, atWork } = await endConnections(db)
      total.ended += ended
      total.atWork += atWork
      total.longestMs = Math.max(total.longestMs, await untilRecovered(load, issuer, bench.signal))
      if (round % 10 === 0) bench.say(`${round} of ${rounds} times`)
      await pause(Math.random() * longestPauseMs, undefined, { signal: bench.signal })
    }
    await load.stop()
    const wrong = load.failures.filter(({ isDeferred }) => !isDeferred).map(({ what }) => what)
    return [
      tell(part, 'connections ended, of them at work', `${total.ended}, ${total.atWork}`),
      ...[...load.tally].map(([what, times]) => tell(part, `answers: ${what}`, `${times}`)),
      tell(part, `longest until ${provenBy} refreshes had succeeded`, `${Math.round(total.longestMs)} ms`),
      expectNone(part, 'every answer is right, or 503 with Retry-After', wrong, `${load.requests} answers`),
      ...(await checkWhatIsLeft(part, db, load)),
      expectNone(part, 'the issuer lives on', issuer.hasEnded() ? ['it has ended'] : [], '1 process'),
    ]
  } finally {
    await load.stop()
    await db.close()
  }
}

/** Milliseconds. @throws Error when it takes too long or the issuer is gone */
async function untilRecovered(load: MixedLoad, issuer: RestartableIssuer, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now()
  const wanted = load.successes.refresh + provenBy
  while (load.successes.refresh < wanted) {
    if (issuer.hasEnded()) throw new Error('The issuer has ended.')
    if (performance.now() - startedAt > recoveryMs)
      throw new Error(`It does not work again: ${JSON.stringify([...load.tally])}`)
    await pause(2, undefined, { signal })
  }
  return performance.now() - startedAt
}
