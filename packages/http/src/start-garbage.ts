/**
 * Reading a program's code leaves more behind than the program needs, and V8 keeps that memory until it is short of it. One collection
 * after the start gives it back: a sixth of an idle process. Node has no call for it, so V8's own is switched on for that moment.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A tenth of a second of its own, and so after the first requests of a start. */
const afterMs = 2_000

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void

export function collectStartGarbage(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as Collect
    setFlagsFromString('--no-expose-gc')
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }, afterMs).unref()
}
