import { permissions, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, type Page, problem } from '@signet/kernel'
import { eq, getTableColumns, sql } from 'drizzle-orm'
import { holdsText, listRows } from '../lists/index.ts'
import type { NewPermission, PermissionQuery } from './schema.ts'

export type Permission = typeof permissions.$inferSelect

const meanings = {
  permissions__code: () => problem('permission-code-taken'),
  role_permissions__permission: () => problem('permission-in-use', 'Roles hold this permission.'),
  policy_statements__permission: () => problem('permission-in-use', 'Policies name this permission.'),
}

export function listPermissions(
  tx: TenantTx,
  cursorKey: Uint8Array,
  query: PermissionQuery,
): Promise<Page<Permission>> {
  const { q, service, is_platform } = query
  const byCode = { by: permissions.code, type: 'text' } as const
  return listRows<Permission>(
    tx,
    cursorKey,
    {
      name: 'permissions',
      from: permissions,
      columns: getTableColumns(permissions),
      id: byCode,
      sorts: { code: byCode, created_at: { by: permissions.createdAt, type: 'timestamptz' } },
      filters: [
        holdsText(q, permissions.code, permissions.description),
        service === undefined ? undefined : eq(permissions.service, service),
        is_platform === undefined ? undefined : eq(permissions.isPlatform, is_platform),
      ],
    },
    query,
  )
}

/** @throws Problem `permission-not-found` */
export async function findPermission({ db }: TenantTx, code: string): Promise<Permission> {
  const [permission] = await db.select().from(permissions).where(eq(permissions.code, code))
  if (permission === undefined) throw problem('permission-not-found')
  return permission
}

/** As `findPermission`, and nobody else changes it before this transaction ends. */
export async function lockPermission({ db }: TenantTx, code: string): Promise<Permission> {
  const [permission] = await db.select().from(permissions).where(eq(permissions.code, code)).for('update')
  if (permission === undefined) throw problem('permission-not-found')
  return permission
}

/** @throws Problem `permission-code-taken` */
export async function insertPermission(
  { db }: TenantTx,
  _grant: Grant<'permissions:create', Permission | null>,
  { code, service, description = '' }: NewPermission,
): Promise<Permission> {
  try {
    const [permission] = await db.insert(permissions).values({ code, service, description }).returning()
    return permission as Permission
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

export async function updatePermission(
  { db }: TenantTx,
  grant: Grant<'permissions:modify', Permission>,
  description: string,
): Promise<Permission> {
  const { code, version } = grant.resource
  const [permission] = await db
    .update(permissions)
    .set({ description, version: version + 1, updatedAt: sql`now()` })
    .where(eq(permissions.code, code))
    .returning()
  return permission as Permission
}

/** @throws Problem `permission-in-use` */
export async function deletePermission(
  { db }: TenantTx,
  grant: Grant<'permissions:delete', Permission>,
): Promise<void> {
  try {
    await db.delete(permissions).where(eq(permissions.code, grant.resource.code))
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}
