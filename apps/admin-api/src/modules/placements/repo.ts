import { memberships, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, type PositionId, problem } from '@signet/kernel'
import { and, eq, sql } from 'drizzle-orm'
import type { Membership } from '../memberships/index.ts'

const meanings = { memberships__position: () => problem('position-not-found') }

/** In the place of the position that the member held. @throws Problem `position-not-found` */
export async function updatePlace(
  { db }: TenantTx,
  { resource }: Grant<'positions:modify', Membership>,
  positionId: PositionId | null,
): Promise<void> {
  try {
    await db
      .update(memberships)
      .set({ positionId, version: resource.version + 1, updatedAt: sql`now()` })
      .where(and(eq(memberships.tenantId, resource.tenantId), eq(memberships.id, resource.id)))
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}
