import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type BrandId, type Page, problem, type TenantId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { tenantPolicy } from './policy.ts'
import { mergeProfile } from './profile.ts'
import * as repo from './repo.ts'
import type { NewTenant, TenantChange, TenantQuery } from './schema.ts'
import { slugOf } from './slug.ts'

export type Tenant = repo.Tenant

export function listTenants(deps: Deps, caller: Caller, query: TenantQuery): Promise<Page<Tenant>> {
  return actAs(deps, caller, 'tenants:list', async (tx, actor) => {
    const grant = authorize(tenantPolicy, 'tenants:list', actor, null)
    return repo.listTenants(tx, grant, deps.keys.cursor, query)
  })
}

/** @throws Problem `tenant-not-found` */
export function readTenant(deps: Deps, caller: Caller, id: TenantId): Promise<Tenant> {
  const work = async (tx: TenantTx, actor: Actor) => {
    const tenant = await repo.findTenant(tx)
    return authorize(tenantPolicy, 'tenants:read', actor, tenant).resource
  }
  return actAs(deps, caller, 'tenants:read', work, id)
}

/** @throws Problem `tenant-slug-taken` */
export function createTenant<Body>(
  deps: Deps,
  caller: Caller,
  { name, slug = slugOf(name, '/slug'), settings = {} }: NewTenant,
  once: Once<Tenant, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'tenants:create', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const grant = authorize(tenantPolicy, 'tenants:create', actor, null)
      const tenant = await repo.insertTenant(tx, grant, { name, slug, settings })
      const event = { action: 'tenant.created', after: describe(tenant) }
      await recordAudit(tx, { ...event, actor, targetType: 'tenant', targetId: tenant.id, request: actor.request })
      await repo.recordElsewhere(tx, actor, tenant.id, { ...event, tenant })
      return tenant
    }),
  )
}

/**
 * Suspending or closing ends every session in the tenant, in the same transaction.
 * @throws Problem `tenant-not-found`, `forbidden`, `brand-not-found`, `tenant-in-use` for the status of the platform,
 *   `version-mismatch`
 */
export function changeTenant(
  deps: Deps,
  caller: Caller,
  id: TenantId,
  { name, settings, status, brand_id }: TenantChange,
  ifMatch: string | undefined,
): Promise<Tenant> {
  const work = async (tx: TenantTx, actor: Actor) => {
    const before = await repo.lockTenant(tx)
    const grant = authorize(tenantPolicy, 'tenants:modify', actor, before)
    assertVersion(ifMatch, before)
    let ended = 0
    if (status !== undefined && status !== before.status) {
      const statusGrant = authorize(tenantPolicy, 'tenant-status:modify', actor, before)
      assertNoPlatform(before)
      if (status !== 'active') ended = await repo.endSessions(tx, statusGrant)
    }
    const after = await repo.updateTenant(tx, grant, {
      ...(name === undefined ? {} : { name }),
      ...(settings === undefined ? {} : { settings: mergeSettings(before.settings, settings) }),
      ...(status === undefined ? {} : { status }),
      ...(brand_id === undefined ? {} : { brandId: brand_id as BrandId | null }),
    })
    await audit(tx, actor, 'tenant.modified', before, { ...describe(after), sessions_ended: ended })
    return after
  }
  return actAs(deps, caller, 'tenants:modify', work, id)
}

/** @throws Problem `tenant-not-found`, `tenant-in-use` naming what uses it, `version-mismatch` */
export function removeTenant(deps: Deps, caller: Caller, id: TenantId, ifMatch: string | undefined): Promise<void> {
  const work = async (tx: TenantTx, actor: Actor) => {
    const tenant = await repo.lockTenant(tx)
    const grant = authorize(tenantPolicy, 'tenants:delete', actor, tenant)
    assertVersion(ifMatch, tenant)
    assertNoPlatform(tenant)
    const uses = await repo.findUses(tx)
    if (uses.length > 0)
      throw problem('tenant-in-use', `It has ${uses.join(', ')}. Close it instead: its history stays.`)
    await repo.deleteTenant(tx, grant)
    await repo.recordElsewhere(tx, actor, actor.tenantId, { action: 'tenant.deleted', tenant, after: describe(tenant) })
  }
  return actAs(deps, caller, 'tenants:delete', work, id)
}

function assertNoPlatform(tenant: Tenant): void {
  if (tenant.isPlatform) throw problem('tenant-in-use', 'Those who run this installation live in the platform tenant.')
}

/** RFC 7396: null takes a member away, an absent one stays. */
function mergeSettings(
  before: Tenant['settings'],
  change: NonNullable<TenantChange['settings']> | null,
): Tenant['settings'] {
  if (change === null) return {}
  const { profile, ...rest } = change
  const merged = Object.entries({
    ...before,
    ...rest,
    ...(profile === undefined ? {} : { profile: profile && mergeProfile(before.profile ?? {}, profile) }),
  }).filter(([, value]) => value !== null)
  return Object.fromEntries(merged) as Tenant['settings']
}

function describe({ slug, name, status, settings, brandId }: Tenant): Record<string, unknown> {
  return { slug, name, status, settings, brand_id: brandId }
}

/** In the tenant itself, and in the actor's where that is another. */
async function audit(
  tx: TenantTx,
  actor: Actor,
  action: string,
  tenant: Tenant,
  after: Readonly<Record<string, unknown>>,
): Promise<void> {
  const target = { targetType: 'tenant', targetId: tenant.id }
  await recordAudit(tx, { action, actor, ...target, before: describe(tenant), after, request: actor.request })
  if (actor.tenantId !== tenant.id) await repo.recordElsewhere(tx, actor, actor.tenantId, { action, tenant, after })
}
