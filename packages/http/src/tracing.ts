import type { IncomingHttpHeaders } from 'node:http'

/** Begins the span of a request, within the trace that its caller names (W3C Trace Context). */
export type Tracer = (request: {
  readonly id: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
}) => RequestSpan

export interface RequestSpan {
  readonly traceId: string
  end(answer: { readonly route: string | undefined; readonly status: number }): void
}

export interface Tracing {
  /** Undefined where nothing is traced. */
  of(program: string): Tracer | undefined
  /** Hands over what waits, for a few seconds at most. */
  close(): Promise<void>
}
