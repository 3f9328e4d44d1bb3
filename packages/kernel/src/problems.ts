/**
 * Every failure a caller can meet is one of these codes: stable, kebab-case, never renamed, never reused (RFC 9457).
 * `docs/problems.md` of apps/iam lists them; a test compares the two.
 */
export const problemCatalogue = {
  'invalid-input': [400, 'The request is not valid', 'See `errors` for each member that has to change.'],
  'malformed-body': [400, 'The body cannot be read', 'Send well-formed JSON.'],
  'invalid-cursor': [
    400,
    'The cursor is not valid here',
    'Begin again without a cursor; use one only with the query that gave it.',
  ],
  'password-too-short': [400, 'The password is too short', 'Choose a longer password.'],
  'password-too-long': [400, 'The password is too long', 'Choose a password of at most 128 characters and 512 bytes.'],
  'password-too-common': [400, 'The password is too easy to guess', 'Choose one that is not a common password.'],
  'password-own-words': [400, 'The password contains words about you', 'Choose one without your name or address.'],
  'invalid-code': [
    400,
    'The code is not valid',
    'It is wrong, was used, or has expired. Ask for a new one when this one does not work.',
  ],
  'invalid-credentials': [401, 'The credentials are not valid', 'Check the identifier and the password.'],
  'invalid-refresh-token': [401, 'The refresh token is not valid', 'Sign in again.'],
  'refresh-token-reused': [
    401,
    'The refresh token was used before',
    'The session was ended for safety. Sign in again.',
  ],
  'invalid-client-token': [401, 'The token is not valid', 'It was used, withdrawn, or has expired. Ask for a new one.'],
  'invalid-service-key': [401, 'The service key is not valid', 'Send one that the operator gave you as `x-api-key`.'],
  'session-ended': [401, 'The session has ended', 'Sign in again.'],
  'setup-token-invalid': [
    401,
    'The setup token is not valid',
    'Send `Authorization: Bearer <SETUP_TOKEN>`, or call from this machine itself.',
  ],
  forbidden: [403, 'Not allowed', 'You may see this but not do that.'],
  'grant-exceeds-own': [403, 'You cannot give more than you hold', 'Ask somebody who holds it.'],
  'registration-closed': [403, 'Registration is closed', 'Ask an administrator of this tenant for an account.'],
  'cross-site-request': [
    403,
    'Another site sent this',
    'Call from the origin of the cookies, or send the access token as a bearer instead.',
  ],
  'acting-for-somebody': [
    403,
    'Not while acting for somebody',
    'Only the person can do this, in a session of their own.',
  ],
  'email-not-verified': [403, 'The e-mail address is not verified', 'Call POST /api/v1/me/contacts first.'],
  'password-change-required': [403, 'The password must be changed first', 'Call PUT /api/v1/me/password.'],
  'route-not-found': [404, 'There is nothing here', 'See /docs for the routes.'],
  'tenant-not-found': [404, 'No such tenant', 'Check the id.'],
  'user-not-found': [404, 'No such user', 'Check the id.'],
  'advisor-not-found': [404, 'No such advisor', 'Check the id: it is that of a member who has the role advisor.'],
  'membership-not-found': [404, 'No such membership', 'Check the id.'],
  'role-not-found': [404, 'No such role', 'Check the id.'],
  'policy-not-found': [404, 'No such policy', 'Check the id.'],
  'org-unit-not-found': [404, 'No such unit', 'Check the id.'],
  'position-not-found': [404, 'No such position', 'Check the id.'],
  'customer-not-found': [404, 'No such customer', 'Check the id.'],
  'subcontractor-not-found': [404, 'No such subcontractor', 'Check the id.'],
  'client-not-found': [404, 'No such client', 'Check the id.'],
  'sub-client-not-found': [404, 'No such sub-client', 'Check the id.'],
  'brand-not-found': [404, 'No such brand', 'Check the id.'],
  'image-not-found': [404, 'There is no image', 'Send one with PUT.'],
  'service-not-found': [404, 'No such service', 'Check the id.'],
  'service-key-not-found': [404, 'No such service key', 'Check the id.'],
  'permission-not-found': [404, 'No such permission', 'GET /admin/v1/permissions lists them.'],
  'session-not-found': [404, 'No such session', 'Check the id.'],
  'client-token-not-found': [404, 'No such token', 'Check the id.'],
  'audit-event-not-found': [404, 'No such audit event', 'Check the id.'],
  'status-list-not-found': [404, 'No such status list', 'GET /status-lists names those that are.'],
  'place-not-found': [404, 'No such place', 'Check the id.'],
  'request-timeout': [408, 'The request took too long to arrive', 'Send it again at once.'],
  'already-bootstrapped': [409, 'The installation is initialised', 'Sign in as its administrator.'],
  'email-taken': [409, 'This e-mail address is in use', 'Use another address, or sign in.'],
  'username-taken': [409, 'This username is in use', 'Choose another.'],
  'phone-taken': [409, 'This phone number is in use', 'Use another number, or sign in.'],
  'tenant-slug-taken': [409, 'This tenant slug is in use', 'Choose another.'],
  'role-name-taken': [409, 'A role of this name exists', 'Choose another name.'],
  'permission-code-taken': [409, 'This permission exists', 'Change it with PATCH.'],
  'membership-exists': [409, 'This person is a member already', 'Change the membership that exists.'],
  'role-already-assigned': [409, 'This person has the role already', 'Nothing needs to be done.'],
  'permission-already-granted': [409, 'The role has this permission already', 'Nothing needs to be done.'],
  'role-in-use': [409, 'The role is in use', 'Take it away from those who have it first.'],
  'permission-in-use': [
    409,
    'The permission is in use',
    'Take it out of the roles that hold it and the policies that name it first.',
  ],
  'tenant-in-use': [409, 'The tenant is in use', 'Remove what `detail` names first.'],
  'policy-name-taken': [409, 'A policy of this name exists', 'Choose another name.'],
  'policy-in-use': [409, 'The policy is in use', 'Take it away from what `detail` names first.'],
  'policy-already-attached': [409, 'The policy is attached already', 'Nothing needs to be done.'],
  'org-unit-name-taken': [409, 'A unit of this name is there already', 'Choose another name, or another parent.'],
  'org-unit-in-use': [409, 'The unit is in use', 'Move or remove what `detail` names first.'],
  'org-unit-cycle': [409, 'A unit cannot be below itself', 'Choose a parent that is not below it.'],
  'org-unit-too-deep': [409, 'The tree is too deep', 'Choose a parent nearer to the top: 64 levels are the most.'],
  'position-in-use': [409, 'The position is in use', 'Take it away from those who hold it first.'],
  'client-in-use': [409, 'The client has sub-clients', 'Remove them first.'],
  'client-not-active': [409, 'The client is not active', 'Activate the client first.'],
  'brand-name-taken': [409, 'A brand of this name exists', 'Choose another name.'],
  'brand-in-use': [409, 'The brand is in use', 'Take it away from those who carry it first.'],
  'service-name-taken': [409, 'A service of this name exists', 'Change it with PATCH.'],
  'gateway-route-taken': [
    409,
    'Another service answers this path',
    'Choose another path, or change what `detail` names first.',
  ],
  'service-in-use': [409, 'The service is in use', 'Take what `detail` names out of the roles that hold it first.'],
  'built-in-role': [409, 'Built-in roles stay as they are', 'Create a role of your own.'],
  'last-administrator': [409, 'A tenant keeps at least one administrator', 'Make somebody else administrator first.'],
  'user-state-conflict': [409, 'The person is not in a state that allows this', 'Read the person again.'],
  'idempotency-key-in-progress': [409, 'The first request with this key is still running', 'Try again in a moment.'],
  'concurrent-change': [409, 'Somebody else changed this at the same time', 'Read it again and repeat the change.'],
  'version-mismatch': [412, 'It has changed since you read it', 'Read it again and send its new ETag in If-Match.'],
  'body-too-large': [413, 'The body is too large', 'Send less at once.'],
  'unsupported-media-type': [415, 'This content type is not read here', 'Send `Content-Type: application/json`.'],
  'idempotency-key-reused': [
    422,
    'This key was used for another request',
    'Use a new Idempotency-Key for a new request.',
  ],
  'invalid-policy': [422, 'The policy is not valid', 'See `errors`: each names its line and column.'],
  'policy-not-attachable': [
    422,
    'This policy cannot be attached',
    'It speaks of everybody: write `principal in ?principal` in its head to say of whom it speaks.',
  ],
  'invalid-image': [422, 'This is no image that can be used here', 'Send a jpeg, png, gif, bmp or webp.'],
  'invalid-api-description': [422, 'The OpenAPI document cannot be used', 'See `errors` for what has to change.'],
  'unknown-permission': [
    422,
    'This permission is not in the catalogue',
    'GET /admin/v1/permissions lists those that are.',
  ],
  'version-required': [428, 'The version is required', 'Send the ETag that you read in If-Match.'],
  'too-many-attempts': [
    429,
    'Too many failed attempts',
    'Wait as long as Retry-After says, use a device that has signed in before, or another way: a code, or a new password.',
  ],
  'too-many-requests': [429, 'Too many requests', 'Wait as long as Retry-After says.'],
  'headers-too-large': [431, 'The headers are too large', 'Send less.'],
  'internal-error': [
    500,
    'Something went wrong on our side',
    'The operator finds the cause in the log by the request id.',
  ],
  'database-unavailable': [503, 'The database cannot be reached', 'Try again as Retry-After says.'],
  'hashing-busy': [503, 'Too many sign-ins at once', 'Try again as Retry-After says.'],
  overloaded: [503, 'This node has too much to do', 'Try again as Retry-After says.'],
  'keys-unavailable': [503, 'The signing keys cannot be read', 'The operator finds the cause in the log.'],
  'too-many-listeners': [503, 'All places to listen are taken', 'Try again as Retry-After says, and poll meanwhile.'],
  'images-busy': [503, 'Too many images at once', 'Try again as Retry-After says.'],
  'storage-off': [503, 'Images are switched off here', 'The operator switches them on with STORAGE.'],
  'storage-unavailable': [503, 'The image store cannot be reached', 'Try again as Retry-After says.'],
  'not-ready': [503, 'The service is starting or stopping', 'Try again as Retry-After says.'],
} as const satisfies Record<string, readonly [status: number, title: string, whatToDo: string]>

export type ProblemCode = keyof typeof problemCatalogue

/** One faulty member of the input. `pointer` is a JSON Pointer (RFC 6901) into the body, or `?name` for a query member. */
export interface InputFault {
  readonly pointer: string
  readonly message: string
  /** Where in a text of several lines, 1-based. */
  readonly line?: number
  readonly column?: number
}

export interface ProblemOptions {
  readonly errors?: readonly InputFault[]
  readonly retryAfterSeconds?: number
  readonly headers?: Readonly<Record<string, string>>
  /** For the log only. It never reaches the wire. */
  readonly cause?: unknown
}

/** The members of an `application/problem+json` body, without `instance`, which the HTTP layer adds. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors?: readonly InputFault[]
}

/** A failure that the caller is told about. Anything else that is thrown is a fault of ours and becomes a plain 500. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly errors: readonly InputFault[] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ProblemCode, detail?: string, options: ProblemOptions = {}) {
    const [status, title, whatToDo] = problemCatalogue[code]
    super(`${code}: ${detail ?? whatToDo}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = status
    this.title = title
    this.detail = detail ?? whatToDo
    this.errors = options.errors
    this.retryAfterSeconds = options.retryAfterSeconds
    this.headers = options.headers ?? {}
  }

  toDocument(): ProblemDocument {
    return {
      type: `urn:signet:problem:${this.code}`,
      title: this.title,
      status: this.status,
      code: this.code,
      detail: this.detail,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
    }
  }
}

/** Makes the problem to throw: `throw problem('user-not-found')`. */
export function problem(code: ProblemCode, detail?: string, options?: ProblemOptions): Problem {
  return new Problem(code, detail, options)
}
