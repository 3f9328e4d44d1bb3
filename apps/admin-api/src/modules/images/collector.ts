/** Every process looks now and then for images that nobody uses; that two remove the same one does no harm. */
import type { Deps } from '../../deps.ts'
import { collectImages } from './service.ts'

const everyMs = 30_000

/** @returns what stops it, after a run that has begun */
export function startCollector(
  deps: Pick<Deps, 'db' | 'images'>,
  onFailure: (error: unknown) => void,
): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve()
  let isRunning = false
  const timer = setInterval(() => {
    if (isRunning) return
    isRunning = true
    running = collectImages(deps)
      .catch(onFailure)
      .finally(() => {
        isRunning = false
      })
  }, everyMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
