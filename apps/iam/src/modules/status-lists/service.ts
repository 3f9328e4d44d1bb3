/**
 * Token status lists (draft-ietf-oauth-status-list): one bit a session, set when it has ended. The bits are those of the sessions
 * table; they are held here while every change of them is heard, and read again for each answer while it is not: nothing is
 * signed that the database knows better. A bit that is set stays set.
 */
import { createHash } from 'node:crypto'
import { deflateSync, gzipSync } from 'node:zlib'
import { type Deps, longestTokenTtl } from '../../deps.ts'
import type { EventHub } from '../events/index.ts'
import { statusListUri } from '../tokens/index.ts'
import { findLiveLists, loadBits, setBit } from './repo.ts'

/** A list as it goes over the wire. */
export interface SignedList {
  readonly token: string
  readonly gzip: Buffer
  /** Weak, and made of what the list says rather than of its bytes: all nodes give the same. */
  readonly etag: string
}

export interface StatusLists {
  /** Undefined where there is no such list. @throws Problem `database-unavailable` */
  find(list: number): Promise<SignedList | undefined>
  /** @throws Problem `database-unavailable` */
  listUris(): Promise<readonly string[]>
}

const bitCount = 131_072
/** Verifiers ask again after so long; caches hold a list no longer. */
export const ttlSeconds = 60
/** A list that nobody can renew is believed for so long. */
const lifeSeconds = 86_400
/** Half of its life: what is fetched late is believed for the other half. */
const renewAfterSeconds = 600
/** About 16 MB with what was signed of them. A list is 65,536 sign-ins. */
const mostHeld = 256

interface HeldList {
  readonly bits: Buffer
  /** Rises with each bit. */
  revision: number
  /** False where there is no such list. */
  readonly loaded: Promise<boolean>
  signed?: SignedOf
}

interface SignedOf extends SignedList {
  readonly revision: number
  readonly kid: string
  readonly window: number
}

export function createStatusLists(
  deps: Pick<Deps, 'database' | 'signingKeys' | 'tokens' | 'compat' | 'clock'>,
  hub: EventHub,
): StatusLists {
  const { database, signingKeys, tokens, clock } = deps
  const held = new Map<number, HeldList>()
  let known: { readonly until: number; readonly uris: Promise<readonly string[]> } | undefined

  hub.listen({
    revoked({ list, index }) {
      const found = held.get(list)
      if (found === undefined) return
      setBit(found.bits, index)
      found.revision += 1
    },
    lost: () => held.clear(),
  })

  /** Heard of from the first moment: what ends while the list is being read is in it, too. */
  function hold(list: number): HeldList {
    const found = held.get(list)
    if (found !== undefined) {
      held.delete(list)
      held.set(list, found)
      return found
    }
    const bits = Buffer.alloc(bitCount / 8)
    const begun: HeldList = { bits, revision: 0, loaded: load() }
    held.set(list, begun)
    const [oldest] = held.keys()
    if (held.size > mostHeld && oldest !== undefined) held.delete(oldest)
    return begun

    async function load(): Promise<boolean> {
      try {
        const read = await loadBits(database, list, bits.length)
        if (read === undefined) drop()
        else for (const [at, byte] of read.entries()) bits[at] = (bits[at] ?? 0) | byte
        return read !== undefined
      } catch (error) {
        drop()
        throw error
      }
    }
    function drop(): void {
      if (held.get(list) === begun) held.delete(list)
    }
  }

  async function find(list: number): Promise<SignedList | undefined> {
    if (hub.isLive()) {
      const found = hold(list)
      if (!(await found.loaded)) return undefined
      // Not where the connection was lost meanwhile.
      if (held.get(list) === found) return signHeld(list, found)
    }
    const bits = await loadBits(database, list, bitCount / 8)
    return bits === undefined ? undefined : sign(list, bits)
  }

  function signHeld(list: number, found: HeldList): SignedList {
    const { revision, signed } = found
    if (signed?.revision === revision && signed.kid === signingKeys.activeKid() && signed.window === currentWindow()) {
      return signed
    }
    found.signed = { ...sign(list, found.bits), revision, kid: signingKeys.activeKid(), window: currentWindow() }
    return found.signed
  }

  function currentWindow(): number {
    return Math.floor(clock() / 1_000 / renewAfterSeconds)
  }

  function sign(list: number, bits: Buffer): SignedList {
    const uri = statusListUri(tokens, list)
    const issuedAt = Math.floor(clock() / 1_000)
    const payload = {
      iss: tokens.issuer,
      sub: uri,
      iat: issuedAt,
      exp: issuedAt + lifeSeconds,
      ttl: ttlSeconds,
      status_list: { bits: 1, lst: deflateSync(bits, { level: 9 }).toString('base64url') },
    }
    const token = signingKeys.sign('statuslist+jwt', JSON.stringify(payload))
    const hash = createHash('sha256').update(`${uri}\n${signingKeys.activeKid()}\n${currentWindow()}\n`).update(bits)
    return { token, gzip: gzipSync(token, { level: 9 }), etag: `W/"${hash.digest('base64url')}"` }
  }

  return {
    find,
    listUris() {
      if (known !== undefined && known.until > clock()) return known.uris
      const uris = findLiveLists(database, longestTokenTtl(deps)).then(lists =>
        lists.map(list => statusListUri(tokens, list)),
      )
      known = { until: clock() + ttlSeconds * 1_000, uris }
      uris.catch(() => {
        known = undefined
      })
      return uris
    },
  }
}
