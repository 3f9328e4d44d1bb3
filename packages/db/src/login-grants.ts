/** A program's login owns nothing: all it may do is become a working role for one transaction. */

import { withAdminClient } from './admin-client.ts'

export type WorkingRole = 'signet_app' | 'signet_system' | 'signet_places'

/**
 * Lets `login` become `roles`. Nothing happens when the administrator's own login is meant.
 * @param adminUrl the login that ran the migrations
 */
export async function grantLogin(adminUrl: string, login: string, roles: readonly WorkingRole[]): Promise<void> {
  await withAdminClient(adminUrl, async sql => {
    const [administrator] = await sql<{ name: string }[]>`select current_user as name`
    if (administrator?.name === login) return
    for (const role of roles) await sql`grant ${sql(role)} to ${sql(login)}`
  })
}
