// A listener observes and never decides: what it throws, at once or later, becomes a warning and changes no verdict.

import type { VerifierEvents } from './options.ts'

export function notify<Name extends keyof VerifierEvents>(
  events: VerifierEvents,
  name: Name,
  ...details: Parameters<NonNullable<VerifierEvents[Name]>>
): void {
  const listener = events[name] as ((...details: unknown[]) => unknown) | undefined
  const warn = (error: unknown) => {
    const why = error instanceof Error ? error.message : typeof error
    const warning = `The listener on.${name} of a Signet verifier threw: ${why}`
    // There is no process at the edge.
    if (globalThis.process === undefined) console.warn(warning)
    else process.emitWarning(warning)
  }
  try {
    const outcome = listener?.apply(events, details)
    if (outcome instanceof Promise) outcome.catch(warn)
  } catch (error) {
    warn(error)
  }
}
