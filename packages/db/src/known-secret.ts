/** A database belongs to one installation's secret: with another, no refresh token, code or service key that it knows fits. */

import { StartupError } from '@signet/kernel'
import type { Database } from './connect.ts'
import { runStatement } from './tenant-scope.ts'

class UnknownSecretError extends StartupError {
  override readonly name = 'UnknownSecretError'
}

/**
 * The first start with a database decides which secret that is.
 * @param mark derived from the secret, and tells nothing about it
 * @param folder where the secret was found, for whoever has to mend it
 * @throws UnknownSecretError; Problem `database-unavailable`
 */
export async function assertKnownSecret(db: Database, mark: Uint8Array, folder: string): Promise<void> {
  const [row] = await runStatement(db, sql => sql<[{ isKnown: boolean }]>`select confirm_secret(${mark}) as "isKnown"`)
  if (row.isKnown) return
  throw new UnknownSecretError(
    `${folder}/secret is not the one that this database is used with: no refresh token, code or service key would fit. Every node needs the same folder; restore it from your backup. Where it is lost, run: pnpm migrate --restored`,
  )
}
