/** What every part is given. */

import type { Machine } from './machine.ts'

export interface Bench {
  readonly machine: Machine
  /** Aborted when the run is interrupted: every wait ends then, and what was started is ended. */
  readonly signal: AbortSignal
  /** Progress, for whoever watches. */
  say(line: string): void
  /** A fact about the run that belongs under its table. */
  note(line: string): void
}
