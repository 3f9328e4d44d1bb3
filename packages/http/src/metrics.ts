/** What a program counts and measures, whoever reads it. */

/** A name as Prometheus has them, with its unit or `_total` at the end. The values of a label are few and never a person. */
export interface MetricName<L extends string> {
  readonly name: string
  readonly help: string
  readonly labels: readonly L[]
}

export interface Reading<L extends string> {
  readonly value: number
  readonly labels: Readonly<Record<L, string>>
}

/** One program's. */
export interface Metrics {
  /** Gives a function that counts one more. */
  counter<L extends string>(metric: MetricName<L>): (labels: Readonly<Record<L, string>>) => void
  /** Gives a function that takes a duration in seconds. */
  durations<L extends string>(metric: MetricName<L>): (seconds: number, labels: Readonly<Record<L, string>>) => void
  /** What others keep count of is read when Prometheus asks; what cannot be read then is left out of the answer. */
  read<L extends string>(
    kind: 'gauge' | 'counter',
    metric: MetricName<L>,
    read: () => readonly Reading<L>[] | Promise<readonly Reading<L>[]>,
  ): void
}

export const silentMetrics: Metrics = {
  counter: () => () => undefined,
  durations: () => () => undefined,
  read: () => undefined,
}
