/** A program's login owns nothing: it has the rights of a working role, and becomes it for each transaction. */

import { withAdminClient } from './admin-client.ts'

type WorkingRole = 'signet_app' | 'signet_system' | 'signet_places'

/**
 * Lets `login` have and become `roles`; gives whether something was granted, which the administrator's own login does not need.
 * @param adminUrl the login that ran the migrations
 */
export async function grantLogin(adminUrl: string, login: string, roles: readonly WorkingRole[]): Promise<boolean> {
  return withAdminClient(adminUrl, async sql => {
    const [administrator] = await sql<{ name: string; version: number }[]>`
      select current_user as name, current_setting('server_version_num')::int as version`
    if (administrator === undefined || administrator.name === login) return false
    // Before PostgreSQL 16 inheriting is an attribute of the login, and on by default.
    const inheriting = administrator.version >= 160_000 ? sql`with inherit true` : sql``
    for (const role of roles) await sql`grant ${sql(role)} to ${sql(login)} ${inheriting}`
    return true
  })
}
