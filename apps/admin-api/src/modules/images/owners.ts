/** Whose an image is, and who may read and change it there: a person's avatar, a company's logo. */
import { findUser, recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, problem, type Rule, type TenantId, type UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { findTenant, lockTenant, tenantPolicy } from '../tenants/index.ts'
import { findStanding, lockUser } from '../users/index.ts'
import { avatarPolicy } from './policy.ts'
import { findHome, updateAvatar, updateLogo } from './repo.ts'

export interface ImageOwner {
  /** The tenant whose rows exist while the image is read or changed. */
  readonly scope: TenantId
  /** What is needed before anything is looked up. */
  readonly toRead: string | Rule<null>
  readonly toChange: string | Rule<null>
  /** The key of the image, for whoever may read it. */
  readonly find: (tx: TenantTx, actor: Actor) => Promise<string | null>
  /** The owner, whom nobody else changes before the transaction ends, for whoever may change the image. */
  readonly lock: (tx: TenantTx, actor: Actor) => Promise<LockedOwner>
}

export interface LockedOwner {
  readonly key: string | null
  /** Audited. Null takes the image away. */
  readonly change: (key: string | null) => Promise<void>
}

/** One's own needs an account and no permission. */
const anybody: Rule<null> = () => true

/** One's own is at home, whichever tenant one works in as a guest. */
export async function avatarOf({ db }: Pick<Deps, 'db'>, caller: Caller, id: UserId): Promise<ImageOwner> {
  const isOwn = caller.userId === id
  return {
    scope: isOwn ? await findHome(db, caller) : caller.tenantId,
    toRead: isOwn ? anybody : 'users:read',
    toChange: isOwn ? anybody : 'users:modify',
    find: async (tx, actor) => {
      const user = await findUser(tx, id)
      return authorize(avatarPolicy, 'users:read', actor, user).resource.avatarKey
    },
    lock: async (tx, actor) => {
      const user = await lockUser(tx, id)
      const person = { ...user, ...(await findStanding(tx, user)) }
      const grant = authorize(avatarPolicy, 'users:modify', actor, person)
      const change = async (key: string | null) => {
        await updateAvatar(tx, grant, key)
        await audit(tx, actor, key === null ? 'user.avatar-removed' : 'user.avatar-set', 'user', id)
      }
      return { key: user.avatarKey, change }
    },
  }
}

/** Of the caller's own tenant: the platform enters a tenant to change its logo. */
export function logoOf(caller: Caller, id: TenantId): ImageOwner {
  const assertOwn = () => {
    if (id !== caller.tenantId) throw problem('tenant-not-found')
  }
  return {
    scope: caller.tenantId,
    toRead: 'tenants:read',
    toChange: 'tenants:modify',
    find: async (tx, actor) => {
      assertOwn()
      return authorize(tenantPolicy, 'tenants:read', actor, await findTenant(tx)).resource.logoKey
    },
    lock: async (tx, actor) => {
      assertOwn()
      const tenant = await lockTenant(tx)
      const grant = authorize(tenantPolicy, 'tenants:modify', actor, tenant)
      const change = async (key: string | null) => {
        await updateLogo(tx, grant, key)
        await audit(tx, actor, key === null ? 'tenant.logo-removed' : 'tenant.logo-set', 'tenant', id)
      }
      return { key: tenant.logoKey, change }
    },
  }
}

function audit(tx: TenantTx, actor: Actor, action: string, targetType: string, targetId: string): Promise<void> {
  return recordAudit(tx, { action, actor, targetType, targetId, request: actor.request })
}
