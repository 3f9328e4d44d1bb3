import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type Grant, type TenantId } from '@signet/kernel'
import { importPolicy } from './policy.ts'
import { type Reviewed, reviewParents, reviewRoles } from './review.ts'
import type { Candidate, LineReport } from './schema.ts'

export type ImportGrant = Grant<'users:create', { readonly id: TenantId }>

export interface Turns {
  /** Is this the identifier of a client that would have been created by now? */
  readonly isExpected: (identifier: string) => boolean
  /** Says what becomes of people who may be brought. */
  readonly settle: (grant: ImportGrant, people: readonly Reviewed[]) => Promise<LineReport[]>
}

/** Reviews and settles; sub-clients after everybody else: their clients may stand in the same lines. */
export async function settleInTurn(
  tx: TenantTx,
  actor: Actor,
  people: readonly Candidate[],
  { isExpected, settle }: Turns,
): Promise<LineReport[]> {
  const grant = authorize(importPolicy, 'users:create', actor, { id: tx.tenantId })
  const { accepted, refused } = await reviewRoles(tx, actor, people)
  const reports = [...refused]
  const others = accepted.filter(({ candidate }) => candidate.kind !== 'sub_client')
  if (others.length > 0) reports.push(...(await settle(grant, others)))
  const subClients = accepted.filter(({ candidate }) => candidate.kind === 'sub_client')
  if (subClients.length === 0) return reports
  const review = await reviewParents(tx, actor, subClients, isExpected)
  reports.push(...review.refused)
  if (review.accepted.length > 0) reports.push(...(await settle(grant, review.accepted)))
  return reports
}
