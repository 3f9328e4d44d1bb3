/** One file holds the first administrator's password. Its owner alone can read it. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface FirstAdmin {
  readonly email: string
  readonly password: string
  /** The company. Missing while the account is being made. */
  readonly tenant_id?: string
  readonly iam_url?: string
  readonly admin_url?: string
  readonly places_url?: string
}

const passwordBytes = 18

export function inventAdmin(): FirstAdmin {
  return { email: 'admin@example.com', password: randomBytes(passwordBytes).toString('base64url') }
}

/** Undefined where there is no file. @throws Error that names it when it is not one of ours */
export async function readFirstAdmin(path: string): Promise<FirstAdmin | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const admin = parse(text)
  if (admin !== undefined) return admin
  throw new Error(`${path} does not hold an e-mail address and a password. Restore it, or move it away.`)
}

function parse(text: string): FirstAdmin | undefined {
  try {
    const admin = JSON.parse(text) as FirstAdmin
    return typeof admin.email === 'string' && typeof admin.password === 'string' ? admin : undefined
  } catch {
    return undefined
  }
}

/** Whole or not at all. */
export async function writeFirstAdmin(path: string, admin: FirstAdmin): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}`
  await writeFile(draft, `${JSON.stringify(admin, null, 2)}\n`, { mode: 0o600 })
  await chmod(draft, 0o600)
  await rename(draft, path)
}
