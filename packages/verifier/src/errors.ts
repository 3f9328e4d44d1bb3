// Every refusal carries one reason of a closed set, and nothing of the token. A programmer's mistake is a TypeError, never an AuthError.

/** Why a request was refused. Stable: names are never changed and never reused. */
export type Reason =
  | 'missing_token'
  | 'malformed'
  | 'unknown_key'
  | 'invalid_signature'
  | 'wrong_type'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'expired'
  | 'not_active'
  | 'invalid_claims'
  | 'revoked'
  | 'insufficient_scope'
  | 'forbidden'
  | 'keys_unavailable'
  | 'revocation_unavailable'
  | 'bundle_unavailable'

/** An RFC 9457 problem document. `code` is the reason in kebab-case. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
}

/** Status and the standard detail. */
const refusals: Readonly<Record<Reason, readonly [status: 401 | 403 | 503, detail: string]>> = {
  missing_token: [401, 'The request carries no access token.'],
  malformed: [401, 'The access token is not a well-formed JWT.'],
  unknown_key: [401, 'The issuer does not publish the key of this token.'],
  invalid_signature: [401, 'The signature of the token is not valid.'],
  wrong_type: [401, 'The token is not an access token.'],
  wrong_issuer: [401, 'The token comes from another issuer.'],
  wrong_audience: [401, 'The token is meant for another audience.'],
  expired: [401, 'The access token has expired.'],
  not_active: [401, 'The access token is not active yet.'],
  invalid_claims: [401, 'A claim of the token has the wrong form.'],
  revoked: [401, 'The session of the token has ended.'],
  insufficient_scope: [403, 'The token does not carry what this needs.'],
  forbidden: [403, 'The token does not allow this.'],
  keys_unavailable: [503, 'The keys of the issuer are not available at the moment.'],
  revocation_unavailable: [503, 'The revocations of the issuer are not available at the moment.'],
  bundle_unavailable: [503, 'The permissions of this token are not available at the moment.'],
}

/** What `verify`, `verifySync` and `authenticate` throw when they refuse. Its texts never hold token content. */
export class AuthError extends Error {
  readonly reason: Reason
  /** 401: who are you. 403: known, but not allowed. 503: cannot be decided now. */
  readonly status: 401 | 403 | 503

  /** `detail` replaces the reason's standard sentence; `options.cause` is for logs only. */
  constructor(reason: Reason, detail?: string, options?: { cause?: unknown }) {
    const [status, standard] = refusals[reason]
    super(detail ?? standard, options)
    this.name = 'AuthError'
    this.reason = reason
    this.status = status
  }

  /**
   * The challenge of RFC 6750 section 3, for the `WWW-Authenticate` header of a 401 or 403. A request that carried no
   * token gets no error code, as section 3.1 asks; neither does a 503, where the token is not what is wrong.
   */
  wwwAuthenticate(realm = 'signet'): string {
    const challenge = `Bearer realm="${quotable(realm)}"`
    if (this.reason === 'missing_token' || this.status === 503) return challenge
    const error = this.status === 403 ? 'insufficient_scope' : 'invalid_token'
    return `${challenge}, error="${error}", error_description="${quotable(this.message)}"`
  }

  /** The RFC 9457 problem document, without `instance`, which only the server knows. */
  toProblem(): Problem {
    const { message, reason, status } = this
    const code = reason.replaceAll('_', '-')
    return {
      type: `urn:signet:problem:${code}`,
      title: reason[0]!.toUpperCase() + reason.slice(1).replaceAll('_', ' '),
      status,
      code,
      detail: message,
    }
  }
}

// RFC 6750 section 3 allows %x20-21 / %x23-5B / %x5D-7E only: anything else could end the quoted string or the header.
function quotable(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}
