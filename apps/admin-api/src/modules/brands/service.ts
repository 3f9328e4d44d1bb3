/** White label: what clients see in the place of ours. An advisor carries a brand, or the tenant does. */
import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type BrandId, type Page, Problem, problem, type UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { findAdvisor } from '../advisors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { lockMembership } from '../memberships/index.ts'
import { brandPolicy, carrierPolicy } from './policy.ts'
import * as repo from './repo.ts'
import type { BrandChange, BrandQuery, NewBrand } from './schema.ts'

export type Brand = repo.Brand

export function listBrands(deps: Deps, caller: Caller, query: BrandQuery): Promise<Page<Brand>> {
  return actAs(deps, caller, 'brands:list', async (tx, actor) => {
    authorize(brandPolicy, 'brands:list', actor, null)
    return repo.listBrands(tx, deps.keys.cursor, query)
  })
}

/** @throws Problem `brand-not-found` */
export function readBrand(deps: Deps, caller: Caller, id: BrandId): Promise<Brand> {
  return actAs(deps, caller, 'brands:read', async (tx, actor) => {
    const brand = await repo.findBrand(tx, id)
    authorize(brandPolicy, 'brands:read', actor, brand)
    return brand
  })
}

/** @throws Problem `brand-name-taken` */
export function createBrand<Body>(
  deps: Deps,
  caller: Caller,
  { name, logo_url, primary_color }: NewBrand,
  once: Once<Brand, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'brands:create', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const grant = authorize(brandPolicy, 'brands:create', actor, null)
      const members = { name, logoUrl: logo_url ?? null, primaryColor: primary_color ?? null }
      const brand = await repo.insertBrand(tx, grant, members)
      await audit(tx, actor, 'brand.created', brand, { after: describe(brand) })
      return brand
    }),
  )
}

/** @throws Problem `brand-not-found`, `brand-name-taken`, `version-mismatch` */
export function changeBrand(
  deps: Deps,
  caller: Caller,
  id: BrandId,
  { name, logo_url, primary_color }: BrandChange,
  ifMatch: string | undefined,
): Promise<Brand> {
  return actAs(deps, caller, 'brands:modify', async (tx, actor) => {
    const before = await repo.lockBrand(tx, id)
    const grant = authorize(brandPolicy, 'brands:modify', actor, before)
    assertVersion(ifMatch, before)
    const after = await repo.updateBrand(tx, grant, {
      ...(name === undefined ? {} : { name }),
      ...(logo_url === undefined ? {} : { logoUrl: logo_url }),
      ...(primary_color === undefined ? {} : { primaryColor: primary_color }),
    })
    await audit(tx, actor, 'brand.modified', after, { before: describe(before), after: describe(after) })
    return after
  })
}

/** @throws Problem `brand-not-found`, `brand-in-use` naming who carries it, `version-mismatch` */
export function removeBrand(deps: Deps, caller: Caller, id: BrandId, ifMatch: string | undefined): Promise<void> {
  return actAs(deps, caller, 'brands:delete', async (tx, actor) => {
    const brand = await repo.lockBrand(tx, id)
    const grant = authorize(brandPolicy, 'brands:delete', actor, brand)
    assertVersion(ifMatch, brand)
    await assertNobodyCarries(tx, id)
    await repo.deleteBrand(tx, grant)
    await audit(tx, actor, 'brand.deleted', brand, { before: describe(brand) })
  })
}

/**
 * An advisor carries one brand: another one is replaced.
 * @throws Problem `brand-not-found`, `advisor-not-found` for whoever lacks the role, `forbidden` for one who holds more
 */
export function assignBrand(deps: Deps, caller: Caller, id: BrandId, userId: UserId): Promise<void> {
  return actAs(deps, caller, 'brands:modify', async (tx, actor) => {
    const brand = await repo.findBrand(tx, id)
    await findAdvisor(tx, userId, { lock: true })
    const grant = authorize(carrierPolicy, 'brands:modify', actor, await lockCarrier(tx, userId))
    if (grant.resource.brandId === id) return
    await repo.updateCarrier(tx, grant, id)
    await auditCarrier(tx, actor, 'advisor.brand-assigned', userId, { before: grant.resource.brandId, after: brand.id })
  })
}

/**
 * Nothing happens when the member carries it not; the role may be lost meanwhile.
 * @throws Problem `brand-not-found`, `advisor-not-found` for whoever is no member, `forbidden` for one who holds more
 */
export function withdrawBrand(deps: Deps, caller: Caller, id: BrandId, userId: UserId): Promise<void> {
  return actAs(deps, caller, 'brands:modify', async (tx, actor) => {
    await repo.findBrand(tx, id)
    const grant = authorize(carrierPolicy, 'brands:modify', actor, await lockCarrier(tx, userId))
    if (grant.resource.brandId !== id) return
    await repo.updateCarrier(tx, grant, null)
    await auditCarrier(tx, actor, 'advisor.brand-withdrawn', userId, { before: id, after: null })
  })
}

async function lockCarrier(tx: TenantTx, userId: UserId): Promise<repo.Carrier> {
  try {
    const { brandId, held } = await lockMembership(tx, { userId })
    return { userId, brandId, held }
  } catch (error) {
    throw error instanceof Problem && error.code === 'membership-not-found' ? problem('advisor-not-found') : error
  }
}

async function assertNobodyCarries(tx: TenantTx, id: BrandId): Promise<void> {
  const { isOfTenant, members, first } = await repo.findCarriers(tx, id)
  const more = members > first.length ? ` and ${members - first.length} more` : ''
  const carriers = [
    ...(isOfTenant ? ['the tenant itself'] : []),
    ...(members === 0 ? [] : [`the advisors ${first.join(', ')}${more}`]),
  ]
  if (carriers.length > 0) throw problem('brand-in-use', `It is carried by ${carriers.join(' and ')}.`)
}

function describe({ name, logoUrl, primaryColor }: Brand): Record<string, unknown> {
  return { name, logo_url: logoUrl, primary_color: primaryColor }
}

function audit(
  tx: TenantTx,
  actor: Actor,
  action: string,
  { id }: Brand,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  return recordAudit(tx, { action, actor, targetType: 'brand', targetId: id, ...change, request: actor.request })
}

function auditCarrier(
  tx: TenantTx,
  actor: Actor,
  action: string,
  userId: UserId,
  { before, after }: { before: BrandId | null; after: BrandId | null },
): Promise<void> {
  const target = { targetType: 'user', targetId: userId }
  const change = { before: { brand_id: before }, after: { brand_id: after } }
  return recordAudit(tx, { action, actor, ...target, ...change, request: actor.request })
}
