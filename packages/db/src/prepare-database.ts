import { waitForDatabase } from './admin-client.ts'
import { grantLogin } from './login-grants.ts'
import { migrate } from './migrate.ts'

export interface PrepareSettings {
  readonly DATABASE_URL: string
  readonly DATABASE_ADMIN_URL?: string | undefined
  readonly RUN_MIGRATIONS?: boolean
  /** Seconds. */
  readonly WAIT_FOR_DB: number
}

/** Waits for the database and, where the settings say so, brings it forward and lets the program's login work in it. */
export async function prepareDatabase(settings: PrepareSettings): Promise<void> {
  const { DATABASE_URL, DATABASE_ADMIN_URL: url = DATABASE_URL } = settings
  const waitMs = settings.WAIT_FOR_DB * 1_000
  if (settings.RUN_MIGRATIONS !== true) return waitForDatabase(DATABASE_URL, waitMs)
  await migrate({ url, waitMs })
  await grantLogin(url, decodeURIComponent(new URL(DATABASE_URL).username), ['signet_app'])
}
