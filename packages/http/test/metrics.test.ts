import t from 'tap'
import { createServer, openMetrics, silentMetrics, watchHashing, watchPool } from '../src/index.ts'

const signIns = { name: 'test_sign_ins_total', help: 'Sign-ins.', labels: ['outcome'] } as const

t.test('metrics', async t => {
  const listener = await openMetrics('127.0.0.1', 0)
  t.teardown(() => listener.close())
  const url = listener.url ?? ''
  const scrape = async (): Promise<string[]> => (await (await fetch(url)).text()).split('\n')

  await t.test('are one family for all programs of a process, which differ by a label', async t => {
    const [iam, admin] = ['iam', 'admin-api'].map(program => listener.of(program).counter(signIns))
    iam?.({ outcome: 'success' })
    iam?.({ outcome: 'success' })
    admin?.({ outcome: 'success' })
    const lines = await scrape()
    t.equal(lines.filter(line => line === '# TYPE test_sign_ins_total counter').length, 1)
    t.ok(lines.includes('test_sign_ins_total{outcome="success",program="iam"} 2'), lines.join('\n'))
    t.ok(lines.includes('test_sign_ins_total{outcome="success",program="admin-api"} 1'))
  })

  await t.test('that others keep are read when they are asked for, by two at once as by one', async t => {
    const metrics = listener.of('iam')
    watchPool(metrics, () => ({ used: 3, waiting: 2, waits: 7, waitedSeconds: 1.5, refused: 1 }))
    watchHashing(metrics, () => ({ running: 2, queued: 4, shed: 5 }))
    for (const lines of await Promise.all([scrape(), scrape()])) {
      for (const line of [
        'signet_database_connections{state="used",program="iam"} 3',
        'signet_database_connections{state="waiting",program="iam"} 2',
        'signet_database_waits_total{program="iam"} 7',
        'signet_database_wait_seconds_total{program="iam"} 1.5',
        'signet_database_refused_total{program="iam"} 1',
        'signet_hashing_jobs{state="queued",program="iam"} 4',
        'signet_hashing_shed_total{program="iam"} 5',
      ])
        t.ok(lines.includes(line), line)
    }
  })

  await t.test('that cannot be read are left out, and the others are not', async t => {
    listener.of('iam').read('gauge', { name: 'test_outbox', help: 'Waiting.', labels: [] }, async () => {
      throw new Error('the database is away')
    })
    const lines = await scrape()
    t.notOk(lines.some(line => line.startsWith('test_outbox')))
    t.ok(lines.some(line => line.startsWith('nodejs_eventloop_lag_p99_seconds ')))
    t.ok(lines.some(line => line.startsWith('process_resident_memory_bytes ')))
  })

  await t.test('of requests name the pattern of the route, never its address', async t => {
    const app = await createServer({ logger: false, trustProxy: [], metrics: listener.of('places') })
    app.get('/secret/:key', { config: { access: 'public' } }, async () => 'ok')
    t.teardown(() => app.close())
    for (const path of ['/secret/hunter2', '/secret/swordfish', '/nowhere/hunter2']) await app.inject(path)
    const text = (await scrape()).join('\n')
    t.match(text, /_duration_seconds_count\{method="GET",route="\/secret\/:key",status="2xx",program="places"\} 2/)
    t.match(text, /_duration_seconds_count\{method="GET",route="\(none\)",status="4xx",program="places"\} 1/)
    t.notMatch(text, /hunter2|swordfish/)
  })

  await t.test('are all that the port has', async t => {
    t.equal((await fetch(new URL('/', url))).status, 404)
    t.equal((await fetch(url, { method: 'POST' })).status, 404)
  })

  await t.test('are not served where there is no port, and cost nothing', async t => {
    const none = await openMetrics('127.0.0.1', undefined)
    t.equal(none.url, undefined)
    t.equal(none.of('iam'), silentMetrics)
    await none.close()
  })

  await t.test('refuse a port that is taken', async t => {
    await t.rejects(openMetrics('127.0.0.1', Number(new URL(url).port)), { code: 'EADDRINUSE' })
  })
})
