/** scrypt (RFC 7914) as werkzeug writes it, `scrypt:32768:8:1$salt$hex`, and as passlib does, `$scrypt$ln=16,r=8,p=1$salt$hash`. */
import { scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto'
import { assertWithin, decodeBase64, HashFault, type HashReader, type StoredHash } from './stored-hash.ts'

interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

const mostBytes = 128 * 1024 * 1024
/** Passes over that memory: about two seconds for all. */
const mostPasses = 4

const werkzeugForm = /^scrypt:(?<N>\d{1,12}):(?<r>\d{1,6}):(?<p>\d{1,6})\$(?<salt>[^$]{1,128})\$(?<hash>[0-9a-f]{128})$/
const passlibForm =
  /^\$scrypt\$ln=(?<ln>\d{1,2}),r=(?<r>\d{1,6}),p=(?<p>\d{1,6})\$(?<salt>[A-Za-z0-9+/]{1,172})\$(?<hash>[A-Za-z0-9+/]{43})$/

export const readWerkzeugScrypt: HashReader = text => {
  const found = werkzeugForm.exec(text)?.groups
  if (found === undefined) return undefined
  const { N, r, p, salt = '', hash = '' } = found
  return keyedBy({ N: Number(N), r: Number(r), p: Number(p) }, Buffer.from(salt), Buffer.from(hash, 'hex'))
}

export const readPasslibScrypt: HashReader = text => {
  const found = passlibForm.exec(text)?.groups
  if (found === undefined) return undefined
  const { ln, r, p, salt = '', hash = '' } = found
  return keyedBy({ N: 2 ** Number(ln), r: Number(r), p: Number(p) }, decodeBase64(salt), decodeBase64(hash))
}

function keyedBy({ N, r, p }: Cost, salt: Buffer | undefined, hash: Buffer | undefined): StoredHash | undefined {
  if (salt === undefined || hash === undefined) return undefined
  const blockBytes = 128 * r
  assertWithin('r of scrypt', r, 1, 64)
  assertWithin('p of scrypt', p, 1, mostPasses)
  assertWithin(`N of scrypt with r = ${r}`, N, 2, mostBytes / blockBytes)
  if (!Number.isInteger(Math.log2(N))) throw new HashFault('N of scrypt has to be a power of two')
  // OpenSSL counts its own bookkeeping with what it may use.
  const options = { N, r, p, maxmem: blockBytes * (N + p + 4) }
  return { verify: async password => timingSafeEqual(await derive(password, salt, hash.length, options), hash) }
}

function derive(password: string, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}
