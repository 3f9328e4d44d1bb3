/** What a registration says, checked against the registry, and what it does to the catalogue of permissions. */
import type { ServiceRoute, TenantTx } from '@signet/db'
import { type Grant, problem } from '@signet/kernel'
import type { PersonOrService } from '../../wire/caller.ts'
import { permissionPattern } from '../permissions/index.ts'
import { type ApiDescription, readApiDescription } from './api-description.ts'
import { type Claim, claimsOf, findRivals, isSamePlace } from './claims.ts'
import { issuerRoutes, operationsPaths, placesRoutes } from './own-routes.ts'
import * as repo from './repo.ts'
import { mostRoutes, pathPattern } from './schema.ts'

/** Codes of the catalogue that a registration touches. */
export interface CatalogueChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** No longer asked for, but in use. */
  readonly kept: readonly string[]
}

type Registering = Grant<'services:create' | 'services:modify', repo.Service | null, PersonOrService>

const rules = { path: new RegExp(pathPattern), permission: new RegExp(permissionPattern), mostRoutes }

/** @throws Problem `invalid-input` where both are given, `invalid-api-description` */
export function readRoutes({
  routes,
  openapi,
}: {
  readonly routes?: readonly ServiceRoute[] | undefined
  readonly openapi?: unknown
}): ApiDescription {
  if (openapi === undefined) return { routes: routes ?? [], meanings: meaningsOf(routes ?? []) }
  if (routes === undefined) {
    const read = readApiDescription(openapi, rules)
    return { ...read, routes: read.routes.filter(({ path }) => !operationsPaths.has(path)) }
  }
  const message = 'and `routes` say the same thing: send one of them'
  throw problem('invalid-input', undefined, { errors: [{ pointer: '/openapi', message }] })
}

/** The administration has these too; behind one origin they are the issuer's. */
const leftToIssuer: ReadonlySet<string> = new Set(['/livez', '/readyz'])

/** What the administration itself answers, by its own document; read when it is first asked for, which is after the start. */
export function readOwnRoutes(document: () => unknown): () => readonly ServiceRoute[] {
  let routes: readonly ServiceRoute[] | undefined
  return () => {
    routes ??= readApiDescription(document(), rules).routes.filter(({ path }) => !leftToIssuer.has(path))
    return routes
  }
}

function meaningsOf(routes: readonly ServiceRoute[]): Map<string, string> {
  return new Map(
    routes.flatMap(({ access }) => (access === 'public' ? [] : access.permissions.map(code => [code, '']))),
  )
}

/**
 * Refuses what would take requests from another service. What the service has already may stay.
 * @param administration what the administration itself answers
 * @throws Problem `gateway-route-taken` naming whose it is
 */
export async function assertFree(
  tx: TenantTx,
  who: PersonOrService,
  name: string,
  routes: readonly ServiceRoute[],
  administration: readonly ServiceRoute[],
): Promise<void> {
  const registered = await repo.findAllServices(tx)
  const others = registered.filter(each => each.name !== name)
  const has = registered.filter(each => each.name === name).flatMap(each => claimsOf(name, each.routes))
  const rivals = {
    ours: [
      ...claimsOf('iam', issuerRoutes()),
      ...claimsOf('admin-api', administration),
      ...(registered.some(each => each.name === 'places') || name === 'places'
        ? []
        : claimsOf('places', placesRoutes())),
    ],
    others: others.flatMap(each => claimsOf(each.name, each.routes)),
    mayLieBelow: 'userId' in who,
  }
  for (const claim of claimsOf(name, routes)) {
    const isNew = !has.some(each => isSamePlace(each, claim) && claim.methods.every(m => each.methods.includes(m)))
    const [rival] = findRivals(claim, isNew ? rivals : { ...rivals, mayLieBelow: true })
    if (rival !== undefined) throw problem('gateway-route-taken', `${show(claim)} is taken by ${rival.service}.`)
  }
}

function show({ prefix, isExact, methods }: Claim): string {
  return `${methods.join(', ')} ${prefix}${isExact ? '' : '…'}`
}

/**
 * Makes the catalogue say what the service asks for: new codes come in, and those that it no longer asks for leave where nobody
 * uses them. What the catalogue says of a code that it has stays.
 * @throws Problem `permission-code-taken` naming the codes of others
 */
export async function changeCatalogue(
  tx: TenantTx,
  grant: Registering,
  service: string,
  meanings: ReadonlyMap<string, string>,
): Promise<CatalogueChange> {
  const wanted = [...meanings.keys()].toSorted()
  const known = await repo.findOwnersOf(tx, wanted)
  const foreign = known.filter(each => each.service !== service)
  if (foreign.length > 0) {
    const named = foreign.map(each => `${each.code} (${each.service})`).join(', ')
    throw problem('permission-code-taken', `These are permissions of another service: ${named}.`)
  }
  const added = wanted.filter(code => !known.some(each => each.code === code))
  await repo.insertPermissions(
    tx,
    grant,
    added.map(code => ({ code, service, description: meanings.get(code) ?? '' })),
  )
  const left = (await repo.findPermissionsOf(tx, service)).filter(code => !meanings.has(code)).toSorted()
  const kept = await repo.findUsedPermissions(tx, left)
  const removed = left.filter(code => !kept.includes(code))
  await repo.deletePermissions(tx, grant, removed)
  return { added, removed, kept }
}
