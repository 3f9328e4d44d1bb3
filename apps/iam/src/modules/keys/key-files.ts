/**
 * A private key is one PEM file (PKCS 8) that its owner alone may read, in a folder that its owner alone may enter. A file
 * that others can read, that is missing or that is not the key that it is named after stops the program (THREATS K-04).
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { StartupError } from '@signet/kernel'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import type { NewKey } from './ring.ts'

/** Something about the folder keeps the keys from being used; the message names the file and the command that mends it. */
export class KeyFolderError extends StartupError {
  override readonly name = 'KeyFolderError'
}

export interface GeneratedKey extends NewKey {
  readonly pem: string
}

const modulusLength = 2048

export async function generateKey(): Promise<GeneratedKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return { ...(await describePublicKey(publicKey)), pem }
}

/** Written beside its place and renamed, so that nobody ever reads half of it. */
export async function writePrivateKey(folder: string, { kid, pem }: GeneratedKey): Promise<void> {
  const path = pathOf(folder, kid)
  const draft = `${path}.tmp`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(pem)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

/** @throws KeyFolderError when the file is missing, readable by others, or no such key. `mend` is the command that helps. */
export async function readPrivateKey(folder: string, kid: string, mend: string): Promise<KeyObject> {
  const path = pathOf(folder, kid)
  const fail = (what: string) => new KeyFolderError(`${path} ${what}. Restore it from your backup, or run: ${mend}`)
  let pem: string
  try {
    pem = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw fail('is missing')
    throw fail(`cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  await assertPrivate(path)
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw fail('is damaged: it holds no private key')
  }
  if (key.asymmetricKeyType !== 'rsa') throw fail('holds a key that is not RSA')
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < modulusLength)
    throw fail(`holds a key of fewer than ${modulusLength} bits`)
  const found = await describePublicKey(createPublicKey(key))
  if (found.kid !== kid) throw fail('holds another key than its name says')
  return key
}

/** The key ids of the private keys that lie there. */
export async function listPrivateKeys(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names.filter(name => name.endsWith('.pem')).map(name => name.slice(0, -'.pem'.length))
}

export async function deletePrivateKey(folder: string, kid: string): Promise<void> {
  await rm(pathOf(folder, kid), { force: true })
}

/** What a clone brings, and what stands there before the first key. */
const harmless = new Set(['README.md', 'secret'])

/**
 * Makes the folder, or closes it to others where it is as good as empty, as after a clone. A folder that holds anything else
 * is somebody's: its mode is theirs to change.
 * @throws KeyFolderError where others may enter a folder that is in use
 */
export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const names = await readdir(folder)
  if (names.every(name => harmless.has(name))) await chmod(folder, 0o700)
  else await assertPrivate(folder)
}

/** @throws KeyFolderError where anybody but the owner may read, write or enter */
export async function assertPrivate(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const found = await stat(path)
  if ((found.mode & 0o077) === 0) return
  const mode = (found.mode & 0o777).toString(8).padStart(3, '0')
  const what = found.isDirectory() ? 'can be entered by others' : 'can be read by others'
  throw new KeyFolderError(
    `${path} ${what} (mode ${mode}). Run: chmod ${found.isDirectory() ? 700 : 600} ${resolve(path)}`,
  )
}

async function describePublicKey(key: KeyObject): Promise<NewKey> {
  const { kty, n, e } = await exportJWK(key)
  if (kty !== 'RSA' || n === undefined || e === undefined) throw new Error('An RSA key was expected.')
  return { kid: await calculateJwkThumbprint({ kty, n, e }, 'sha256'), n, e }
}

function pathOf(folder: string, kid: string): string {
  return join(folder, `${kid}.pem`)
}
