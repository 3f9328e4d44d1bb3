// A listener observes and never decides: what it throws becomes a process warning and changes no verdict.

import type { VerifierEvents } from './options.ts'

export function notify<Name extends keyof VerifierEvents>(
  events: VerifierEvents,
  name: Name,
  ...details: Parameters<NonNullable<VerifierEvents[Name]>>
): void {
  const listener = events[name] as ((...details: unknown[]) => void) | undefined
  if (listener === undefined) return
  try {
    listener.apply(events, details)
  } catch (error) {
    const warning = `The listener on.${name} of a Signet verifier threw: ${String(error)}`
    // There is no process at the edge.
    if (globalThis.process === undefined) console.warn(warning)
    else process.emitWarning(warning)
  }
}
