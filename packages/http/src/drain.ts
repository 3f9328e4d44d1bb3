/**
 * A node that a balancer watches is not gone before the balancer knows: it first says on `/readyz` that it stops, and serves on
 * for as long as a balancer takes to ask again. One that nobody watches stops at once.
 */
import { setTimeout as pause } from 'node:timers/promises'

export interface Drain {
  /** True once the node has begun to stop. */
  readonly isStopping: boolean
  /** Somebody was told that this node is ready. */
  noteTold(): void
  /** From now on this node says that it stops. */
  refuse(): void
  /** Refuses, and resolves when whoever watches has had the time to hear it. */
  begin(): Promise<void>
}

/** Whoever was told twice within this time watches: balancers ask each second or two, Kubernetes every ten. */
const watchedForMs = 30_000
/** haproxy as `pnpm gateway` writes it has heard two refusals by then. */
export const drainMs = 4_000

export function createDrain(): Drain {
  let isStopping = false
  let told: readonly [before: number, last: number] = [-Infinity, -Infinity]
  const refuse = () => {
    isStopping = true
  }
  return {
    get isStopping() {
      return isStopping
    },
    noteTold: () => {
      told = [told[1], performance.now()]
    },
    refuse,
    begin: async () => {
      refuse()
      if (performance.now() - told[0] < watchedForMs) await pause(drainMs)
    },
  }
}
