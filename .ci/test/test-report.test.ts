// The closing line decides whether a run is believed, so a broken or empty run must never read like a good one.
import t from 'tap'
import { Parser } from 'tap-parser'
import { TestReport } from '../test-report.ts'

const passingFile =
  '# Subtest: a.test.ts\n    ok 1 - adds\n    ok 2 - needs vectors # SKIP not here\n    1..2\nok 1 - a.test.ts\n'
const failingFile =
  '# Subtest: b.test.ts\n    not ok 1 - subtracts\n      ---\n      found: 3\n      wanted: 1\n      ...\n    1..1\nnot ok 2 - b.test.ts\n'

t.test('the report of a run', async t => {
  t.test('closes with the counts of tap', async t => {
    const { code, lines } = reportRun(`1..1\n${passingFile}# { total: 2, pass: 1, skip: 1 }\n`, 0)
    t.equal(lines.at(-1), '\n1 passed, 0 failed, 1 skipped')
    t.equal(code, 0)
    t.match(lines, ['pass  a.test.ts  0.0 s', '      skipped: needs vectors (not here)'])
  })

  t.test('shows a failure where it happened, and keeps the exit code', async t => {
    const { code, lines } = reportRun(
      `1..2\n${passingFile}${failingFile}# { total: 3, pass: 1, fail: 1, skip: 1 }\n`,
      7,
    )
    t.equal(lines.at(-1), '\n1 passed, 1 failed, 1 skipped')
    t.equal(code, 7)
    t.match(lines.join('\n'), /FAIL  b\.test\.ts.*\n\n  ✖ b\.test\.ts > subtracts\n    found: 3\n    wanted: 1\n/)
  })

  t.test('fails when no test was executed', async t => {
    const { code, lines } = reportRun('1..0\n# { total: 0, pass: 0 }\n', 0)
    t.equal(lines.at(-1), '\n0 passed, 0 failed')
    t.equal(code, 1)
  })

  t.test('fails when every test was skipped', async t => {
    const { code } = reportRun('1..1\nok 1 - a.test.ts # SKIP\n# { total: 1, pass: 0, skip: 1 }\n', 0)
    t.equal(code, 1)
  })

  t.test('fails when a test is not written yet', async t => {
    const { code, lines } = reportRun('1..2\nok 1 - a\nok 2 - b # TODO\n# { total: 2, pass: 1, todo: 1 }\n', 0)
    t.equal(lines.at(-1), '\n1 passed, 1 failed')
    t.equal(code, 1)
  })

  t.test('counts a fault of the run as a whole, though each file passed', async t => {
    const { code, lines } = reportRun(
      `1..1\n${passingFile}# { total: 2, pass: 1, skip: 1 }\n`,
      0,
      'A secret is in a log.',
    )
    t.ok(lines.includes('  ✖ A secret is in a log.'))
    t.equal(lines.at(-1), '\n1 passed, 1 failed, 1 skipped')
    t.equal(code, 1)
  })

  t.test('counts a tap that broke off as a failure', async t => {
    const { code, lines } = reportRun(`1..2\n${passingFile}`, 137)
    t.equal(lines.at(-1), '\n0 passed, 1 failed')
    t.equal(code, 137)
  })

  t.test('counts a bad end after good tests as a failure', async t => {
    const { code, lines } = reportRun(`1..1\n${passingFile}# { total: 2, pass: 1, skip: 1 }\n`, 1)
    t.equal(lines.at(-1), '\n1 passed, 1 failed, 1 skipped')
    t.equal(code, 1)
  })
})

function reportRun(tap: string, exitCode: number, fault?: string): { code: number; lines: string[] } {
  const lines: string[] = []
  const report = new TestReport(line => lines.push(line))
  const parser = new Parser()
  report.follow(parser)
  parser.end(`TAP version 14\n${tap}`)
  if (fault !== undefined) report.fail(fault)
  return { code: report.close(exitCode), lines }
}
