/**
 * Routes of chat-auth (CONTRACT section 5), whose failures are `{ detail }`. `/token` takes OAuth's password form (RFC 6749 section
 * 4.3) and says in OAuth's words as well what is wrong; unknown members are ignored.
 */
import { type App, IdText, readForms } from '@signet/http'
import type { ProblemDocument } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { findMe } from '../modules/me/index.ts'
import { registerUser } from '../modules/registration/index.ts'
import { findSelf } from '../modules/sessions/index.ts'
import { signInByPassword } from '../modules/sign-in/index.ts'
import { Password, PersonName, Username } from '../person-fields.ts'
import { describeRequest } from '../request-facts.ts'
import { answerInDetail } from './detail-errors.ts'

const tags = ['chat-auth']

const failure = (description: string, example: unknown, more = {}) => ({
  description,
  content: { 'application/json': { schema: Type.Object({ detail: Type.Unknown({ examples: [example] }), ...more }) } },
})
const busy = failure('Too often', 'Wait as long as Retry-After says.')
const away = failure('Try again', 'Try again.')
const faulty = failure('Faulty input', [{ loc: ['body', 'username'], msg: 'is required', type: 'value_error' }])
const wrongCredentials = 'Incorrect username or password'
const OAuthWords = {
  error: Type.String({ examples: ['invalid_grant'] }),
  error_description: Type.String({ examples: [wrongCredentials] }),
}

export async function serveChatAuth(app: App, deps: Deps): Promise<void> {
  await app.register(async scope => {
    answerInDetail(scope, { words: { 409: 'User already exists' } })
    serveRegister(scope, deps)
  })
  await app.register(async scope => {
    await readForms(scope)
    answerInDetail(scope, { words: { 401: wrongCredentials }, more: sayInOAuth })
    serveToken(scope, deps)
  })
  await app.register(async scope => {
    answerInDetail(scope, { words: { 401: 'Invalid token' } })
    serveValidate(scope, deps)
  })
}

function serveRegister(scope: App, deps: Deps): void {
  scope.post(
    '/register',
    {
      config: { access: 'public', perMinute: 20, countsWith: 'POST /api/v1/users' },
      schema: {
        tags,
        operationId: 'register',
        summary: 'Create an account',
        description: 'In the default tenant, where it allows self-registration. Instead: `POST /api/v1/users`.',
        body: Type.Object({ name: PersonName, username: Username, password: Password }),
        response: {
          201: Type.Object({ id: IdText, name: PersonName, username: Username }),
          400: failure('The password cannot be taken', 'Choose a longer password.'),
          403: failure('Registration is closed', 'Ask an administrator of this tenant for an account.'),
          409: failure('The username is taken', 'User already exists'),
          422: faulty,
          429: busy,
          503: away,
        },
      },
    },
    async (request, reply) => {
      const { name, username, password } = request.body
      const { id } = await registerUser(deps, { name, username, password }, describeRequest(request))
      return reply.code(201).send({ id, name, username })
    },
  )
}

function serveToken(scope: App, deps: Deps): void {
  const { formTokenTtlSeconds: accessTokenTtlSeconds } = deps.tokens
  const withOwnLife = { ...deps, tokens: { ...deps.tokens, accessTokenTtlSeconds } }
  scope.post(
    '/token',
    {
      config: { access: 'public', perMinute: 60, countsWith: 'POST /api/v1/tokens' },
      schema: {
        tags,
        operationId: 'createFormToken',
        summary: 'Sign in with a password form',
        description:
          'OAuth’s password form. A token for `ACCESS_TOKEN_EXPIRE_MINUTES` that nobody can refresh. Instead: `POST /api/v1/tokens`.',
        consumes: ['application/x-www-form-urlencoded'],
        body: Type.Object({
          username: Type.String({ minLength: 1, maxLength: 320, examples: ['ada'] }),
          password: Password,
          grant_type: Type.Optional(Type.Literal('password')),
        }),
        response: {
          200: Type.Object({
            access_token: Type.String({
              examples: ['eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk5YTNjNCJ9.c2lnbmF0dXJl'],
            }),
            token_type: Type.Literal('bearer'),
          }),
          401: failure('Wrong credentials', wrongCredentials, OAuthWords),
          422: faulty,
          429: busy,
          503: away,
        },
      },
    },
    async (request, reply) => {
      const { username: identifier, password } = request.body
      const answer = await signInByPassword(withOwnLife, { identifier, password }, describeRequest(request))
      // RFC 6749 section 5.1.
      reply.header('cache-control', 'no-store')
      return { access_token: answer.access_token ?? '', token_type: 'bearer' as const }
    },
  )
}

function serveValidate(scope: App, deps: Deps): void {
  scope.post(
    '/validate',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'validateToken',
        summary: 'Whose token is this?',
        description:
          'The address of whoever has no username. The verifier answers this without a request: see `packages/verifier`.',
        response: {
          200: Type.Object({ username: Type.String({ examples: ['ada'] }), valid: Type.Literal(true) }),
          401: failure('No valid token', 'Invalid token'),
          403: failure('The password has to be changed first', 'Choose a password first.'),
          503: away,
        },
      },
    },
    async request => {
      const me = await findMe(deps, await findSelf(deps, request.principal, describeRequest(request)))
      return { username: me.username ?? me.email ?? me.id, valid: true as const }
    },
  )
}

/** Clients of OAuth's libraries look for these members (RFC 6749 section 5.2). */
function sayInOAuth({ status, code, detail, errors = [] }: ProblemDocument & { readonly detail: string }): object {
  const faults = errors.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`)
  const unavailable = status === 429 || status >= 500
  const error =
    code === 'invalid-credentials' ? 'invalid_grant' : unavailable ? 'temporarily_unavailable' : 'invalid_request'
  return { error, error_description: faults.length > 0 ? faults.join('; ') : detail }
}
