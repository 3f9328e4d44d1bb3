import { isPlatformStaff } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { askDatabase } from './repo.ts'

/** Settings under their names; none is a secret. */
export type ShownSettings = Readonly<Record<string, string | number | boolean | readonly string[] | null>>

/** @throws Problem `database-unavailable` */
export function checkDatabase({ db }: Pick<Deps, 'db'>): Promise<void> {
  return askDatabase(db)
}

/** How the installation is set up concerns those who run it. @throws Problem `forbidden` */
export function readSettings(deps: Deps, caller: Caller, settings: ShownSettings): Promise<ShownSettings> {
  return actAs(deps, caller, isPlatformStaff, async () => settings)
}
