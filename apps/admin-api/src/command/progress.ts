/** How far an import is: one line that is written anew on a terminal, a line every few seconds elsewhere. */
export interface Progress {
  count(status: string): void
  /** The last word. */
  end(): void
}

const everyMs = { terminal: 200, file: 5_000 }

export function showProgress(out: NodeJS.WriteStream, totalBytes: number, bytesSent: () => number): Progress {
  const isTerminal = out.isTTY
  const startedAt = performance.now()
  const counts = new Map<string, number>()
  let lines = 0
  let shownAt = startedAt

  const show = (end: string) => {
    shownAt = performance.now()
    const seconds = Math.max((shownAt - startedAt) / 1000, 0.001)
    const share = totalBytes === 0 ? 100 : Math.floor((bytesSent() / totalBytes) * 100)
    const parts = [...counts].map(([status, count]) => `${status} ${count}`)
    const text = [`${share} %`, `${lines} lines`, `${Math.round(lines / seconds)}/s`, ...parts].join('  ')
    out.write(isTerminal ? `\r${text}\u001b[K${end}` : `${text}\n`)
  }

  return {
    count: status => {
      lines += 1
      counts.set(status, (counts.get(status) ?? 0) + 1)
      if (performance.now() - shownAt >= (isTerminal ? everyMs.terminal : everyMs.file)) show('')
    },
    end: () => show('\n'),
  }
}
