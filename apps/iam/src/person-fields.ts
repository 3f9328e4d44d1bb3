/** What a person may be called and how they are reached, on the wire. */
import { Type } from 'typebox'

export const Email = Type.String({
  format: 'email',
  maxLength: 254,
  description: 'Kept in lower case',
  examples: ['ada@example.com'],
})
export const Phone = Type.String({
  minLength: 1,
  maxLength: 40,
  description: 'With + and the country code; spaces, dashes and brackets are left out. Kept in E.164',
  examples: ['+14155552671'],
})
// No @ and no plus at the start: an identifier tells by its form what it is.
export const Username = Type.String({
  pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$',
  description: 'Letters, digits, dot, hyphen and underscore; unique in its tenant in any case',
  examples: ['ada'],
})
// Line breaks and other control characters have no place in a name, and much to do in a mail header.
const nameRules = { minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}]*$' }
export const PersonName = Type.String({ ...nameRules, examples: ['Ada Lovelace'] })
export const FirstName = Type.String({ ...nameRules, examples: ['Ada'] })
export const LastName = Type.String({ ...nameRules, examples: ['Lovelace'] })
export const Language = Type.Union([Type.Literal('en'), Type.Literal('fr')])
export const TenantSlug = Type.String({
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
  description: 'The slug of a tenant',
  examples: ['acme'],
})
/** Its rules are in the service, so that each of them has a problem of its own. */
export const Password = Type.String({ minLength: 1, examples: ['correct horse battery staple'] })
export const NewPassword = Type.String({ minLength: 1, examples: ['violet anchor tram 58'] })
/** Wrong by form and wrong by value are one to whoever guesses. */
export const Code = Type.String({ minLength: 1, maxLength: 32, description: 'Six digits', examples: ['042137'] })
