// Counts the timers of our own that live, unref'd ones too: what is cleared or has fired is destroyed.
import { createHook } from 'node:async_hooks'
import type { Test } from 'tap'

/** Counts those that the verifier's sources make from now on. */
export function countTimers(t: Test): () => number {
  const living = new Set<number>()
  const hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout' && new Error('Who makes it?').stack?.includes('/verifier/src/') === true) living.add(id)
    },
    destroy: id => {
      living.delete(id)
    },
  }).enable()
  t.teardown(() => hook.disable())
  return () => living.size
}
