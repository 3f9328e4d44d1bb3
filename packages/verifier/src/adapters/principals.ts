// Which principal a request has, by the namespace of the verifier that found it. It is kept beside the request, so that
// nothing that a caller sends, and no other middleware, can put one there.

import type { Principal } from '../principal.ts'

export const defaultNamespace = 'principal'

const byNamespace = new Map<string, WeakMap<object, Principal>>()
// Carriers and holders that already show the namespace.
const shown = new Map<string, WeakSet<object>>()

/** The latest guard decides: who passes without a principal has none, whatever an earlier one found. */
export function rememberPrincipal(carrier: object, namespace: string, principal: Principal | undefined): void {
  let principals = byNamespace.get(namespace)
  if (principals === undefined) byNamespace.set(namespace, (principals = new WeakMap()))
  if (principal === undefined) principals.delete(carrier)
  else principals.set(carrier, principal)
}

export function findPrincipal(carrier: object, namespace = defaultNamespace): Principal | undefined {
  return byNamespace.get(namespace)?.get(carrier)
}

/** @throws Error where there is none: the route is public or optional, or has no guard, which is its programmer's mistake */
export function principalOf(carrier: object, namespace = defaultNamespace): Principal {
  const principal = findPrincipal(carrier, namespace)
  if (principal !== undefined) return principal
  throw new Error(
    `This request has no ${namespace}: its route is public or has no guard of that namespace, or it came without a token. ` +
      'Where it may have none, ask findPrincipal.',
  )
}

/** Makes `holder[namespace]` say whom the carrier has, and throw where it has nobody. */
export function showPrincipal(carrier: object, holder: object, namespace: string): void {
  let holders = shown.get(namespace)
  if (holders === undefined) shown.set(namespace, (holders = new WeakSet()))
  if (holders.has(holder)) return
  if (namespace in holder)
    throw new TypeError(`The name ${namespace} is taken on this request: choose another namespace`)
  // Not enumerable: who copies or prints the holder asks for no principal.
  Object.defineProperty(holder, namespace, { configurable: true, get: () => principalOf(carrier, namespace) })
  holders.add(holder)
}
