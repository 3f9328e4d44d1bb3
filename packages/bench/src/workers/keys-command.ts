/**
 * `pnpm keys` in a process that stays: the program's file is run anew for each command, and what it imports is loaded once. A
 * thousand starts of Node would be most of the work otherwise, on the cores that the issuer and the verifier need.
 */

import { answerQuestions } from './answer-questions.ts'

export interface KeysQuestion {
  /** Of the program's file. */
  readonly url: string
  readonly words: readonly string[]
  /** What the program reads of its environment. */
  readonly settings: Readonly<Record<string, string>>
}

let runs = 0

/** The exit code. */
answerQuestions(async ({ url, words, settings }: KeysQuestion): Promise<number> => {
  Object.assign(process.env, settings)
  process.argv.splice(2, process.argv.length, ...words)
  process.exitCode = 0
  runs += 1
  // Another address is another module, which is run like the first.
  await import(`${url}?run=${runs}`)
  const { exitCode } = process
  process.exitCode = 0
  return exitCode
})
