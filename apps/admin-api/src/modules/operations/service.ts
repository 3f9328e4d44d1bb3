import { isPlatformStaff } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { version } from '../../version.ts'
import { askDatabase } from './repo.ts'
import type { HealthView } from './schema.ts'

/** Settings under their names; none is a secret. */
export type ShownSettings = Readonly<Record<string, string | number | boolean | readonly string[] | null>>

/** @throws Problem `database-unavailable` */
export function checkDatabase({ db }: Pick<Deps, 'db'>): Promise<void> {
  return askDatabase(db)
}

/** `cause` is for the log: the answer says that the database fails, and not how. */
export async function readHealth(
  deps: Pick<Deps, 'db'>,
  environment: string,
): Promise<{ readonly health: HealthView; readonly cause?: unknown }> {
  const startedAt = performance.now()
  const cause = await checkDatabase(deps).then(
    () => undefined,
    (error: unknown) => error ?? new Error('The database does not answer.'),
  )
  const healthy = cause === undefined
  const database = {
    healthy,
    message: healthy ? 'The database answers' : 'The database does not answer',
    response_time_ms: Math.round((performance.now() - startedAt) * 100) / 100,
  }
  const status = healthy ? ('healthy' as const) : ('unhealthy' as const)
  const timestamp = new Date().toISOString()
  const health = { status, service: 'signet-admin-api', timestamp, version, environment, checks: { database } }
  return healthy ? { health } : { health, cause }
}

/** How the installation is set up concerns those who run it. @throws Problem `forbidden` */
export function readSettings(deps: Deps, caller: Caller, settings: ShownSettings): Promise<ShownSettings> {
  return actAs(deps, caller, isPlatformStaff, async () => ({ ...settings, ...forOlderCallers(settings) }))
}

/** What pm-identity-api called them. Where the database is concerns nobody who asks over HTTP: its address is masked whole. */
function forOlderCallers({ environment = null }: ShownSettings): ShownSettings {
  return { env: environment, debug: false, database_url: 'postgresql://***' }
}
