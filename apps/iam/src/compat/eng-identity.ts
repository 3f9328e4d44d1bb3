/**
 * Routes of eng-identity (CONTRACT section 5). Every answer carries `ok`, failures `{ ok: false, error }`; unknown members are
 * ignored. Tokens are in cookies alone.
 */
import {
  answerInOk,
  type App,
  okFailures,
  requireServiceKey,
  type ServiceKeyring,
  serviceKeyHolderOf,
} from '@signet/http'
import { problem } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { inviteClient, Purpose } from '../modules/client-tokens/index.ts'
import { findMe } from '../modules/me/index.ts'
import { requestSignInCode, tryCode } from '../modules/otp/index.ts'
import { findSelf, findSelfInPerson } from '../modules/sessions/index.ts'
import { queueSystemEmail, SystemEmailRequest } from '../modules/system-emails/index.ts'
import { refreshByCookie, sendTokens, signOutByCookie } from '../modules/tokens/index.ts'
import { verifyExpired } from '../own-verifier.ts'
import { Code, Email, PersonName } from '../person-fields.ts'
import { describeRequest } from '../request-facts.ts'
import { roleWordOf } from './role-word.ts'

const tags = ['eng-identity']
const Ok = Type.Literal(true)
const doneWith = (example: string) => Type.Object({ ok: Ok, message: Type.String({ examples: [example] }) })
const userMembers = {
  email: Type.Union([Type.String({ examples: ['ada@example.com'] }), Type.Null()]),
  role: Type.Enum(['admin', 'advisor', 'client']),
}

/** Call it in a scope of its own: whatever fails there is answered in the form of eng-identity. */
export function serveEngIdentity(scope: App, deps: Deps, serviceKeys: ServiceKeyring): void {
  answerInOk(scope)
  serveCodes(scope, deps)
  serveSession(scope, deps)
  serveInvitations(scope, deps)
  serveSystemEmail(scope, deps, serviceKeys)
}

function serveCodes(scope: App, deps: Deps): void {
  scope.post(
    '/auth/request-otp',
    {
      config: { access: 'public', perMinute: 30, countsWith: 'POST /api/v1/otp/requests' },
      schema: {
        tags,
        operationId: 'requestOtp',
        summary: 'Ask for a sign-in code by mail',
        description: 'The answer is the same for every address. Instead: `POST /api/v1/otp/requests`.',
        body: Type.Object({ email: Email }),
        response: { 200: doneWith('If a code can be sent there, it is on its way.'), ...okFailures(400, 429, 503) },
      },
    },
    async request => {
      await requestSignInCode(deps, { email: request.body.email }, describeRequest(request))
      return { ok: true as const, message: 'If a code can be sent there, it is on its way.' }
    },
  )
  scope.post(
    '/auth/verify-otp',
    {
      config: {
        access: 'public',
        perMinute: 60,
        countsWith: 'POST /api/v1/otp/verifications',
        setsCookies: true,
      },
      schema: {
        tags,
        operationId: 'verifyOtp',
        summary: 'Sign in with a code',
        description:
          'The tokens are in the cookies. A new address becomes a person where self-registration is open. 403 is told to nobody but who holds the right code. Instead: `POST /api/v1/otp/verifications`.',
        body: Type.Object({ email: Email, code: Type.Optional(Code), otp: Type.Optional(Code) }),
        response: { 200: Type.Object({ ok: Ok, user: Type.Object(userMembers) }), ...okFailures(400, 403, 429, 503) },
      },
    },
    async (request, reply) => {
      const { email, code = request.body.otp } = request.body
      if (code === undefined) {
        throw problem('invalid-input', undefined, { errors: [{ pointer: '/code', message: 'is required' }] })
      }
      const answer = await tryCode(deps, { email, code }, describeRequest(request))
      if (answer === 'refused') throw problem('forbidden', 'This account is not active.')
      if (answer === 'wrong') throw problem('invalid-code')
      // Our own token of this moment: it says which roles the database has just told.
      const { claims } = verifyExpired(deps, answer.access_token ?? '')
      sendTokens(reply, deps, answer, true)
      return { ok: true as const, user: { email: email.toLowerCase(), role: roleWordOf(claims.roles ?? []) } }
    },
  )
}

function serveSession(scope: App, deps: Deps): void {
  scope.post(
    '/auth/refresh',
    {
      config: { access: 'public', perMinute: 600, countsWith: 'POST /api/v1/tokens/refresh', isVital: true },
      schema: {
        tags,
        operationId: 'refreshCookies',
        summary: 'Refresh the cookies of a session',
        description: 'By the cookie `refresh_token`, which is spent. Instead: `POST /api/v1/tokens/refresh`.',
        response: { 200: Type.Object({ ok: Ok }), ...okFailures(401, 403, 429, 503) },
      },
    },
    async (request, reply) => {
      await refreshByCookie(deps, request, reply)
      return { ok: true as const }
    },
  )
  scope.post(
    '/auth/logout',
    {
      config: { access: 'public' },
      schema: {
        tags,
        operationId: 'signOut',
        summary: 'Sign out',
        description:
          'Ends the session of the cookies and clears them, also where they are worth nothing. Instead: `POST /api/v1/tokens/revoke`.',
        response: { 200: doneWith('Logged out'), ...okFailures(403, 503) },
      },
    },
    async (request, reply) => {
      await signOutByCookie(deps, request, reply)
      return { ok: true as const, message: 'Logged out' }
    },
  )
  scope.get(
    '/auth/user',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'readUser',
        summary: 'Who am I?',
        description: 'Whoever is not active is not signed in. Instead: `GET /api/v1/me`.',
        response: {
          200: Type.Object({ ok: Ok, user: Type.Object({ ...userMembers, is_active: Type.Boolean() }) }),
          ...okFailures(401, 503),
        },
      },
    },
    async request => {
      const leave = { beforePasswordChange: true } as const
      const me = await findMe(deps, await findSelf(deps, request.principal, describeRequest(request), leave))
      const user = { email: me.email, role: roleWordOf(me.roles), is_active: me.status === 'active' }
      return { ok: true as const, user }
    },
  )
}

function serveInvitations(scope: App, deps: Deps): void {
  scope.post(
    '/api/v1/advisor/request-client-token',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'inviteClient',
        summary: 'Invite a client by mail',
        description:
          'Mails a token that is valid for seven days and is redeemed once at `POST /auth/client-token`. A new one takes the place of the former one to the same address.',
        body: Type.Object({ client_name: PersonName, client_email: Email, reason: Purpose }),
        response: {
          200: doneWith('An invitation token has been sent to ada@example.com'),
          ...okFailures(400, 401, 403, 429, 503),
        },
      },
    },
    async request => {
      const { client_name: name, client_email: email, reason: purpose } = request.body
      const self = await findSelfInPerson(deps, request.principal, describeRequest(request))
      await inviteClient(deps, self, { name, email, purpose })
      return { ok: true as const, message: `An invitation token has been sent to ${email}` }
    },
  )
}

function serveSystemEmail(scope: App, deps: Deps, serviceKeys: ServiceKeyring): void {
  const { to, subject, text } = SystemEmailRequest.properties
  scope.post(
    '/api/v1/send-system-email',
    {
      config: { access: 'public', serviceKey: true, perMinute: 600, countsWith: 'POST /api/v1/system-emails' },
      onRequest: requireServiceKey(serviceKeys),
      schema: {
        tags,
        operationId: 'sendPlainEmail',
        summary: 'Send a mail for another service',
        description:
          'To `ADMIN_EMAIL` where no recipient is named. It is queued: an answer says that it will be sent. Instead: `POST /api/v1/system-emails`.',
        body: Type.Object({
          recipient: to,
          subject: Type.String({ ...subject, examples: ['Nightly import'] }),
          body_text: Type.String({ ...text, examples: ['The nightly import is done.'] }),
        }),
        response: { 200: doneWith('The email is on its way.'), ...okFailures(400, 401, 413, 415, 429, 503) },
      },
    },
    async request => {
      const holder = serviceKeyHolderOf(request)
      if (holder === undefined) throw problem('invalid-service-key')
      const { recipient = deps.adminEmail, subject: about, body_text: words } = request.body
      if (recipient === undefined) {
        const message = 'is required: this installation has no ADMIN_EMAIL'
        throw problem('invalid-input', undefined, { errors: [{ pointer: '/recipient', message }] })
      }
      const caller = { ...holder, request: describeRequest(request) }
      await queueSystemEmail(deps, caller, { to: recipient, subject: about, text: words })
      return { ok: true as const, message: 'The email is on its way.' }
    },
  )
}
