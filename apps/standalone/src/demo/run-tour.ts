/** Runs the lines that a start prints, by the shell and curl, exactly as they would be pasted. */
import { spawn, spawnSync } from 'node:child_process'
import { renderTour, type TourStep } from '../tour.ts'

export interface TourResult {
  readonly title: string
  readonly hasPassed: boolean
  readonly durationMs: number
  /** What the lines of this step printed. */
  readonly output: string
}

/** True where there is what the lines need. */
export function canRunTour(): boolean {
  return ['sh', 'curl'].every(program => spawnSync(program, ['-c', ':'], { stdio: 'ignore' }).error === undefined)
}

const timeoutMs = 30_000
const titleLine = /^\d+\. .*\n/m

export async function runTour(tour: readonly TourStep[], folder: string): Promise<readonly TourResult[]> {
  const { printed, titledAt, endedAt } = await runLines(renderTour(tour), folder)
  return tour.map(({ title, answers }, index) => {
    const output = printed.split(titleLine)[index + 1]?.trim() ?? ''
    const statuses = [...output.matchAll(/^\d{3}$/gm)].map(([status]) => Number(status))
    const hasSpoken = output !== '' && !/^a token of 0 characters$/m.test(output)
    const durationMs = (titledAt[index + 1] ?? endedAt) - (titledAt[index] ?? endedAt)
    return { title, output, durationMs, hasPassed: hasSpoken && String(statuses) === String(answers) }
  })
}

interface Printed {
  readonly printed: string
  /** When the title of each step appeared. */
  readonly titledAt: readonly number[]
  readonly endedAt: number
}

/** One shell for all lines, which it reads as from a terminal: what one sets the next can use. */
function runLines(lines: string, folder: string): Promise<Printed> {
  return new Promise((resolve, reject) => {
    const shell = spawn('sh', ['-s'], { cwd: folder, timeout: timeoutMs, stdio: ['pipe', 'pipe', 'pipe'] })
    const titledAt: number[] = []
    let printed = ''
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text
        while (titledAt.length < printed.split(titleLine).length - 1) titledAt.push(performance.now())
      })
    }
    shell.on('error', reject)
    shell.on('close', () => resolve({ printed, titledAt, endedAt: performance.now() }))
    shell.stdin.end(`${lines}\n`)
  })
}
