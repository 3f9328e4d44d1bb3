import { join } from 'node:path'
import { type Database, findEmbedded, openDatabase } from '@signet/db'
import { runOutboxCommand } from '@signet/delivery'
import { loadEnvironment } from '@signet/http/environment'
import { Problem, SettingsError } from '@signet/kernel'
import { readOutboxConfig } from './config.ts'

let database: Database | undefined
try {
  const { text, exitCode } = await runOutboxCommand(open, process.argv.slice(2))
  const stream = exitCode === 0 ? process.stdout : process.stderr
  stream.write(text)
  process.exitCode = exitCode
} catch (error) {
  console.error(describe(error))
  process.exitCode = 1
} finally {
  await database?.close()
}

async function open(): Promise<Database> {
  const { DATABASE_URL, SIGNET_HOME } = readOutboxConfig(loadEnvironment())
  const url = DATABASE_URL ?? (await findEmbedded(join(SIGNET_HOME, 'pg'), 'program'))
  if (url === undefined) {
    throw new SettingsError([
      `DATABASE_URL is missing, and no installation runs its own database in ${SIGNET_HOME}/pg.`,
    ])
  }
  database = openDatabase({ url, max: 1, applicationName: 'signet-outbox' })
  return database
}

/** What an operator can mend is said without a stack. */
function describe(error: unknown): unknown {
  if (error instanceof SettingsError) return error.message
  return error instanceof Problem && error.code === 'database-unavailable'
    ? `The database cannot be reached: ${error.cause instanceof Error ? error.cause.message : error.message}`
    : error
}
