/** OpenTelemetry over OTLP and HTTP. Spans leave in batches; while the collector is away they are dropped, and nothing waits for it. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, defaultTextMapGetter } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Tracer, Tracing } from './tracing.ts'

const exportTimeoutMs = 3_000

export function createOtlpTracing(endpoint: string): Tracing {
  const providers: TracerProvider[] = []
  const propagator = new W3CTraceContextPropagator()

  /** Each program is a service of its own name, also where several are one process. */
  function traceProgram(program: string): Tracer {
    const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: exportTimeoutMs })
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': `signet-${program}` }),
      spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: exportTimeoutMs })],
    })
    providers.push(provider)
    const tracer = provider.getTracer('signet')
    return ({ id, method, headers }) => {
      const parent = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
      const attributes = { 'http.request.method': method, 'signet.request_id': id }
      const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent)
      return {
        traceId: span.spanContext().traceId,
        end({ route, status }) {
          span.setAttribute('http.response.status_code', status)
          if (route !== undefined) span.updateName(`${method} ${route}`).setAttribute('http.route', route)
          // Of a server, what its caller did wrong is no error (OpenTelemetry's semantic conventions for HTTP).
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
          span.end()
        },
      }
    }
  }

  return {
    of: traceProgram,
    // A collector that is away must not keep a program from stopping.
    close: async () => void (await Promise.allSettled(providers.map(provider => provider.shutdown()))),
  }
}
