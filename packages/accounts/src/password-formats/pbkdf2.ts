/** PBKDF2 (RFC 8018) as werkzeug writes it, `pbkdf2:sha256:600000$salt$hex`, and as passlib does, `$pbkdf2-sha256$29000$salt$hash`. */
import { pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { assertWithin, decodeBase64, type HashReader, type StoredHash } from './stored-hash.ts'

const derive = promisify(pbkdf2)

/** Bytes of each digest, which are those of the hash. */
const sizes = { sha1: 20, sha256: 32, sha512: 64 } as const
type Digest = keyof typeof sizes

/** About a second with SHA-512. */
const mostRounds = 2_000_000

const werkzeugForm =
  /^pbkdf2:(?<digest>sha1|sha256|sha512):(?<rounds>\d{1,12})\$(?<salt>[^$]{1,128})\$(?<hash>[0-9a-f]+)$/
const passlibForm =
  /^\$pbkdf2(?:-(?<digest>sha256|sha512))?\$(?<rounds>\d{1,12})\$(?<salt>[A-Za-z0-9./]{1,172})\$(?<hash>[A-Za-z0-9./]+)$/

export const readWerkzeugPbkdf2: HashReader = text => {
  const found = werkzeugForm.exec(text)?.groups
  if (found === undefined) return undefined
  const { digest, rounds, salt = '', hash = '' } = found
  return keyedBy(digest as Digest, Number(rounds), Buffer.from(salt), Buffer.from(hash, 'hex'))
}

export const readPasslibPbkdf2: HashReader = text => {
  const found = passlibForm.exec(text)?.groups
  if (found === undefined) return undefined
  const { digest = 'sha1', rounds, salt = '', hash = '' } = found
  return keyedBy(digest as Digest, Number(rounds), decodeAdapted(salt), decodeAdapted(hash))
}

/** passlib's own base64 has a dot where others have a plus. */
function decodeAdapted(text: string): Buffer | undefined {
  return decodeBase64(text.replaceAll('.', '+'))
}

function keyedBy(
  digest: Digest,
  rounds: number,
  salt: Buffer | undefined,
  hash: Buffer | undefined,
): StoredHash | undefined {
  if (salt === undefined || hash?.length !== sizes[digest]) return undefined
  assertWithin('the rounds of PBKDF2', rounds, 1, mostRounds)
  return {
    verify: async password => timingSafeEqual(await derive(password, salt, rounds, hash.length, digest), hash),
  }
}
