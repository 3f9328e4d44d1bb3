/**
 * A crowd that cannot be served is sent away in groups. Whoever is refused alone costs a wake-up in the middle of a hash, with the
 * caches cold for both (decision 0021).
 */

/** How long the first of a group waits: too short to be noticed by somebody who is told to come back in a second. */
const longestWaitMs = 50

/** Runs what it was given within 50 ms, in one go and in order. */
export type LeaveTogether = (leave: () => void) => void

export function createLeaveTogether(): LeaveTogether {
  let waiting: (() => void)[] = []

  function leaveAll(): void {
    const together = waiting
    waiting = []
    for (const leave of together) leave()
  }

  return leave => {
    if (waiting.length === 0) setTimeout(leaveAll, longestWaitMs)
    waiting.push(leave)
  }
}
