/**
 * The installation gets its first administrator once. The password is written down before the account is made, so that a
 * start which is interrupted in between loses none.
 */
import { randomUUID } from 'node:crypto'
import { createHasher } from '@signet/accounts'
import { bootstrapInstallation } from '@signet/admin-api'
import type { Database } from '@signet/db'
import type { Addresses } from '../../addresses.ts'
import { type FirstAdmin, inventAdmin, readFirstAdmin, writeFirstAdmin } from '../../credentials-file.ts'
import { listCompanyIds } from './repo.ts'

export interface FirstAdminOptions {
  readonly database: Database
  /** Where `first-admin.json` is, or will be. */
  readonly path: string
  /** Slug of the company. */
  readonly slug: string
  readonly passwordMinLength: number
  readonly addresses: Addresses
}

/**
 * Gives what stands in the file, with the addresses of this start; undefined when somebody else has initialised the
 * installation, for then the password is theirs.
 * @throws Error when the file belongs to another database
 */
export async function ensureFirstAdmin(options: FirstAdminOptions): Promise<FirstAdmin | undefined> {
  const { database, path, addresses } = options
  const found = await readFirstAdmin(path)
  const companies = await listCompanyIds(database)
  if (companies.length > 0 && found === undefined) return undefined
  const { email, password, tenant_id: known } = found ?? inventAdmin()
  if (companies.length > 0 && known !== undefined && !companies.includes(known)) {
    throw new Error(`${path} belongs to another database. Move it away, or set SIGNET_HOME to another folder.`)
  }
  const tenantId = companies.length > 0 ? (known ?? companies[0]) : await bootstrap(options, { email, password })
  const admin: FirstAdmin = {
    email,
    password,
    ...(tenantId === undefined ? {} : { tenant_id: tenantId }),
    iam_url: addresses.iam,
    admin_url: addresses.admin,
    places_url: addresses.places,
  }
  if (JSON.stringify(admin) !== JSON.stringify(found)) await writeFirstAdmin(path, admin)
  return admin
}

async function bootstrap(
  { database, path, slug, passwordMinLength }: FirstAdminOptions,
  { email, password }: FirstAdmin,
): Promise<string> {
  await writeFirstAdmin(path, { email, password })
  const name = slug.replace(/^./, letter => letter.toUpperCase())
  const hasher = createHasher({ maxConcurrent: 1, queueLimit: 1 })
  const { company } = await bootstrapInstallation(
    { db: database, hasher, passwordMinLength },
    { company: { name, slug }, user: { email, password } },
    { id: randomUUID(), ip: '127.0.0.1' },
  )
  return company.id
}
