import { spawnSync } from 'node:child_process'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { problem } from '@signet/kernel'
import t, { type Test } from 'tap'
import { createServer, openTracing } from '../src/index.ts'

interface Span {
  readonly name: string
  readonly traceId: string
  readonly parentSpanId?: string
  readonly kind: number
  readonly status: { readonly code?: number }
  readonly attributes: readonly { readonly key: string; readonly value: object }[]
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly object[] }
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
  }[]
}

/** A collector that keeps what it is given, as it was sent. */
async function collector(t: Test) {
  const bodies: string[] = []
  const server = createHttpServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      if (request.url === '/v1/traces') bodies.push(body)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const exports = () => bodies.map(body => JSON.parse(body) as Export).flatMap(({ resourceSpans }) => resourceSpans)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    text: () => bodies.join('\n'),
    spans: () => exports().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    resources: () => exports().map(({ resource }) => resource),
  }
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

t.test('a request that is traced', async t => {
  const { url, text, spans, resources } = await collector(t)
  const tracing = await openTracing(url)
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  const app = await createServer({ logger: { level: 'info', stream }, trustProxy: [], tracer: tracing.of('iam') })
  app.get('/secret/:key', async () => 'ok')
  app.get('/busy', async () => {
    throw problem('hashing-busy')
  })
  t.teardown(() => app.close())
  const headers = { traceparent, authorization: 'Bearer hunter2' }
  const answer = await app.inject({ url: '/secret/hunter2?code=hunter2', headers })
  await app.inject('/busy')
  await app.inject('/nowhere')
  await tracing.close()
  const [called, busy, unknown] = spans()
  const attribute = (span: Span | undefined, key: string) => span?.attributes.find(each => each.key === key)?.value

  await t.test('is a span of its route and status, in the trace of its caller', async t => {
    t.match(called, { name: 'GET /secret/:key', traceId, parentSpanId: 'b7ad6b7169203331', kind: 2 })
    t.same(attribute(called, 'http.route'), { stringValue: '/secret/:key' })
    t.same(attribute(called, 'http.response.status_code'), { intValue: 200 })
    t.same(attribute(called, 'signet.request_id'), { stringValue: answer.headers['x-request-id'] })
    t.match(resources()[0], { attributes: [{ key: 'service.name', value: { stringValue: 'signet-iam' } }] })
  })
  await t.test('is a trace of its own where its caller names none', async t => {
    t.match(busy, { name: 'GET /busy', traceId: /^[0-9a-f]{32}$/, status: { code: 2 } })
    t.not(busy?.traceId, traceId)
    t.match(unknown, { name: 'GET', status: {} })
    t.notOk(unknown?.status.code, 'the mistake of a caller is no error of ours')
  })
  await t.test('has its trace in each of its log lines', async t => {
    const [first, ...others] = lines.map(line => JSON.parse(line) as { traceId: string; reqId: string })
    t.match(first, { traceId, reqId: answer.headers['x-request-id'] })
    t.ok(others.length > 0 && others.every(line => /^[0-9a-f]{32}$/.test(line.traceId)))
  })
  await t.test('tells no secret', async t => t.notMatch(text(), /hunter2/))
})

t.test('a collector that is away keeps nobody waiting', async t => {
  const { url } = await collector(t)
  const gone = new URL(url)
  gone.port = '9'
  const tracing = await openTracing(gone.origin)
  const app = await createServer({ logger: false, trustProxy: [], tracer: tracing.of('iam') })
  t.teardown(() => app.close())
  t.equal((await app.inject('/nowhere')).statusCode, 404)
  await tracing.close()
})

/** The packages of those who watch that are loaded by a server that is told to be watched so. */
function listLoaded(port: number | undefined, endpoint: string | undefined): string {
  const index = JSON.stringify(new URL('../src/index.ts', import.meta.url).href)
  const script = `
    const { registerHooks } = await import('node:module')
    const loaded = new Set()
    registerHooks({
      resolve(name, context, next) {
        if (/^(@opentelemetry|prom-client)/.test(name)) loaded.add(name)
        return next(name, context)
      },
    })
    const { createServer, openMetrics, openTracing } = await import(${index})
    const metrics = await openMetrics('127.0.0.1', ${port})
    const tracing = await openTracing(${JSON.stringify(endpoint)})
    await createServer({ logger: false, trustProxy: [], metrics: metrics.of('iam'), tracer: tracing.of('iam') })
    await Promise.all([metrics.close(), tracing.close()])
    console.log([...loaded].join())`
  const run = { encoding: 'utf8', timeout: 60_000 } as const
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], run)
  return `${stdout.trim()}${stderr}`
}

t.test('what watches is loaded where something is to be watched, and nowhere else', async t => {
  t.equal(listLoaded(undefined, undefined), '')
  t.match(listLoaded(0, 'http://127.0.0.1:9'), /prom-client.*@opentelemetry\/sdk-trace/)
})
