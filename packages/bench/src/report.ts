/** What a run says at its end: one table, a line a comparison. */

import { median, pairRates, type Round, ratiosOf } from './rounds.ts'
import { percentile, separability } from './statistics.ts'

export interface Row {
  readonly part: string
  readonly subject: string
  readonly measured: string
  readonly against: string
  readonly ratio: string
  readonly spread: string
  readonly target: string
  readonly met: 'yes' | 'NO' | ''
}

export interface Comparison {
  readonly part: string
  /** What of Signet is measured. */
  readonly subject: string
  /** What it is held against. */
  readonly against: string
  readonly rounds: readonly Round[]
  /** The target: the least median ratio. Without one the line informs only. */
  readonly atLeast?: number
}

export function compareRates({ part, subject, against, rounds, atLeast }: Comparison): Row {
  const ratios = ratiosOf(rounds)
  const ratio = median(ratios)
  return {
    part,
    subject,
    measured: `${formatRate(median(rounds.map(round => round.ours)))}/s`,
    against: `${against} ${formatRate(median(rounds.map(round => round.theirs)))}/s`,
    ratio: ratio.toFixed(2),
    spread: `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    target: atLeast === undefined ? '' : `>= ${atLeast.toFixed(2)}`,
    met: atLeast === undefined ? '' : yesOrNo(ratio >= atLeast),
  }
}

export interface Addition {
  readonly part: string
  /** What is measured with the addition. */
  readonly subject: string
  /** The same without it. */
  readonly against: string
  readonly rounds: readonly Round[]
  /** The target: what one operation may cost more. */
  readonly belowNs: number
}

/** Of what is over so soon that a ratio says little: how much longer one operation takes. */
export function compareCosts({ part, subject, against, rounds, belowNs }: Addition): Row {
  const extra = rounds.map(({ ours, theirs }) => 1e9 / ours - 1e9 / theirs)
  const [middle, least, most] = [median(extra), Math.min(...extra), Math.max(...extra)].map(formatAddition)
  return {
    part,
    subject,
    measured: `${formatRate(median(rounds.map(round => round.ours)))}/s`,
    against: `${against} ${formatRate(median(rounds.map(round => round.theirs)))}/s`,
    ratio: `${middle}`,
    spread: `${least} to ${most}`,
    target: `< ${formatNs(belowNs)}`,
    met: yesOrNo(median(extra) < belowNs),
  }
}

export interface DurationComparison {
  readonly part: string
  readonly subject: string
  readonly against: string
  /** Milliseconds; those of one place belong together. */
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
  /** The target: what half of ours stay below. */
  readonly belowMs: number
}

/** The ratio is again ours divided by theirs: below 1 ours is over sooner. */
export function compareDurations({ part, subject, against, ours, theirs, belowMs }: DurationComparison): Row {
  const ratios = ratiosOf(pairRates(ours, theirs))
  return {
    part,
    subject,
    measured: formatMs(median(ours)),
    against: `${against} ${formatMs(median(theirs))}`,
    ratio: median(ratios).toFixed(2),
    spread: `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    target: `< ${belowMs} ms`,
    met: yesOrNo(median(ours) < belowMs),
  }
}

export interface TimeComparison {
  readonly part: string
  readonly subject: string
  readonly against: string
  /** Milliseconds. */
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
  /** The target: how well one time may at most tell one kind from the other. */
  readonly below: number
}

export function compareTimes({ part, subject, against, ours, theirs, below }: TimeComparison): Row {
  const told = separability(ours, theirs)
  return {
    part,
    subject,
    measured: formatMs(median(ours)),
    against: `${against} ${formatMs(median(theirs))}`,
    ratio: `AUC ${told.toFixed(3)}`,
    spread: '',
    target: `< ${below.toFixed(2)}`,
    met: yesOrNo(told < below),
  }
}

export interface Waiting {
  readonly part: string
  readonly subject: string
  /** Milliseconds. */
  readonly times: readonly number[]
  /** The target: what 99 of 100 do not exceed. */
  readonly atMostMs: number
}

export function boundWaiting({ part, subject, times, atMostMs }: Waiting): Row {
  const worst = percentile(times, 0.99)
  return {
    part,
    subject: `${subject}, p99 of ${times.length}`,
    measured: formatMs(worst),
    against: `its own median ${formatMs(median(times))}`,
    ratio: '',
    spread: '',
    target: `<= ${atMostMs} ms`,
    met: yesOrNo(worst <= atMostMs),
  }
}

export interface Moment {
  readonly part: string
  readonly subject: string
  readonly ms: number
  /** The target, both ends included. */
  readonly fromMs?: number
  readonly untilMs: number
}

/** When something happened that happens once. */
export function boundMoment({ part, subject, ms, fromMs, untilMs }: Moment): Row {
  return {
    part,
    subject,
    measured: formatMs(ms),
    against: '',
    ratio: '',
    spread: '',
    target: fromMs === undefined ? `<= ${untilMs} ms` : `${fromMs} to ${untilMs} ms`,
    met: yesOrNo(ms >= (fromMs ?? 0) && ms <= untilMs),
  }
}

/** What was answered, by everybody who was asked. */
export function expectAnswers(part: string, subject: string, answers: readonly string[], expected: string): Row {
  const seen = [...new Set(answers)]
  return {
    part,
    subject,
    measured: seen.join(', '),
    against: '',
    ratio: '',
    spread: '',
    target: expected,
    met: yesOrNo(seen.length === 1 && seen[0] === expected),
  }
}

export interface Duration {
  readonly part: string
  readonly subject: string
  /** Milliseconds. */
  readonly times: readonly number[]
  /** The target: what half of them do not exceed. */
  readonly atMostUs: number
}

/** Of what is over so soon that no single time could be trusted: each of `times` is a mean of many. */
export function boundMedian({ part, subject, times, atMostUs }: Duration): Row {
  const [half, worst] = [median(times), percentile(times, 0.99)].map(each => each * 1_000) as [number, number]
  return {
    part,
    subject,
    measured: `${half.toFixed(1)} us`,
    against: `its own p99 ${worst.toFixed(1)} us`,
    ratio: '',
    spread: '',
    target: `<= ${atMostUs} us`,
    met: yesOrNo(half <= atMostUs),
  }
}

/** @param atLeast the target; without one the line informs only */
export function countEvents(part: string, subject: string, measured: number, atLeast?: number): Row {
  return {
    part,
    subject,
    measured: `${measured}`,
    against: '',
    ratio: '',
    spread: '',
    target: atLeast === undefined ? '' : `>= ${atLeast}`,
    met: atLeast === undefined ? '' : yesOrNo(measured >= atLeast),
  }
}

/** As `countEvents`, of what may not be more. */
export function boundCount(part: string, subject: string, measured: number, atMost: number): Row {
  return { ...countEvents(part, subject, measured), target: `<= ${atMost}`, met: yesOrNo(measured <= atMost) }
}

export interface Rate {
  readonly part: string
  readonly subject: string
  readonly perSecond: number
  /** The target. Without one the line informs only. */
  readonly atLeast?: number
}

export function boundRate({ part, subject, perSecond, atLeast }: Rate): Row {
  return {
    part,
    subject,
    measured: `${formatRate(perSecond)}/s`,
    against: '',
    ratio: '',
    spread: '',
    target: atLeast === undefined ? '' : `>= ${formatRate(atLeast)}/s`,
    met: atLeast === undefined ? '' : yesOrNo(perSecond >= atLeast),
  }
}

export function compareMemory(part: string, subject: string, residentBytes: number, belowBytes: number): Row {
  return {
    part,
    subject,
    measured: formatMegabytes(residentBytes),
    against: '',
    ratio: '',
    spread: '',
    target: `< ${formatMegabytes(belowBytes)}`,
    met: yesOrNo(residentBytes < belowBytes),
  }
}

/** @param atMostBytes the target */
export function boundBytes(part: string, subject: string, bytes: number, atMostBytes: number): Row {
  return {
    part,
    subject,
    measured: `${bytes} bytes`,
    against: '',
    ratio: '',
    spread: '',
    target: `<= ${atMostBytes} bytes`,
    met: yesOrNo(bytes <= atMostBytes),
  }
}

const titles: Row = {
  part: 'part',
  subject: 'measured',
  measured: 'Signet',
  against: 'against',
  ratio: 'ratio',
  spread: 'of rounds',
  target: 'target',
  met: '' as const,
}

export function renderTable(rows: readonly Row[]): string {
  const columns = ['part', 'subject', 'measured', 'against', 'ratio', 'spread', 'target', 'met'] as const
  const cells = [columns.map(column => (column === 'met' ? 'met' : titles[column]))]
  for (const row of rows) cells.push(columns.map(column => row[column]))
  return renderColumns(cells)
}

/** @param lines the titles first; all of one length */
export function renderColumns(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map(line => line[at]?.length ?? 0)))
  const rendered = lines.map(line =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  rendered.splice(1, 0, widths.map(width => '-'.repeat(width)).join('  '))
  return rendered.join('\n')
}

function yesOrNo(isMet: boolean): 'yes' | 'NO' {
  return isMet ? 'yes' : 'NO'
}

function formatRate(perSecond: number): string {
  return new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(perSecond)
}

function formatMs(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`
}

function formatAddition(nanoseconds: number): string {
  return `${nanoseconds < 0 ? '' : '+'}${formatNs(nanoseconds)}`
}

function formatNs(nanoseconds: number): string {
  return Math.abs(nanoseconds) < 100_000 ? `${nanoseconds.toFixed(0)} ns` : `${(nanoseconds / 1_000_000).toFixed(2)} ms`
}

function formatMegabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(Math.abs(bytes) < 10_000_000 ? 1 : 0)} MB`
}
