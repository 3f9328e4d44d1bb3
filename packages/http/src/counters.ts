/** Where requests are counted: in this process, unless `redis-counter` counts for all nodes together. */

/** A window that begins with its first request. `ttl` is what is left of it, in milliseconds. */
export interface Count {
  readonly current: number
  readonly ttl: number
}

export interface Counter {
  /** Counts one more under `key`. Never rejects. */
  count(key: string, windowMs: number): Promise<Count>
  /** False while what should be counted for all nodes is counted for this one alone. */
  isWhole(): boolean
  open(): Promise<void>
  close(): void
}

/** About 4 MB. Beyond it the oldest windows are forgotten: they would have ended first. */
const mostWindows = 20_000

/** All windows have one length. */
export function createMemoryCounter(now: () => number = performance.now.bind(performance)): Counter {
  const windows = new Map<string, { current: number; readonly endsAt: number }>()
  function dropOld(at: number): void {
    for (const [key, { endsAt }] of windows) {
      if (endsAt > at && windows.size < mostWindows) return
      windows.delete(key)
    }
  }
  return {
    async count(key, windowMs) {
      const at = now()
      const found = windows.get(key)
      if (found !== undefined && found.endsAt > at) {
        found.current += 1
        return { current: found.current, ttl: found.endsAt - at }
      }
      // A map keeps the order in which keys came: what ended is taken out before it comes again, last.
      windows.delete(key)
      dropOld(at)
      windows.set(key, { current: 1, endsAt: at + windowMs })
      return { current: 1, ttl: windowMs }
    },
    isWhole: () => true,
    open: async () => undefined,
    close: () => windows.clear(),
  }
}
