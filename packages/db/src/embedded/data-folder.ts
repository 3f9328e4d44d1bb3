/**
 * The folder of one server: PostgreSQL's cluster, and in it the passwords of its logins. A cluster is complete or not
 * there: it is made beside its place and renamed.
 */

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { canReach, type ServerAccount, statIfThere } from './account.ts'
import type { Binaries } from './binaries.ts'

export interface Passwords {
  readonly superuser: string
  readonly owner: string
  readonly program: string
}

const passwordFile = 'signet-passwords.json'

/** Where root keeps data that lies below a folder the server's account cannot pass. */
const sharedData = '/var/lib/signet'

const pointerFile = 'cluster-location'

/** Where the cluster of a data folder stands, if there is one. */
export async function clusterOf(home: string): Promise<string> {
  const pointed = await readFile(join(home, pointerFile), 'utf8').catch(() => undefined)
  return pointed?.trim() ?? join(home, 'cluster')
}

/**
 * The cluster's folder: `<dataDir>/cluster`, or, where the server's account cannot get there (a project below /root), a
 * folder in /var/lib/signet that a file in `dataDir` names.
 */
export async function locateCluster(
  dataDir: string,
  accountOf: (folder: string) => Promise<ServerAccount>,
): Promise<string> {
  const home = resolve(dataDir)
  const pointer = join(home, pointerFile)
  const cluster = await clusterOf(home)
  if (cluster !== join(home, 'cluster')) return cluster
  const account = await accountOf(cluster)
  const isRoot = 'uid' in account
  await mkdir(home, { recursive: true, mode: isRoot ? 0o755 : 0o700 })
  if (await canReach(account, home)) return cluster
  const elsewhere = join(sharedData, randomBytes(8).toString('hex'), 'cluster')
  await mkdir(join(elsewhere, '..'), { recursive: true, mode: 0o755 })
  await writeFile(pointer, `${elsewhere}\n`, { mode: 0o600, flag: 'wx' })
  return elsewhere
}

/** Makes the cluster when there is none, and gives its passwords. @throws Error with what initdb said */
export async function prepareCluster(
  cluster: string,
  binaries: Binaries,
  account: ServerAccount,
  isSynced: boolean,
): Promise<Passwords> {
  if ((await statIfThere(cluster)) === undefined) await createCluster(cluster, binaries, account, isSynced)
  return readPasswords(cluster)
}

export async function readPasswords(cluster: string): Promise<Passwords> {
  return JSON.parse(await readFile(join(cluster, passwordFile), 'utf8')) as Passwords
}

async function createCluster(
  cluster: string,
  binaries: Binaries,
  account: ServerAccount,
  isSynced: boolean,
): Promise<void> {
  const unfinished = `${cluster}.${randomBytes(6).toString('hex')}`
  const passwords: Passwords = { superuser: newPassword(), owner: newPassword(), program: newPassword() }
  const superuserFile = `${unfinished}.password`
  try {
    await mkdir(unfinished, { mode: 0o700 })
    await writeFile(superuserFile, passwords.superuser, { mode: 0o600 })
    await giveTo(account, unfinished, superuserFile)
    await runInitdb(unfinished, superuserFile, binaries, account, isSynced)
    await writeFile(join(unfinished, passwordFile), JSON.stringify(passwords), { mode: 0o600 })
    await giveTo(account, join(unfinished, passwordFile))
    await rename(unfinished, cluster)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    // Another start may have been quicker: then its cluster is used.
    if ((await statIfThere(cluster)) === undefined) throw error
  } finally {
    await rm(superuserFile, { force: true })
  }
}

/** UTF-8 everywhere, sorted by code point: the same on every machine and after every upgrade of its libraries. */
function runInitdb(
  folder: string,
  superuserFile: string,
  { initdb }: Binaries,
  account: ServerAccount,
  isSynced: boolean,
): Promise<void> {
  const options = [
    '-D',
    folder,
    '-U',
    'postgres',
    `--pwfile=${superuserFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
  ]
  options.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions')
  if (!isSynced) options.push('--no-sync')
  return new Promise((resolved, reject) => {
    const child = spawn(initdb, options, { ...account, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text
    })
    child.on('error', reject)
    child.on('close', code => {
      if (code === 0) resolved()
      else reject(new Error(`initdb could not make ${folder}: ${complaint.trim()}`))
    })
  })
}

function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

async function giveTo(account: ServerAccount, ...paths: string[]): Promise<void> {
  if (!('uid' in account)) return
  for (const path of paths) await chown(path, account.uid, account.gid)
}
