/** Insert first, then say what the violated constraint means: looking first would race (HOUSE 4.5). */

import type { Problem } from '@signet/kernel'
import { findPostgresError } from './database-faults.ts'

/** What the violation of each named constraint means to the caller. */
type ConstraintMeanings = Readonly<Record<string, () => Problem>>

/**
 * Gives the problem for the constraint that `error` names, or `error` itself when it names none of `meanings`:
 * `catch (error) { throw translateConstraint(error, { users__email: () => problem('email-taken') }) }`.
 */
export function translateConstraint(error: unknown, meanings: ConstraintMeanings): unknown {
  const name = findPostgresError(error)?.constraint_name
  if (name === undefined || !Object.hasOwn(meanings, name)) return error
  return meanings[name]?.() ?? error
}
