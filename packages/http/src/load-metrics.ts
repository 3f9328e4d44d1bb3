/** How busy the two things are that requests wait for: connections to the database, and places where passwords are hashed. */
import type { Metrics } from './metrics.ts'

/** Whoever opened the database says so once, for all programs that share it. */
export function watchPool(
  metrics: Metrics,
  readLoad: () => { used: number; waiting: number; waits: number; waitedSeconds: number; refused: number },
): void {
  metrics.read(
    'gauge',
    {
      name: 'signet_database_connections',
      help: 'Connections in use, and work that waits for one.',
      labels: ['state'],
    },
    () => {
      const { used, waiting } = readLoad()
      return [
        { value: used, labels: { state: 'used' } },
        { value: waiting, labels: { state: 'waiting' } },
      ]
    },
  )
  const total = (name: string, help: string, read: () => number) =>
    metrics.read('counter', { name, help, labels: [] }, () => [{ value: read(), labels: {} }])
  total('signet_database_waits_total', 'Work that had to wait for a connection.', () => readLoad().waits)
  total('signet_database_wait_seconds_total', 'How long it waited, added up.', () => readLoad().waitedSeconds)
  total('signet_database_refused_total', 'Work that got no connection in time.', () => readLoad().refused)
}

export function watchHashing(
  metrics: Metrics,
  readLoad: () => { running: number; queued: number; shed: number },
): void {
  metrics.read(
    'gauge',
    { name: 'signet_hashing_jobs', help: 'Passwords that are hashed now, and that wait for it.', labels: ['state'] },
    () => {
      const { running, queued } = readLoad()
      return [
        { value: running, labels: { state: 'running' } },
        { value: queued, labels: { state: 'queued' } },
      ]
    },
  )
  metrics.read(
    'counter',
    { name: 'signet_hashing_shed_total', help: 'Callers who were told to come back, with 503.', labels: [] },
    () => [{ value: readLoad().shed, labels: {} }],
  )
}
