/** argon2id, argon2i and argon2d in PHC form, of any cost within the bounds. Without a version it is that of 2013, 16. */
import { verify } from '@node-rs/argon2'
import { assertWithin, type HashReader } from './stored-hash.ts'

const form =
  /^\$argon2(?<variant>id|i|d)(?:\$v=(?<version>16|19))?\$m=(?<memory>\d{1,10}),t=(?<passes>\d{1,10}),p=(?<lanes>\d{1,8})\$(?<rest>[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{14,172})$/
const mostKibibytes = 262_144
/** Memory times passes: about two seconds. */
const mostWork = 1_048_576

export const readArgon2: HashReader = text => {
  const found = form.exec(text)?.groups
  if (found === undefined) return undefined
  const { variant, version = '16', rest } = found
  const [memory, passes, lanes] = [Number(found['memory']), Number(found['passes']), Number(found['lanes'])]
  assertWithin('the lanes of argon2', lanes, 1, 64)
  assertWithin('the memory of argon2 in KiB', memory, 8 * lanes, mostKibibytes)
  assertWithin('the passes of argon2 over that memory', passes, 1, Math.floor(mostWork / memory))
  const complete = `$argon2${variant}$v=${version}$m=${memory},t=${passes},p=${lanes}$${rest}`
  return { verify: password => verify(complete, password) }
}
