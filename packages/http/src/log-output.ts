/**
 * Lines leave together, a tenth of a second late at most: a write of its own for every request costs a quarter of what a
 * signature costs. What is waiting when the process ends is written then.
 */

const longestWaitMs = 100
const mostCharacters = 16_384

/** Standard output, for pino. One for all programs of a process. */
export const logOutput = { write }

let waiting = ''
let timer: NodeJS.Timeout | undefined

function write(line: string): void {
  if (waiting === '') {
    timer = setTimeout(flush, longestWaitMs).unref()
    process.once('exit', flush)
  }
  waiting += line
  if (waiting.length >= mostCharacters) flush()
}

function flush(): void {
  clearTimeout(timer)
  process.off('exit', flush)
  if (waiting !== '') process.stdout.write(waiting)
  waiting = ''
}
