/** Where the services of eng-identity's platform are, by their names with the platform's prefix and without it. */
import type { CompatDeps } from './compat-deps.ts'

/** In the order of their ports on a developer's machine. */
const platform = ['drafting', 'vault', 'billing', 'compliance', 'lifecycle', 'engagement', 'analytics']
const firstPort = 5001

export function mapServices({
  addresses,
  serviceUrls,
}: Pick<CompatDeps, 'serviceUrls' | 'addresses'>): Record<string, string> {
  const usual = Object.fromEntries(platform.map((name, index) => [name, `http://localhost:${firstPort + index}`]))
  const named = Object.entries({ ...usual, ...serviceUrls })
  return {
    ...Object.fromEntries(named.flatMap(([name, url]) => [[`eng-${name}`, url] as const, [name, url] as const])),
    'eng-identity': addresses.iam,
  }
}
