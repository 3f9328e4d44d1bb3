/**
 * Routes of pm-identity-api (CONTRACT section 5) that touch a password; the administration has the others. Failures are
 * `{ message, errors? }`, and members that nobody knows are ignored.
 */
import { findPeopleFacts, findUser } from '@signet/accounts'
import { inTenant } from '@signet/db'
import { answerInMessages, type App, IdentityUser, messageResponses, presentIdentityUser } from '@signet/http'
import { Problem, type ProblemCode, problem } from '@signet/kernel'
import { type Static, Type } from 'typebox'
import type { Deps, RequestFacts } from '../deps.ts'
import { changePassword, confirmReset, requestReset } from '../modules/password/index.ts'
import { findSelfInPerson } from '../modules/sessions/index.ts'
import { verifyPassword } from '../modules/sign-in/index.ts'
import { describeRequest } from '../request-facts.ts'

const tags = ['pm-identity-api']

const email = { examples: ['ada@example.com'] }
const secret = { examples: ['correct horse battery staple'] }
const newSecret = { examples: ['violet anchor tram 58'] }
/** What is missing is said in one sentence, so that the schema asks for nothing. */
const text = (options: Parameters<typeof Type.String>[0]) =>
  Type.Optional(Type.Union([Type.String(options), Type.Null()]))

const Verified = Type.Object({ valid: Type.Literal(true), user: IdentityUser, ...IdentityUser.properties })
const message = (example: string) => Type.Object({ message: Type.String({ examples: [example] }) })
const requested = 'If an account with this email exists, a password reset code has been sent.'

/** Call it in a scope of its own: whatever fails there is answered in the form of pm-identity-api. */
export function servePmIdentityApi(scope: App, deps: Deps): void {
  answerInMessages(scope, {
    'invalid-input': 'Validation error',
    'malformed-body': 'No input data provided',
    'password-too-short': `New password must be at least ${deps.passwordMinLength} characters`,
    'invalid-code': 'Invalid or expired OTP code',
  })
  serveVerification(scope, deps)
  serveChange(scope, deps)
  serveReset(scope, deps)
}

function serveVerification(scope: App, deps: Deps): void {
  scope.post(
    '/verify_password',
    {
      config: { access: 'public', perMinute: 60 },
      schema: {
        tags,
        operationId: 'verifyPassword',
        summary: 'Is this the password of this person?',
        description:
          'Counts like a sign-in and opens no session that stays. Whatever is wrong, the answer is the same. Instead: POST /api/v1/tokens.',
        body: Type.Object({ email: text({ maxLength: 320, ...email }), password: text(secret) }),
        response: { 200: Verified, ...messageResponses(400, 403, 429, 503) },
      },
    },
    async (request, reply) => {
      const { email: address, password } = request.body
      if (!address) throw problem('invalid-input', 'Email is required')
      if (!password) throw problem('invalid-input', 'Password is required')
      reply.header('cache-control', 'no-store')
      return describePerson(deps, { email: address, password }, describeRequest(request))
    },
  )
}

async function describePerson(
  deps: Deps,
  credentials: { readonly email: string; readonly password: string },
  request: RequestFacts,
): Promise<Static<typeof Verified>> {
  const refused = problem('forbidden', 'User or password invalid')
  const { userId, tenantId, homeTenantId } = await orRather(
    'invalid-credentials',
    refused,
    verifyPassword(deps, credentials, request),
  )
  const row = await inTenant(deps.database, homeTenantId, tx => findUser(tx, userId))
  const factsOf = await inTenant(deps.database, tenantId, tx => findPeopleFacts(tx, [userId]))
  const user = presentIdentityUser(row, { companyId: tenantId, ...factsOf(userId) })
  return { valid: true, user, ...user }
}

function serveChange(scope: App, deps: Deps): void {
  scope.patch(
    '/users/me/change-password',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'changeIdentityPassword',
        summary: 'Change my password',
        description: 'Ends all other sessions of the person. Instead: PUT /api/v1/me/password.',
        body: Type.Object({ current_password: text(secret), new_password: text(newSecret) }),
        response: {
          200: Type.Object({
            message: Type.String({ examples: ['Password changed successfully'] }),
            password_reset_required: Type.Literal(false),
          }),
          ...messageResponses(400, 401, 403, 409, 503),
        },
      },
    },
    async request => {
      const { current_password, new_password } = request.body
      if (!current_password || !new_password)
        throw problem('invalid-input', 'current_password and new_password are required')
      const leave = { beforePasswordChange: true } as const
      const self = await findSelfInPerson(deps, request.principal, describeRequest(request), leave)
      const wrong = problem('invalid-input', 'Current password is incorrect')
      await orRather('invalid-credentials', wrong, changePassword(deps, self, { current_password, new_password }))
      return { message: 'Password changed successfully', password_reset_required: false as const }
    },
  )
}

function serveReset(scope: App, deps: Deps): void {
  scope.post(
    '/users/password-reset/request',
    {
      config: { access: 'public', perMinute: 30 },
      schema: {
        tags,
        operationId: 'requestIdentityPasswordReset',
        summary: 'Ask for a code to reset a lost password',
        description:
          'Six digits by e-mail. The answer is the same for everybody. Instead: POST /api/v1/password-resets.',
        body: Type.Object({ email: Type.Optional(Type.Unknown(email)) }),
        response: { 200: message(requested), ...messageResponses(400, 429, 503) },
      },
    },
    async request => {
      const { email: address } = request.body
      // What is no address has no account, which nobody is told either.
      if (typeof address === 'string' && /^[^\s@]+@[^\s@]+$/.test(address) && address.length <= 254)
        await requestReset(deps, { email: address }, describeRequest(request))
      return { message: requested }
    },
  )

  scope.post(
    '/users/password-reset/confirm',
    {
      config: { access: 'public', perMinute: 60 },
      schema: {
        tags,
        operationId: 'confirmIdentityPasswordReset',
        summary: 'Reset a lost password',
        description:
          'Whatever is wrong with address or code, the answer is the same. Ends all sessions of the person. Instead: POST /api/v1/password-resets/confirm.',
        body: Type.Object({
          email: text({ maxLength: 254, ...email }),
          otp_code: text({ maxLength: 32, examples: ['042137'] }),
          new_password: text(newSecret),
        }),
        response: { 200: message('Password reset successful'), ...messageResponses(400, 429, 503) },
      },
    },
    async request => {
      const { email: address, otp_code: code, new_password } = request.body
      if (!address || !code || !new_password)
        throw problem('invalid-input', 'email, otp_code, and new_password are required')
      await confirmReset(deps, { email: address, code, new_password }, describeRequest(request))
      return { message: 'Password reset successful' }
    },
  )
}

/** @throws Problem `other` where the work fails with that code */
function orRather<T>(code: ProblemCode, other: Problem, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof Problem && error.code === code ? other : error
  })
}
