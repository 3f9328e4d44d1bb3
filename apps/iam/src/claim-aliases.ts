/**
 * `ACCESS_TOKEN_CLAIM_ALIASES=user_id:sub,company_id:tid`: claims that are said again under another name, for consumers that know
 * no other. No alias takes the name of a claim that means something: who reads it would believe it.
 */
import { list, type Setting } from '@signet/kernel'
import type { ClaimAlias } from './deps.ts'

/** What is worth saying twice. Claims that are not in every token, or that are no plain value, are not. */
const repeated = ['sub', 'tid', 'sid', 'client_id', 'kind', 'roles', 'permissions', 'auth_time'] as const

/** Those of the access token, of RFC 7519, 9068, 8693, 7800 and 9449, and of the OpenID Connect ID token. */
const taken = new Set<string>(
  `iss aud exp nbf iat jti amr act may_act status client scope groups entitlements cnf acr azp nonce at_hash c_hash email_verified
  phone_number_verified authorization_details`
    .split(/\s+/)
    .concat(repeated),
)

export function claimAliases(): Setting<readonly ClaimAlias[]> {
  const words = list([])
  return {
    fallback: [],
    parse: given => {
      const aliases = words.parse(given).map(readAlias)
      const twice = aliases.find(({ alias }, index) => aliases.findIndex(each => each.alias === alias) !== index)
      if (twice !== undefined) throw new Error(`names ${twice.alias} twice.`)
      return aliases
    },
  }
}

function readAlias(word: string): ClaimAlias {
  const [, alias = '', claim = ''] = /^([A-Za-z][A-Za-z0-9_.-]{0,62}):([a-z_]+)$/.exec(word) ?? []
  if (alias === '') throw new Error(`has to be like user_id:sub,company_id:tid, and "${word}" is not.`)
  if (!repeated.some(each => each === claim)) {
    throw new Error(`can repeat ${repeated.join(', ')}, not "${claim}".`)
  }
  if (taken.has(alias)) throw new Error(`cannot give the name ${alias}, which means something else in a token.`)
  return { alias, claim }
}
