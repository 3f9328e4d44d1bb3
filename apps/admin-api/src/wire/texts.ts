/** Texts that people write for people. */
import { Type } from 'typebox'

/** One line: no control characters, and no blank at either end, where nobody would see it. */
export function lineOf(maxLength: number, example: string, description?: string) {
  return Type.String({
    minLength: 1,
    maxLength,
    pattern: '^[^\\s\\p{Cc}](?:[^\\p{Cc}]*[^\\s\\p{Cc}])?$',
    examples: [example],
    ...(description === undefined ? {} : { description }),
  })
}

/** Any number of lines, also none; no other control characters than those that end lines and indent them. */
export function linesOf(maxLength: number, example: string) {
  return Type.String({ maxLength, pattern: '^(?:[^\\p{Cc}]|[\\t\\r\\n])*$', examples: [example] })
}
