import type { Tracing } from './tracing.ts'

/**
 * The library is loaded where there is a collector.
 * @param endpoint without `/v1/traces`; undefined for none
 */
export async function openTracing(endpoint: string | undefined): Promise<Tracing> {
  if (endpoint === undefined) return { of: () => undefined, close: async () => undefined }
  const { createOtlpTracing } = await import('./otlp-tracing.ts')
  return createOtlpTracing(endpoint)
}
