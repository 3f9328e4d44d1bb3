/** A program's login owns nothing: all it may do is become a working role for one transaction. */

import { withAdminClient } from './admin-client.ts'

type WorkingRole = 'signet_app' | 'signet_system' | 'signet_places'

/**
 * Lets `login` become `roles`; gives whether something was granted, which the administrator's own login does not need.
 * @param adminUrl the login that ran the migrations
 */
export async function grantLogin(adminUrl: string, login: string, roles: readonly WorkingRole[]): Promise<boolean> {
  return withAdminClient(adminUrl, async sql => {
    const [administrator] = await sql<{ name: string }[]>`select current_user as name`
    if (administrator?.name === login) return false
    for (const role of roles) await sql`grant ${sql(role)} to ${sql(login)}`
    return true
  })
}
