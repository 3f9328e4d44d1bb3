/** What a fault run says at its end: one line a promise. */

import { renderColumns } from './report.ts'

export interface FaultRow {
  readonly part: string
  /** What must hold, whatever breaks. */
  readonly promise: string
  /** What was counted. */
  readonly seen: string
  /** Undefined for a line that only informs. */
  readonly held: 'yes' | 'NO' | ''
}

/** A promise that says "none": every one of `violations` breaks it. The first ones are shown. */
export function expectNone(part: string, promise: string, violations: readonly string[], checked: string): FaultRow {
  const shown = violations.length === 0 ? '' : `: ${violations.slice(0, 3).join('; ')}`
  return {
    part,
    promise,
    seen: `${violations.length} of ${checked}${shown}`,
    held: violations.length === 0 ? 'yes' : 'NO',
  }
}

/** A run that had to be broken off has shown too little, and says how far it came. */
export function countFaults(part: string, what: string, made: number, wanted: number, minutes: number): FaultRow {
  return {
    part,
    promise: `${what} within ${minutes} minutes`,
    seen: `${made} of ${wanted}`,
    held: made === wanted ? 'yes' : 'NO',
  }
}

/** A line without a promise. */
export function tell(part: string, what: string, seen: string): FaultRow {
  return { part, promise: what, seen, held: '' }
}

export function renderFaults(rows: readonly FaultRow[]): string {
  const titles = ['part', 'promise', 'seen', 'held']
  return renderColumns([titles, ...rows.map(({ part, promise, seen, held }) => [part, promise, seen, held])])
}
