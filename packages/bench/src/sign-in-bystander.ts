import { openConnection } from './workers/http-connection.ts'

/** The refresh token of somebody who is signed in before the load begins. */
export async function signInBystander(url: string, person: object): Promise<string> {
  const connection = await openConnection(url)
  const { status, body } = await connection.post('/api/v1/tokens', 'application/json', JSON.stringify(person))
  connection.close()
  if (status !== 200) throw new Error(`The bystander could not sign in: ${body}`)
  return (JSON.parse(body) as { refresh_token: string }).refresh_token
}
