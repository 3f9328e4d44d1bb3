/** The metrics of a process, in prom-client. Of programs that have one of the same name it is one metric. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { MetricName, Metrics, Reading } from './metrics.ts'

export interface MetricRegistry {
  of(program: string): Metrics
  render(): Promise<string>
  readonly contentType: string
  close(): void
}

/** From the answer of a cache to what a client gives up on. A sign-in takes about 20 ms of hashing. */
const secondBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

type Read = () => readonly Reading<string>[] | Promise<readonly Reading<string>[]>

export function createRegistry(): MetricRegistry {
  const registry = new Registry()
  /** By the metric's name, and by program. */
  const reads = new Map<string, Map<string, Read>>()
  collectDefaultMetrics({ register: registry })

  function describe({ name, help, labels }: MetricName<string>) {
    return { name, help, labelNames: ['program', ...labels], registers: [registry] }
  }

  function find<T>(name: string, make: () => T): T {
    return (registry.getSingleMetric(name) as T | undefined) ?? make()
  }

  function addRead(kind: 'gauge' | 'counter', metric: MetricName<string>, program: string, read: Read): void {
    const ofPrograms = reads.get(metric.name) ?? new Map<string, Read>()
    ofPrograms.set(program, read)
    if (reads.has(metric.name)) return
    reads.set(metric.name, ofPrograms)
    const Kind = kind === 'gauge' ? Gauge : Counter
    const kept: Gauge | Counter = new Kind({ ...describe(metric), collect: () => refill(kept, ofPrograms) })
  }

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    close: () => registry.clear(),
    of: program => ({
      counter(metric) {
        const counter = find(metric.name, () => new Counter(describe(metric)))
        return labels => counter.inc({ ...labels, program })
      },
      durations(metric) {
        const histogram = find(metric.name, () => new Histogram({ ...describe(metric), buckets: secondBuckets }))
        return (seconds, labels) => histogram.observe({ ...labels, program }, seconds)
      },
      read: (kind, metric, read) => addRead(kind, metric, program, read),
    }),
  }
}

/** Two who ask at once both fill in what they have read: nothing is awaited in between. */
async function refill(kept: Gauge | Counter, ofPrograms: ReadonlyMap<string, Read>): Promise<void> {
  const found = await Promise.all(
    [...ofPrograms].map(async ([program, read]) => {
      const readings = await readSafely(read)
      return readings.map(({ value, labels }) => ({ value, labels: { ...labels, program } }))
    }),
  )
  kept.reset()
  for (const { value, labels } of found.flat()) kept.inc(labels, value)
}

/** A database that is away must not take the other metrics with it. */
async function readSafely(read: Read): Promise<readonly Reading<string>[]> {
  try {
    return await read()
  } catch {
    return []
  }
}
