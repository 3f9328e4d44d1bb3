/**
 * What was prepared of a tenant's bundle is kept for as long as its version holds, of the tenants that were asked about last. The
 * version is read in the transaction of the work: nothing decides by what has been changed before it. Load no bundle in a
 * transaction after it has changed roles or policies: should it roll back, its version would name something else.
 */
import type { TenantTx } from '@signet/db'
import { problem, type TenantId } from '@signet/kernel'
import { createDecider, type Decider, type Decision, type Question } from '@signet/verifier/policies'
import { findVersion, type LoadedBundle, selectBundle } from './repo.ts'

export interface Prepared {
  readonly bundle: LoadedBundle
  readonly decider: Decider
}

/** A bundle of fifty policies takes about a megabyte. */
const mostTenants = 100
const kept = new Map<TenantId, Prepared>()

/**
 * Calls `work` with what the tenant's roles and policies say now. `work` is synchronous: what is kept may give way to something
 * newer as soon as anybody waits.
 * @throws Problem `tenant-not-found`
 */
export async function withBundle<T>(tx: TenantTx, tenantId: TenantId, work: (prepared: Prepared) => T): Promise<T> {
  const version = await findVersion(tx, tenantId)
  const known = kept.get(tenantId)
  if (known !== undefined && version === String(known.bundle.version)) {
    kept.delete(tenantId)
    kept.set(tenantId, known)
    return work(known)
  }
  const bundle = await selectBundle(tx, tenantId)
  if (bundle === undefined) throw problem('tenant-not-found')
  return work(keep(tenantId, { bundle, decider: createDecider(bundle) }))
}

/** What the tenant's roles and policies said when the transaction asked, for questions that come while it works. */
export interface HeldBundle {
  readonly bundle: LoadedBundle
  decide(question: Question): Decision
}

/** @throws Problem `tenant-not-found` */
export async function holdBundle(tx: TenantTx, tenantId: TenantId): Promise<HeldBundle> {
  const prepared = await withBundle(tx, tenantId, found => found)
  return {
    bundle: prepared.bundle,
    decide(question) {
      try {
        return prepared.decider.decide(question)
      } finally {
        // It may have given way meanwhile, and was prepared again for this question: nobody else would give that back.
        if (kept.get(tenantId) !== prepared) prepared.decider.close()
      }
    },
  }
}

function keep(tenantId: TenantId, prepared: Prepared): Prepared {
  kept.get(tenantId)?.decider.close()
  kept.delete(tenantId)
  const [oldest] = kept.entries()
  if (oldest !== undefined && kept.size >= mostTenants) {
    oldest[1].decider.close()
    kept.delete(oldest[0])
  }
  kept.set(tenantId, prepared)
  return prepared
}
