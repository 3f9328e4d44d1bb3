/**
 * The server's logins: the owner migrates and owns the tables, the programs' login owns nothing. Neither is a superuser, so
 * row-level security holds for both. Repeated at every start: a start that was interrupted is finished by the next one.
 */

import type postgres from 'postgres'
import type { Passwords } from './data-folder.ts'

export const databaseName = 'signet'
export const ownerLogin = 'signet_owner'
export const programLogin = 'signet'

export async function ensureLogins(sql: postgres.ReservedSql, passwords: Passwords): Promise<void> {
  await ensureLogin(sql, ownerLogin, passwords.owner, 'createrole')
  await ensureLogin(sql, programLogin, passwords.program, 'inherit')
  const [found] = await sql`select 1 from pg_database where datname = ${databaseName}`
  if (found === undefined) await sql`create database ${sql(databaseName)} owner ${sql(ownerLogin)}`
}

/** A new role or the one that exists; utility statements take no parameters, so the password is quoted by `format`. */
async function ensureLogin(
  sql: postgres.ReservedSql,
  login: string,
  password: string,
  attribute: string,
): Promise<void> {
  const [found] = await sql`select 1 from pg_roles where rolname = ${login}`
  const verb = found === undefined ? 'create' : 'alter'
  const rest = `role %I login nosuperuser nobypassrls ${attribute} password %L`
  const [statement] = await sql<{ text: string }[]>`
    select format(${`${verb} ${rest}`}, ${login}::text, ${password}::text) as text`
  if (statement !== undefined) await sql.unsafe(statement.text)
}
