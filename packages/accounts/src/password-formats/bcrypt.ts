/**
 * `$2b$12$` and what came before it: `$2a$` and `$2y$` name the same computation. It takes 72 bytes of a password and no
 * more, as it did in the system that stored the hash.
 */
import { verify } from '@node-rs/bcrypt'
import { assertWithin, type HashReader } from './stored-hash.ts'

const form = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
/** About a second. */
const mostRounds = 14

export const readBcrypt: HashReader = text => {
  const cost = form.exec(text)?.[1]
  if (cost === undefined) return undefined
  assertWithin('the cost of bcrypt', Number(cost), 4, mostRounds)
  return { verify: password => verify(password, text) }
}
