import type { ServiceId } from '@signet/kernel'
import type { Database } from './connect.ts'
import { runStatement } from './tenant-scope.ts'

interface FoundKey {
  readonly serviceId: ServiceId
  readonly serviceName: string
  readonly expiresAt: Date | null
}

/**
 * The service that a key was issued to, by the key's hash; undefined where there is none or it has expired. That it was used
 * is written at most once a minute, so that a busy service costs no write a call.
 * @throws Problem `database-unavailable`
 */
export async function findServiceKey(db: Database, hash: Uint8Array): Promise<FoundKey | undefined> {
  const [row] = await runStatement(
    db,
    sql => sql<FoundKey[]>`
      with found as (
        select k.id, s.id as "serviceId", s.name as "serviceName", k.expires_at as "expiresAt"
        from service_keys k join services s on s.id = k.service_id
        where k.key_hash = ${hash} and (k.expires_at is null or k.expires_at > now())
      ), used as (
        update service_keys k set last_used_at = now() from found
        where k.id = found.id and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute')
      )
      select "serviceId", "serviceName", "expiresAt" from found`,
  )
  return row
}
