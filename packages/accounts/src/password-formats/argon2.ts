/** argon2id, argon2i and argon2d in PHC form, of any cost within the bounds. Without a version it is that of 2013, 16. */
import { verify } from '@node-rs/argon2'
import { assertWithin, type HashReader } from './stored-hash.ts'

const form =
  /^\$argon2(?:id|i|d)(\$v=1[69])?\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,7})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{14,172}$/
const mostKibibytes = 262_144
/** Memory times passes: about two seconds. */
const mostWork = 1_048_576

export const readArgon2: HashReader = text => {
  const found = form.exec(text)
  if (found === null) return undefined
  const [memory, passes, lanes] = [Number(found[2]), Number(found[3]), Number(found[4])]
  assertWithin('the lanes of argon2', lanes, 1, 64)
  assertWithin('the memory of argon2 in KiB', memory, 8 * lanes, mostKibibytes)
  assertWithin('the passes of argon2 over that memory', passes, 1, Math.floor(mostWork / memory))
  const complete = found[1] === undefined ? text.replace('$m=', '$v=16$m=') : text
  return { verify: password => verify(complete, password) }
}
