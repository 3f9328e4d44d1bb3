/**
 * A comparison is the median of five paired rounds: within a round both sides run by turns, so that what else happens on
 * the machine falls on both, and each round gives one ratio.
 */

export const roundCount = 5

/** Operations a second of both sides in one round. */
export interface Round {
  readonly ours: number
  readonly theirs: number
}

/** Does some work and gives the number of operations it was. */
export type Work = () => number | Promise<number>

export interface Turns {
  /** How long one side works before it is the other's turn. */
  readonly sliceMs: number
  /** Turns of each side in a round. */
  readonly slices: number
}

/** Measures both sides in this process. One round more than counted goes first, to warm up. */
export async function alternate(ours: Work, theirs: Work, { sliceMs, slices }: Turns): Promise<Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round <= roundCount; round += 1) {
    const sides = [new Tally(ours), new Tally(theirs)] as const
    // Who goes first changes, so that neither always inherits the other's garbage.
    const order = round % 2 === 0 ? sides : sides.toReversed()
    for (let slice = 0; slice < slices; slice += 1) {
      for (const side of order) await side.workFor(sliceMs)
    }
    if (round > 0) rounds.push({ ours: sides[0].perSecond, theirs: sides[1].perSecond })
  }
  return rounds
}

/** Operations a second of one side alone. */
export async function measureRate(work: Work, durationMs: number): Promise<number> {
  const tally = new Tally(work)
  await tally.workFor(durationMs)
  return tally.perSecond
}

/** Operations a second, measured elsewhere. */
export type Measure = () => Promise<number>

/**
 * As `alternate`, for sides that run in processes of their own: each in turn, forwards and backwards, `slices` times a round. More and
 * shorter slices let what slows the machine for some seconds fall on all sides.
 */
export async function takeTurns<Name extends string>(
  sides: Readonly<Record<Name, Measure>>,
  onRound: (round: number) => void,
  slices = 1,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(sides) as Name[]
  const rates = Object.fromEntries(names.map(name => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 1; round <= roundCount; round += 1) {
    onRound(round)
    const measured = Object.fromEntries(names.map(name => [name, 0])) as Record<Name, number>
    for (let slice = 1; slice <= slices; slice += 1) {
      const order = (round + slice) % 2 === 0 ? names : names.toReversed()
      for (const name of order) measured[name] += await sides[name]()
    }
    for (const name of names) rates[name].push(measured[name] / slices)
  }
  return rates
}

export function pairRates(ours: readonly number[], theirs: readonly number[]): Round[] {
  return ours.map((rate, round) => ({ ours: rate, theirs: theirs[round] ?? Number.NaN }))
}

class Tally {
  readonly #work: Work
  #operations = 0
  #elapsedMs = 0

  constructor(work: Work) {
    this.#work = work
  }

  get perSecond(): number {
    return (this.#operations / this.#elapsedMs) * 1000
  }

  async workFor(durationMs: number): Promise<void> {
    const startedAt = performance.now()
    const until = startedAt + durationMs
    do {
      const done = this.#work()
      this.#operations += typeof done === 'number' ? done : await done
    } while (performance.now() < until)
    this.#elapsedMs += performance.now() - startedAt
  }
}

export function ratiosOf(rounds: readonly Round[]): number[] {
  return rounds.map(({ ours, theirs }) => ours / theirs)
}

/** @throws TypeError without values */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  if (upper === undefined || lower === undefined) throw new TypeError('There is no median of nothing.')
  return (lower + upper) / 2
}
