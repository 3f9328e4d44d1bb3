/**
 * A refresh token vouches for itself: it carries its session, its generation, a secret and a seal over them. One whose seal
 * does not fit never reaches the database, so that nobody who merely knows a session can spend tokens in its name. The
 * successor is derived from the token itself (HOUSE 4.11): whoever repeats a refresh gets the same one, while the database
 * holds hashes only.
 */
import { createHmac, createSecretKey, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { deriveKey, type SessionId } from '@signet/kernel'

/** A token that we made. */
export interface RefreshToken {
  readonly sessionId: SessionId
  /** As the client holds it. */
  readonly text: string
  /** As the database knows it. */
  readonly hash: Buffer
}

export interface RefreshTokens {
  /** The first token of a session. */
  create(sessionId: SessionId): RefreshToken
  /** The token in `text`, or undefined when we never made it. */
  read(text: string): RefreshToken | undefined
  /** The one token that follows. */
  succeed(token: RefreshToken): RefreshToken
}

// Version 1: format (1 byte), session id (16), generation (4, big-endian), secret (32), seal (32).
const format = 1
const generationAt = 17
const secretAt = 21
const sealAt = 53
const length = 85

const textForm = /^[A-Za-z0-9_-]{114}$/

/** @param secret the installation's secret */
export function createRefreshTokens(secret: Uint8Array): RefreshTokens {
  // Key objects: preparing a key anew costs more than the HMAC itself.
  const sealKey = createSecretKey(deriveKey(secret, 'refresh-seal'))
  const successorKey = createSecretKey(deriveKey(secret, 'refresh-successor'))

  function assemble(sessionId: Uint8Array, generation: number, tokenSecret: Uint8Array): Buffer {
    const token = Buffer.allocUnsafe(length)
    token[0] = format
    token.set(sessionId, 1)
    token.writeUInt32BE(generation, generationAt)
    token.set(tokenSecret, secretAt)
    token.set(sealOf(token), sealAt)
    return token
  }

  function sealOf(token: Buffer): Buffer {
    return createHmac('sha256', sealKey).update(token.subarray(0, sealAt)).digest()
  }

  return {
    create(sessionId) {
      const id = Buffer.from(sessionId.replaceAll('-', ''), 'hex')
      return describe(sessionId, assemble(id, 0, randomBytes(sealAt - secretAt)))
    },
    read(text) {
      if (!textForm.test(text)) return undefined
      const token = Buffer.from(text, 'base64url')
      if (token[0] !== format || !timingSafeEqual(token.subarray(sealAt), sealOf(token))) return undefined
      const found = describe(formatId(token), token)
      // The last character has spare bits: one token has one text.
      return found.text === text ? found : undefined
    },
    succeed({ sessionId, text }) {
      const token = Buffer.from(text, 'base64url')
      const generation = token.readUInt32BE(generationAt) + 1
      const secretOfSuccessor = createHmac('sha256', successorKey).update(token).update(String(generation)).digest()
      return describe(sessionId, assemble(token.subarray(1, generationAt), generation, secretOfSuccessor))
    },
  }
}

function describe(sessionId: SessionId, token: Buffer): RefreshToken {
  return { sessionId, text: token.toString('base64url'), hash: hash('sha256', token, 'buffer') }
}

function formatId(token: Buffer): SessionId {
  const hex = token.toString('hex', 1, generationAt)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as SessionId
}
