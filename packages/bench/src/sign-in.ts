/** Signing in once, over HTTP, and by its statements alone. */

import { randomBytes } from 'node:crypto'
import { type Database, runStatement } from '@signet/db'
import { newId, type TenantId, type UserId } from '@signet/kernel'
import { openConnection } from './workers/http-connection.ts'

/** Gives the refresh token. */
export async function signIn({ url }: { readonly url: string }, person: object): Promise<string> {
  const connection = await openConnection(url)
  const { status, body } = await connection.post('/api/v1/tokens', 'application/json', JSON.stringify(person))
  connection.close()
  if (status !== 200) throw new Error(`The bystander could not sign in: ${body}`)
  return (JSON.parse(body) as { refresh_token: string }).refresh_token
}

export interface NamedPerson {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly email: string
}

/** The statements of a sign-in: find the person, take an attempt, open the session. */
export async function signInWithoutHash(db: Database, { tenantId, userId, email }: NamedPerson): Promise<void> {
  const fingerprint = randomBytes(32)
  await runStatement(
    db,
    sql => sql`
      select user_id, hash, refusal, verdict
      from begin_sign_in('password', ${email}, null, null, null, null, ${userId}, ${fingerprint})`,
  )
  const [opened] = await runStatement(
    db,
    sql => sql`
      select kind from open_session(${newId()}, ${userId}, ${tenantId}, null, ${randomBytes(32)}, array['pwd'],
        interval '5 days', interval '30 days', 'session.opened', '127.0.0.1', 'bench', ${newId()}, 'password', ${fingerprint})`,
  )
  if (opened === undefined) throw new Error('Nobody was signed in.')
}
