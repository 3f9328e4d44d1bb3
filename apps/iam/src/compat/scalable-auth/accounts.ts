/** Administrators, clients and sub-clients: each kind is made by those above it, and signs in at a door of its own. */
import type { App } from '@signet/http'
import { type InputFault, problem, type UserId } from '@signet/kernel'
import { type Static, Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { createAccount, type NewAccount } from '../../modules/account-creation/index.ts'
import { openDoor } from '../../modules/doors/index.ts'
import { Email, Password, PersonName, Username } from '../../person-fields.ts'
import { describeRequest } from '../../request-facts.ts'
import { DetailAndToken, failures, tags } from './answers.ts'
import { readNumber } from './numbers.ts'
import { enterByCode, enterByPassword } from './sign-in.ts'

/** The document names no members: these are the names under which a mobile number and a code come. */
const numberNames = ['number', 'mobile_number', 'mobile', 'phone'] as const
const codeNames = ['otp', 'code'] as const

const NumberText = Type.String({ minLength: 1, maxLength: 40 })
const numberMembers = {
  number: Type.Optional({ ...NumberText, description: 'Also `mobile_number`, `mobile`, `phone`' }),
  mobile_number: Type.Optional(NumberText),
  mobile: Type.Optional(NumberText),
  phone: Type.Optional(NumberText),
}

const Login = Type.Object(
  {
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 320, description: 'Or the e-mail address' })),
    password: Type.Optional(Password),
    ...numberMembers,
    otp: Type.Optional(Type.String({ minLength: 1, maxLength: 32, description: 'Also `code`' })),
    code: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
  },
  {
    description: 'A username and its password, or a mobile number and the code that was sent there',
    examples: [{ username: 'ada', password: 'correct horse battery staple' }],
  },
)
type Login = Static<typeof Login>

const newMembers = {
  username: Type.Optional(Username),
  password: Type.Optional(Password),
  email: Type.Optional(Email),
  name: Type.Optional(PersonName),
  ...numberMembers,
}
const identified = 'One of username, number and e-mail is required; without a password codes are the way in'
const example = { username: 'ada', password: 'correct horse battery staple', number: '+919876543210' }
const NewAccountBody = Type.Object(newMembers, { description: identified, examples: [example] })
const clientId = '0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b'
const NewSubClientBody = Type.Object(
  {
    ...newMembers,
    client_id: Type.Optional(
      Type.String({ format: 'uuid', description: 'Whose sub-client it is; left out by a client for its own' }),
    ),
  },
  { description: identified, examples: [{ ...example, client_id: clientId }] },
)

const Created = Type.Object({
  detail: Type.String({ examples: ['Client created'] }),
  id: Type.String({ format: 'uuid' }),
})

interface Kind {
  readonly kind: NewAccount['kind']
  /** In the operation's name and in the answer. */
  readonly name: 'Admin' | 'Client' | 'SubClient'
  readonly noun: string
  readonly body: typeof NewAccountBody | typeof NewSubClientBody
  readonly whoMakes: string
}

const kinds: readonly Kind[] = [
  {
    kind: 'admin',
    name: 'Admin',
    noun: 'administrator',
    body: NewAccountBody,
    whoMakes: 'Platform staff (`super_admin`) make administrators, in the tenant of their token.',
  },
  {
    kind: 'client',
    name: 'Client',
    noun: 'client',
    body: NewAccountBody,
    whoMakes: 'Needs `clients:create`, as administrators have it, and all that the client will hold.',
  },
  {
    kind: 'subclient',
    name: 'SubClient',
    noun: 'sub-client',
    body: NewSubClientBody,
    whoMakes:
      'A client makes its own; others need `sub-clients:create` and say `client_id`. It never surpasses its client.',
  },
]

export function serveAccounts(scope: App, deps: Deps): void {
  for (const kind of kinds) serveKind(scope, deps, kind)
}

function serveKind(scope: App, deps: Deps, { kind, name, noun, body, whoMakes }: Kind): void {
  scope.post(
    `/auth/${kind}/create`,
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: `create${name}`,
        summary: `Create a ${noun}`.replace('a admin', 'an admin'),
        description: whoMakes,
        body,
        response: { 200: Created, ...failures(400, 401, 403, 404, 409, 413, 415, 422, 503) },
      },
    },
    async request => {
      const { username, email, password, name: fullName } = request.body
      const phone = numberOf(request.body)
      const client = 'client_id' in request.body ? (request.body.client_id as UserId) : undefined
      if (username === undefined && email === undefined && phone === undefined) throw missing('username', 'number')
      const account = { kind, clientId: client, username, email, phone, password, name: fullName }
      const { id } = await createAccount(deps, request.principal, account, describeRequest(request))
      return { detail: `${noun.charAt(0).toUpperCase()}${noun.slice(1)} created`, id }
    },
  )
  scope.post(
    `/auth/${kind}/login`,
    {
      config: { access: 'public', perMinute: 60 },
      schema: {
        tags,
        operationId: `login${name}`,
        summary: `Sign in as a ${noun}`.replace('a admin', 'an admin'),
        description: `Whoever is no ${noun} is answered as for a wrong secret. A code is asked for with POST /auth/otp/sendotp/{number}.`,
        body: Login,
        response: { 200: DetailAndToken, ...failures(400, 401, 413, 415, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      const facts = describeRequest(request)
      const door = openDoor(deps, kind)
      const { username, password } = request.body
      const phone = numberOf(request.body)
      const code = codeNames.map(each => request.body[each]).find(value => value !== undefined)
      if (phone !== undefined && code !== undefined) return enterByCode(deps, { phone, code }, facts, door)
      if (password === undefined) throw missing(...(phone === undefined ? ['username', 'password'] : ['otp']))
      if (username !== undefined) return enterByPassword(deps, { identifier: username, password }, facts, door)
      if (phone !== undefined) return enterByPassword(deps, { phone, password }, facts, door)
      throw missing('username')
    },
  )
}

/** @throws Problem `invalid-input` */
function numberOf(body: Pick<Login, (typeof numberNames)[number]>): string | undefined {
  const name = numberNames.find(each => body[each] !== undefined)
  return name === undefined ? undefined : readNumber(body[name] ?? '', `/${name}`)
}

function missing(...names: readonly string[]) {
  const errors: InputFault[] = names.map(name => ({ pointer: `/${name}`, message: 'is required' }))
  return problem('invalid-input', undefined, { errors })
}
