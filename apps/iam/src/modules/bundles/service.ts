/**
 * A tenant's authorization bundle: what its roles and policies say in one version, signed, so that services decide without asking.
 * Each answer asks the database which version there is; what was signed of that version is kept.
 */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { TenantId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { findBundleVersion, loadBundle, type StoredBundle } from './repo.ts'

/** A bundle as it goes over the wire. */
export interface SignedBundle {
  readonly token: string
  /** Weak, and made of version, key and time rather than of bytes: all nodes give the same. */
  readonly etag: string
  readonly compress: () => Promise<Buffer>
}

export interface Bundles {
  /** Undefined where there is no such active tenant. @throws Problem `database-unavailable` */
  find(tenantId: TenantId): Promise<SignedBundle | undefined>
}

/** Verifiers ask again after so long. */
export const ttlSeconds = 60
const lifeSeconds = 3_600
const renewAfterSeconds = 600
/** The tenants that were asked about last. A bundle of fifty policies takes some 100 kB. */
const mostKept = 200

interface KeptBundle {
  readonly version: number
  readonly kid: string
  readonly window: number
  readonly signed: Promise<SignedBundle | undefined>
}

export function createBundles({
  database,
  signingKeys,
  tokens,
  clock,
}: Pick<Deps, 'database' | 'signingKeys' | 'tokens' | 'clock'>): Bundles {
  const kept = new Map<TenantId, KeptBundle>()

  async function find(tenantId: TenantId): Promise<SignedBundle | undefined> {
    const version = await findBundleVersion(database, tenantId)
    if (version === undefined) return undefined
    const known = kept.get(tenantId)
    const kid = signingKeys.activeKid()
    const window = Math.floor(clock() / 1_000 / renewAfterSeconds)
    kept.delete(tenantId)
    // Somebody has read a newer version since this one asked: theirs holds for both.
    const isGood = known !== undefined && known.version >= version && known.kid === kid && known.window === window
    const entry = isGood ? known : { version, kid, window, signed: load(tenantId) }
    kept.set(tenantId, entry)
    const [oldest] = kept.keys()
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
    try {
      const signed = await entry.signed
      if (signed === undefined) forget(tenantId, entry)
      return signed
    } catch (error) {
      forget(tenantId, entry)
      throw error
    }
  }

  function forget(tenantId: TenantId, entry: KeptBundle): void {
    if (kept.get(tenantId) === entry) kept.delete(tenantId)
  }

  async function load(tenantId: TenantId): Promise<SignedBundle | undefined> {
    const bundle = await loadBundle(database, tenantId)
    return bundle === undefined ? undefined : sign(tenantId, bundle)
  }

  function sign(tenantId: TenantId, bundle: StoredBundle): SignedBundle {
    const issuedAt = Math.floor(clock() / 1_000)
    const payload = {
      iss: tokens.issuer,
      sub: tenantId,
      iat: issuedAt,
      exp: issuedAt + lifeSeconds,
      ttl: ttlSeconds,
      ...describeBundle(bundle),
    }
    const token = signingKeys.sign('authz-bundle+jwt', JSON.stringify(payload))
    const window = Math.floor(issuedAt / renewAfterSeconds)
    const named = `${tenantId}\n${bundle.version}\n${signingKeys.activeKid()}\n${window}`
    let compressed: Promise<Buffer> | undefined
    return {
      token,
      etag: `W/"${createHash('sha256').update(named).digest('base64url')}"`,
      compress: () => (compressed ??= promisify(gzip)(token)),
    }
  }

  return { find }
}

function describeBundle({ version, permissions, roles, policies }: StoredBundle) {
  return {
    version,
    permissions,
    roles: roles.map(({ id, name, permissions: held }) => ({ id, name, permissions: held })),
    policies: policies.map(({ id, name, source, statements, attachments }) => ({
      id,
      name,
      source,
      statements: statements.map(({ number, line, effect, actions, isTemplate }) => ({
        number,
        line,
        effect,
        actions,
        is_template: isTemplate,
      })),
      attachments: attachments.map(({ type, id: holder }) => ({ type, id: holder })),
    })),
  }
}
