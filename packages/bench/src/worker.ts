/** Child processes that measure: each on a core of its own, asked one question at a time. */

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Bench } from './bench.ts'
import { type Core, onCore } from './machine.ts'
import { endProcess } from './end-process.ts'

export interface Worker<Question, Answer> extends AsyncDisposable {
  /** Rejects with what the worker threw, and when it ends or the run is interrupted. */
  ask(question: Question): Promise<Answer>
}

export type Reply = { readonly answer: unknown } | { readonly error: string }

/** Starts the file on `core`. It ends with this process, or when it is disposed of. */
export function startWorker<Question extends object | string, Answer>(
  bench: Bench,
  file: URL,
  core: Core,
): Worker<Question, Answer> {
  const [command, ...args] = onCore(core, process.execPath, [fileURLToPath(file)])
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  return {
    ask: question => askChild<Answer>(child, question, bench.signal),
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect()
      await endProcess(child)
    },
  }
}

function askChild<Answer>(child: ChildProcess, question: object | string, signal: AbortSignal): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    const listening = new AbortController()
    const settle = (act: () => void) => {
      listening.abort()
      child.off('message', onReply).off('exit', onExit).off('error', onError)
      act()
    }
    const onReply = (reply: unknown) =>
      settle(() => {
        const given = reply as Reply
        if ('error' in given) reject(new Error(given.error))
        else resolve(given.answer as Answer)
      })
    const onExit = (code: number | null) => settle(() => reject(new Error(`A measuring process ended with ${code}.`)))
    const onError = (error: Error) => settle(() => reject(error))
    if (signal.aborted) return settle(() => reject(signal.reason as Error))
    signal.addEventListener('abort', () => settle(() => reject(signal.reason as Error)), { signal: listening.signal })
    child.once('message', onReply).once('exit', onExit).once('error', onError)
    child.send(question, error => {
      if (error !== null) onError(error)
    })
  })
}
