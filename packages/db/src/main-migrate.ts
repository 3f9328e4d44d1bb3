// `pnpm migrate`: brings the database forward and lets the programs' login work in it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  databaseUrl,
  databaseWait,
  postgresUrl,
  readSecretFiles,
  readSettings,
  SettingsError,
  text,
} from '@signet/kernel'
import { findEmbedded } from './embedded/find-embedded.ts'
import { grantLogin } from './login-grants.ts'
import { migrate } from './migrate.ts'
import { settleRestore } from './settle-restore.ts'

const help = `Usage: pnpm migrate [--restored]

Applies the migrations of drizzle/ that are not applied yet, each in a transaction of its own.
The programs may go on working meanwhile: a migration waits half a second for a lock, steps back and tries again.
Running it twice, or twice at once, does no harm.

  --restored          Also makes a database safe that was restored from a backup (apps/iam/docs/backup.md): ends all
                      sessions, codes and client tokens, and leaves behind the numbers given out since the backup.

  DATABASE_ADMIN_URL  postgres://owner:password@host:5432/database, the login that owns the tables.
                      It may create roles (CREATEROLE). Direct, not through a pooler.
  DATABASE_URL        The login of the programs, which is allowed to work in the tables here.
                      Alone, without DATABASE_ADMIN_URL, it migrates as well.
  SIGNET_HOME         Without either address: the installation that runs its own database there. Default .signet.
  WAIT_FOR_DB         Seconds to wait for a server that is starting. Default 30.

Both addresses may stand in files instead, named by DATABASE_ADMIN_URL_FILE and DATABASE_URL_FILE.`

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help)
    return 0
  }
  const others = args.filter(word => word !== '--restored')
  if (others.length > 0) {
    console.error(`There is no option ${others.join(' ')}.\n\n${help}`)
    return 2
  }
  try {
    await bringForward(args.includes('--restored'))
    return 0
  } catch (error) {
    console.error(describe(error))
    return 1
  }
}

async function bringForward(isRestored: boolean): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const settings = readSettings(
    {
      DATABASE_ADMIN_URL: postgresUrl(),
      DATABASE_URL: databaseUrl(),
      SIGNET_HOME: text('.signet'),
      WAIT_FOR_DB: databaseWait(),
    },
    readSecretFiles(process.env, path => readFileSync(path, 'utf8')),
  )
  const url =
    settings.DATABASE_ADMIN_URL ??
    settings.DATABASE_URL ??
    (await findEmbedded(join(settings.SIGNET_HOME, 'pg'), 'owner'))
  if (url === undefined) {
    throw new SettingsError([
      `DATABASE_ADMIN_URL or DATABASE_URL is needed: no installation runs its own database in ${settings.SIGNET_HOME}/pg.`,
    ])
  }
  const { username, host, pathname } = new URL(url)
  console.log(`Migrating ${host}${pathname} as ${decodeURIComponent(username)}`)
  const applied = await migrate({
    url,
    waitMs: settings.WAIT_FOR_DB * 1_000,
    onWait: wait => console.log(`  waiting  ${wait.name}: others hold a lock that it needs (attempt ${wait.attempt})`),
    onStep: step => console.log(`  applied  ${step.name}  (${Math.round(step.durationMs)} ms)`),
  })
  console.log(applied.length === 0 ? 'Nothing to do: the database is up to date.' : `${applied.length} applied.`)
  if (isRestored) console.log(describeSettled(await settleRestore(url)))
  if (settings.DATABASE_URL === undefined) return
  const login = decodeURIComponent(new URL(settings.DATABASE_URL).username)
  const isGranted = await grantLogin(url, login, ['signet_app', 'signet_places'])
  if (isGranted) console.log(`The login ${login} may work as signet_app and signet_places.`)
}

function describeSettled({ sessions, codes, clientTokens }: Awaited<ReturnType<typeof settleRestore>>): string {
  return `Settled: ${sessions} sessions, ${codes} codes and ${clientTokens} client tokens of the backup are over.`
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? ` (${String(error.code)})` : ''
  return error instanceof SettingsError ? error.message : `Could not migrate: ${error.message}${code}`
}
