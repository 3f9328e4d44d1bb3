// Prints the URL of a PostgreSQL on this machine in which the suite may create databases and roles; says why when there is none.
import { userInfo } from 'node:os'
import postgres from 'postgres'

const address = '127.0.0.1:5432'
const logins = new Set([process.env['PGUSER'], userInfo().username, 'postgres'].filter(login => login !== undefined))

for (const login of logins) {
  const url = `postgres://${encodeURIComponent(login)}@${address}/postgres`
  const refusal = await findRefusal(url)
  if (refusal === undefined) {
    console.log(url)
    process.exit(0)
  }
  console.error(`${login}: ${refusal}`)
}
process.exitCode = 1

/** Why this login cannot carry the suite, or undefined when it can. */
async function findRefusal(url: string): Promise<string | undefined> {
  const sql = postgres(url, { max: 1, connect_timeout: 3, onnotice: () => undefined })
  try {
    const [role] = await sql<{ rolsuper: boolean }[]>`select rolsuper from pg_roles where rolname = current_user`
    return role?.rolsuper === true ? undefined : 'is no superuser, so it cannot prepare what the suite needs'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await sql.end()
  }
}
