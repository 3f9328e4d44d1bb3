// `pnpm demo`: what a start promises, shown on an installation of its own.
import { mayBegin } from './may-begin.ts'

const help = `Usage: pnpm demo

Starts an installation in a temporary folder, beside the one that may run, pastes the lines that a start prints, tells a longer
story, stops it and removes it. Says one line a step. Exit code 1 when a step fails. It takes some ten seconds.

  --help   this text
`

if (mayBegin(process.argv.slice(2), help)) await import('./demo/run-demo.ts')
