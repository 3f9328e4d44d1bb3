/**
 * What a gateway can match of a path: the whole of it where nothing in it varies, else its beginning up to the first parameter.
 * The gateway is the outer door and never stricter than the service: where paths fall together, the access that all of them
 * need counts.
 */
import type { ServiceRoute } from '@signet/db'

export interface Claim {
  readonly service: string
  readonly prefix: string
  /** Matches this path alone; else all that begin so. */
  readonly isExact: boolean
  readonly methods: readonly string[]
  readonly access: ServiceRoute['access']
}

export function claimsOf(service: string, routes: readonly ServiceRoute[]): Claim[] {
  const needed = new Map<string, Omit<Claim, 'methods'> & { readonly method: string }>()
  for (const { path, methods, access } of routes) {
    const parameter = path.indexOf('{')
    const place = { prefix: parameter < 0 ? path : path.slice(0, parameter), isExact: parameter < 0 }
    for (const method of methods) {
      const name = JSON.stringify([place, method])
      const before = needed.get(name)?.access ?? access
      needed.set(name, { service, ...place, method, access: weakerOf(before, access) })
    }
  }
  const claims = new Map<string, Claim>()
  for (const { method, ...claim } of needed.values()) {
    const name = JSON.stringify(claim)
    const methods = [...(claims.get(name)?.methods ?? []), method].toSorted()
    claims.set(name, { ...claim, methods })
  }
  return [...claims.values()].toSorted(byLongestPrefix)
}

/** Longest first, a whole path before what only begins so; then by what is left, so that the order never changes. */
export function byLongestPrefix(a: Claim, b: Claim): number {
  return (
    b.prefix.length - a.prefix.length ||
    Number(b.isExact) - Number(a.isExact) ||
    compare(a.prefix, b.prefix) ||
    compare(a.methods.join(), b.methods.join()) ||
    compare(a.service, b.service)
  )
}

export interface Rivals {
  /** Of Signet's own programs: nothing of theirs is taken by anybody, nor anything below it. */
  readonly ours: readonly Claim[]
  /** Of other services: the same place for the same method is refused. */
  readonly others: readonly Claim[]
  /** May these claims lie below another service's? Its requests would then come here, with its callers' tokens. */
  readonly mayLieBelow: boolean
}

/** The claims of another that `claim` would take requests from, against the rules. */
export function findRivals(claim: Claim, { ours, others, mayLieBelow }: Rivals): Claim[] {
  return [
    ...ours.filter(own => covers(own, claim)),
    ...others.filter(
      other =>
        other.methods.some(method => claim.methods.includes(method)) &&
        (isSamePlace(other, claim) || (!mayLieBelow && covers(other, claim))),
    ),
  ]
}

export function isSamePlace(a: Claim, b: Claim): boolean {
  return a.prefix === b.prefix && a.isExact === b.isExact
}

function covers(outer: Claim, inner: Claim): boolean {
  return outer.isExact ? isSamePlace(outer, inner) : inner.prefix.startsWith(outer.prefix)
}

function weakerOf(a: ServiceRoute['access'], b: ServiceRoute['access']): ServiceRoute['access'] {
  if (a === 'public' || b === 'public') return 'public'
  return { permissions: a.permissions.filter(code => b.permissions.includes(code)).toSorted() }
}

/** By code unit: the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
