/**
 * The child's side of `worker.ts`: answers one question at a time, and ends when it is told to or when the process that
 * asks has gone. Ctrl-C goes to the asking process, which ends its children in order.
 */

import type { Reply } from '../worker.ts'

/** @param leave what has to be put away before the end */
export function answerQuestions<Question>(
  answer: (question: Question) => Promise<unknown>,
  leave: () => Promise<void> = async () => undefined,
): void {
  let leaving = false
  const end = () => {
    if (leaving) return
    leaving = true
    leave().then(
      () => process.exit(),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  process.on('message', question => {
    answer(question as Question).then(
      result => reply({ answer: result }),
      (error: unknown) => reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
  process.on('disconnect', end)
  process.on('SIGTERM', end)
  process.on('SIGINT', () => undefined)
}

function reply(message: Reply): void {
  if (process.connected) process.send?.(message)
}
