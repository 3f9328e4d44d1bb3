// Runs the test files that it is given, two at a time, and writes tap's stream. By tap's own API and not by its command, which
// records for coverage which files a process loads: in each test file, and in each program that those start, a third of its start.
import t from 'tap'

/** Of a file that says nothing else by `t.setTimeout`. */
const timeoutSeconds = 60

/** Without what tap adds to NODE_OPTIONS for that record. */
const node = process.platform === 'win32' ? [process.execPath] : ['env', '-u', 'NODE_OPTIONS', process.execPath]
const [command, ...flags] = [...node, '--enable-source-maps']

t.setTimeout(0)
t.jobs = 2
for (const file of process.argv.slice(2)) {
  void t.spawn(command, [...flags, file], {
    name: file,
    buffered: true,
    timeout: timeoutSeconds * 1_000,
    env: { ...process.env, TAP_TIMEOUT: String(timeoutSeconds) },
    at: null,
    stack: '',
  })
}
