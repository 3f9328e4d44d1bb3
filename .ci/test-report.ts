// Turns tap's stream into one line a file, each failure in full, and a last line with the counts that tap itself gives.
import type { Parser, Result } from 'tap-parser'

/** tap's closing comment: `# { total: 9, pass: 6, fail: 2, skip: 1 }`. */
const closingComment =
  /^# \{ total: \d+(?:, pass: (?<pass>\d+))?(?:, fail: (?<fail>\d+))?(?:, todo: (?<todo>\d+))?(?:, skip: (?<skip>\d+))? \}/

/** What tap tells about the process of a test file; the file's name says as much. */
const ofTheRunner = new Set(['stdio', 'cwd', 'externalID', 'command', 'args', 'jobId'])

export class TestReport {
  readonly #print: (line: string) => void
  #failures: Result[] = []
  #unrun: Result[] = []
  #file: Result | undefined
  #counts: Record<string, string | undefined> | undefined
  #faults = 0

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  /** Prints each file as soon as the parser has read it to its end. */
  follow(parser: Parser): void {
    parser.on('result', (result: Result) => {
      // A file that fails as a whole is a result of its own, which the parser names after the file.
      if (result === this.#file) return
      if (result.skip !== false || result.todo !== false) this.#unrun.push(result)
      else if (!result.ok) this.#failures.push(result)
    })
    parser.on('assert', (file: Result) => this.#printFile(file))
    parser.on('extra', (text: string) => this.#print(text.trimEnd()))
    parser.on('bailout', (reason: string) => this.#print(`Bail out! ${reason}`))
    parser.on('comment', (comment: string) => {
      this.#counts = closingComment.exec(comment)?.groups ?? this.#counts
    })
  }

  /** A failure of the run as a whole, which no test file sees. */
  fail(text: string): void {
    this.#faults += 1
    this.#print(`  ✖ ${text}`)
  }

  /** Prints the closing line for a tap that ended with `code`, and returns the exit code of the whole run. */
  close(code: number): number {
    const passed = Number(this.#counts?.['pass'] ?? 0)
    const skipped = Number(this.#counts?.['skip'] ?? 0)
    let failed = Number(this.#counts?.['fail'] ?? 0) + Number(this.#counts?.['todo'] ?? 0)
    failed += this.#faults
    if (this.#counts === undefined) this.#print('tap ended without its closing count.')
    if (this.#counts?.['todo'] !== undefined) this.#print('Tests that are not written yet count as failed.')
    if (passed + failed === 0) this.#print('No test was executed.')
    // A reader of the last line alone must not take a broken run for a good one.
    if (code !== 0 && failed === 0) {
      this.#print(`tap ended with exit code ${code}: counted as one failure.`)
      failed = 1
    }
    this.#print(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
    return code === 0 && (failed > 0 || passed === 0) ? 1 : code
  }

  #printFile(file: Result): void {
    const seconds = ((file.time ?? 0) / 1000).toFixed(1)
    this.#print(`${file.ok ? 'pass' : 'FAIL'}  ${file.name}  ${seconds} s`)
    for (const { name, skip, todo } of this.#unrun) {
      const reason = typeof skip === 'string' ? ` (${skip})` : ''
      this.#print(todo === false ? `      skipped: ${name}${reason}` : `      not written: ${name}`)
    }
    if (!file.ok) for (const failure of this.#failures.length > 0 ? this.#failures : [file]) this.#printFailure(failure)
    this.#failures = []
    this.#unrun = []
    this.#file = file
  }

  #printFailure({ fullname, name, diag }: Result): void {
    this.#print(`\n  ✖ ${fullname.endsWith(name) ? fullname : `${fullname} > ${name}`}`)
    for (const [key, value] of Object.entries<unknown>(diag ?? {})) {
      if (ofTheRunner.has(key)) continue
      const text = typeof value === 'string' ? value.trimEnd() : JSON.stringify(value)
      const lines = text.includes('\n') ? `\n${text}` : ` ${text}`
      this.#print(`    ${key}:${lines.replaceAll('\n', '\n      ')}`)
    }
    this.#print('')
  }
}
