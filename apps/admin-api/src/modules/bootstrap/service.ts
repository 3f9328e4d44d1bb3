/**
 * The first tenant and its administrator, once: a constraint decides between two who try. Whoever calls from this machine
 * may, or whoever holds the setup token; nobody else, since until then the installation is anybody's.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { hashNewPassword } from '@signet/accounts'
import { newId, problem, type TenantId, type UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { slugOf } from '../tenants/index.ts'
import { hasPlatform, insertFirstRows } from './repo.ts'
import type { BootstrapInput, Bootstrapped } from './schema.ts'
import type { SetupCaller } from './setup-caller.ts'

/** The slug that the platform tenant has. */
const platformSlug = 'platform'

export function isInitialised({ db }: Pick<Deps, 'db'>): Promise<boolean> {
  return hasPlatform(db)
}

/**
 * Makes the platform tenant and the company. The person is at home in the platform as `super_admin` and a guest of the
 * company with the role `admin`. Whether the caller may is decided before.
 * @throws Problem `already-bootstrapped`, `password-…`, `tenant-slug-taken` for the slug of the platform
 */
export async function bootstrapInstallation(
  deps: Pick<Deps, 'db' | 'hasher' | 'passwordMinLength'>,
  { company, user }: BootstrapInput,
  request: { readonly id: string; readonly ip: string },
): Promise<Bootstrapped> {
  const { email, password, first_name: firstName = null, last_name: lastName = null } = user
  const slug = company.slug ?? slugOf(company.name, '/company/slug')
  if (slug === platformSlug) throw problem('tenant-slug-taken')
  const ids = { platformId: newId<TenantId>(), companyId: newId<TenantId>(), userId: newId<UserId>() }
  const passwordHash = await hashNewPassword(deps, password, { email, firstName, lastName })
  await insertFirstRows(deps.db, {
    ...ids,
    slug,
    name: company.name,
    email,
    firstName,
    lastName,
    passwordHash,
    request,
  })
  return {
    platform: { id: ids.platformId, slug: platformSlug },
    company: { id: ids.companyId, slug, name: company.name },
    user: { id: ids.userId, email: email.toLowerCase() },
  }
}

/** @throws Problem `setup-token-invalid` */
export function assertMaySetUp({ setup }: Pick<Deps, 'setup'>, caller: SetupCaller): void {
  if (setup.isLoopbackTrusted && caller.isOnThisMachine) return
  if (setup.token !== undefined && caller.bearer !== undefined && isSame(setup.token, caller.bearer)) return
  throw problem('setup-token-invalid')
}

/** Compared as digests: neither the length nor the first wrong letter shows in the time. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
