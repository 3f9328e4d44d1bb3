/** What is worth a word to whoever looks, and no reason to take a node out: its neighbours would have it, too. */
import type { Database } from '@signet/db'
import { measureOutbox } from '@signet/delivery'

/** Anybody may ask, and counting what waits is work: one answer serves all who ask within this time. */
const remembersMs = 5_000

/** Says how long the oldest message waits. */
export function createOutboxCheck(database: Database): () => Promise<string> {
  let said: Promise<string> | undefined
  let saidAt = -Infinity
  return () => {
    if (said === undefined || performance.now() - saidAt >= remembersMs) {
      saidAt = performance.now()
      said = describeOutbox(database)
    }
    return said
  }
}

async function describeOutbox(database: Database): Promise<string> {
  try {
    const loads = await measureOutbox(database)
    const oldest = Math.max(...loads.map(({ oldestSeconds }) => oldestSeconds))
    return oldest === 0 ? 'ok' : `oldest waits ${Math.round(oldest)} s`
  } catch {
    return 'unknown'
  }
}
