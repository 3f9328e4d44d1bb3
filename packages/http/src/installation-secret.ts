/**
 * The installation's secret: 32 random bytes beside the signing keys, from which every keyed hash, cursor and refresh
 * successor is derived. Readable by its owner alone, or the program does not start.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StartupError } from '@signet/kernel'

const secretBytes = 32

/** The message names the file and what mends it. */
class InstallationSecretError extends StartupError {
  override readonly name = 'InstallationSecretError'
}

/**
 * Reads `<folder>/secret`, or makes it where there is none. Two programs that start at once agree on one.
 * @throws InstallationSecretError that names the file when it is too short or readable by others
 */
export async function loadInstallationSecret(folder: string): Promise<Buffer> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'secret')
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(randomBytes(secretBytes))
    await file.sync()
    await file.close()
    await chmod(path, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const secret = await readWhole(path)
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new InstallationSecretError(
      `${path} can be read by others (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${path}`,
    )
  }
  return secret
}

async function readWhole(path: string): Promise<Buffer> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const secret = await readFile(path)
    if (secret.length === secretBytes) return secret
    if (secret.length > secretBytes) break
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new InstallationSecretError(
    `${path} does not hold ${secretBytes} bytes. Restore it from your backup; without it every session ends.`,
  )
}
