/** A start is a list of steps, and each says in one line what was done and how long it took. */

export type Step = <T>(done: string | ((result: T) => string), work: () => Promise<T>) => Promise<T>

export function tellSteps(print: (line: string) => void): Step {
  return async (done, work) => {
    const startedAt = performance.now()
    const result = await work()
    print(`  ${inSeconds(performance.now() - startedAt)}  ${typeof done === 'string' ? done : done(result)}`)
    return result
  }
}

/** Milliseconds as `0.12 s`, right-aligned. */
export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(5)} s`
}
