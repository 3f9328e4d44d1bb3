import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseNodeFlags } from '../src/issuer.ts'
import { onCore, parseCoreList, wholeMachine } from '../src/machine.ts'
import { parseCommandLine } from '../src/command-line.ts'
import { countFaults, expectNone, renderFaults, tell } from '../src/fault-report.ts'
import { addressOf, loopbackAddressOf } from '../src/network-addresses.ts'
import { faultPartNames, loadPartNames, partNames } from '../src/options.ts'
import { monotonicMs } from '../src/monotonic.ts'
import {
  boundBytes,
  boundCount,
  boundMedian,
  boundMoment,
  boundRate,
  boundWaiting,
  compareCosts,
  compareDurations,
  compareMemory,
  compareRates,
  compareTimes,
  countEvents,
  expectAnswers,
  renderTable,
} from '../src/report.ts'
import { percentile, separability, slopeOf } from '../src/statistics.ts'
import { startWorker } from '../src/worker.ts'
import { openConnection, readAnswer } from '../src/workers/http-connection.ts'
import type { OpenLoopAnswer, OpenLoopQuestion } from '../src/workers/open-loop.ts'
import { makeTokens } from '../src/workers/tokens.ts'
import { alternate, median, pairRates, roundCount, takeTurns } from '../src/rounds.ts'

const openLoop = new URL('../src/workers/open-loop.ts', import.meta.url)

t.test('a comparison', async t => {
  const rounds = pairRates([50, 40, 100, 40, 60], [100, 100, 100, 50, 100])

  t.test('is the median of the rounds’ own ratios, not the ratio of the medians', async t => {
    const row = compareRates({ part: 'p', subject: 's', against: 'a', rounds, atLeast: 0.6 })
    t.equal(row.ratio, '0.60')
    t.equal(row.spread, '0.40 to 1.00')
    t.equal(row.measured, '50/s')
    t.equal(row.against, 'a 100/s')
    t.equal(row.met, 'yes')
  })

  t.test('says NO just below its target, and nothing where it has none', async t => {
    t.equal(compareRates({ part: 'p', subject: 's', against: 'a', rounds, atLeast: 0.61 }).met, 'NO')
    const { target, met } = compareRates({ part: 'p', subject: 's', against: 'a', rounds })
    t.strictSame([target, met], ['', ''])
  })

  t.test('of what an addition costs is the median of the rounds’ differences, in nanoseconds', async t => {
    const costs = pairRates([1e6, 2e6, 1e6], [2e6, 2e6, 1.25e6])
    const row = compareCosts({ part: 'p', subject: 's', against: 'without', rounds: costs, belowNs: 201 })
    t.match(row, { ratio: '+200 ns', spread: '+0 ns to +500 ns', target: '< 201 ns', met: 'yes' })
    t.match(row, { measured: '1,000,000/s', against: 'without 2,000,000/s' })
    t.equal(compareCosts({ part: 'p', subject: 's', against: 'without', rounds: costs, belowNs: 200 }).met, 'NO')
    const faster = compareCosts({ part: 'p', subject: 's', against: 'a', rounds: pairRates([2e6], [1e6]), belowNs: 1 })
    t.match(faster, { ratio: '-500 ns', met: 'yes' })
    const longer = { part: 'p', subject: 's', against: 'without', rounds: [{ ours: 150, theirs: 175 }], belowNs: 1e6 }
    t.match(compareCosts(longer), { ratio: '+0.95 ms', target: '< 1.00 ms', met: 'yes' })
  })

  t.test('of durations holds the median of ours against its limit, and shows the others’', async t => {
    const times = { part: 'p', subject: 's', against: 'a', ours: [9, 10, 11], theirs: [18, 40, 22] }
    t.match(compareDurations({ ...times, belowMs: 10.1 }), {
      measured: '10.0 ms',
      against: 'a 22.0 ms',
      ratio: '0.50',
      spread: '0.25 to 0.50',
      target: '< 10.1 ms',
      met: 'yes',
    })
    t.equal(compareDurations({ ...times, belowMs: 10 }).met, 'NO')
  })

  t.test('of memory is met below the limit only', async t => {
    t.equal(compareMemory('p', 's', 149_999_999, 150_000_000).met, 'yes')
    t.equal(compareMemory('p', 's', 150_000_000, 150_000_000).met, 'NO')
  })
})

t.test('the median', async t => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.throws(() => median([]), TypeError)
})

t.test('what grows is told by the line through all samples, not by the first and the last', async t => {
  const samples = [0, 1, 2, 3, 4].map(x => ({ x, y: 100 + 2 * x }))
  t.equal(slopeOf(samples), 2)
  t.ok(slopeOf([...samples.slice(0, 4), { x: 4, y: 101 }]) < 2)
  t.throws(() => slopeOf([{ x: 1, y: 1 }]), TypeError)
  t.match(boundCount('p', 's', 4, 4), { measured: '4', target: '<= 4', met: 'yes' })
  t.equal(boundCount('p', 's', 5, 4).met, 'NO')
  t.match(compareMemory('p', 's', 940_000, 1_000_000), { measured: '0.9 MB', target: '< 1.0 MB' })
})

t.test('what a stopwatch tells', async t => {
  /** Normal deviates, always the same ones: mulberry32 and Box and Muller. */
  const deviates = (seed: number, count: number) => {
    let state = seed
    const uniform = () => {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    }
    return Array.from(
      { length: count },
      () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    )
  }

  t.test('agrees with counting every pair, ties by halves', async t => {
    const a = deviates(1, 60).map(Math.round)
    const b = deviates(2, 45).map(value => Math.round(value + 0.7))
    let better = 0
    for (const one of a) for (const other of b) better += one > other ? 1 : one === other ? 0.5 : 0
    const area = better / (a.length * b.length)
    t.ok(area < 0.4, 'the kinds do differ')
    t.ok(Math.abs(separability(a, b) - (1 - area)) < 1e-12)
    t.equal(separability(a, b), separability(b, a), 'both ways are one')
  })

  t.test('is a coin for one kind, and certain for two that never overlap', async t => {
    t.equal(separability([1, 2, 3], [1, 2, 3]), 0.5)
    t.equal(separability([5, 5], [5, 5, 5]), 0.5)
    t.equal(separability([1, 2], [3, 4, 5]), 1)
    t.equal(separability([3, 4, 5], [1, 2]), 1)
    t.throws(() => separability([], [1]), TypeError)
  })

  t.test('of a thousand a kind passes equals, and finds a third of a deviation', async t => {
    const times = (seed: number, shift: number) => deviates(seed, 1_000).map(deviate => 20 + shift + deviate)
    const compare = (shift: number) =>
      compareTimes({ part: 'p', subject: 's', against: 'a', ours: times(3, 0), theirs: times(4, shift), below: 0.58 })
    t.match(compare(0), { met: 'yes', target: '< 0.58' })
    t.equal(compare(0.35).met, 'NO')
    t.equal(compare(-0.35).met, 'NO', 'faster tells as much as slower')
  })

  t.test('a slow answer in a hundred changes nothing', async t => {
    const even = deviates(5, 1_000)
    const outliers = deviates(6, 1_000).map((deviate, at) => (at % 100 === 0 ? 1_000 : deviate))
    t.ok(separability(even, outliers) < 0.58)
  })
})

t.test('a bounded wait', async t => {
  const times = Array.from({ length: 200 }, (_, at) => at + 1)
  t.equal(percentile(times, 0.99), 198)
  t.equal(percentile([7], 0.99), 7)
  t.throws(() => percentile([], 0.5), TypeError)
  t.match(boundWaiting({ part: 'p', subject: 's', times, atMostMs: 198 }), { measured: '198.0 ms', met: 'yes' })
  t.equal(boundWaiting({ part: 'p', subject: 's', times, atMostMs: 197 }).met, 'NO')
  const short = { part: 'p', subject: 's', times: times.map(each => each / 1_000) }
  t.match(boundMedian({ ...short, atMostUs: 100.5 }), { measured: '100.5 us', target: '<= 100.5 us', met: 'yes' })
  t.equal(boundMedian({ ...short, atMostUs: 100 }).met, 'NO')
  t.equal(countEvents('p', 'shed', 0, 1).met, 'NO')
  t.equal(countEvents('p', 'shed', 1, 1).met, 'yes')
})

t.test('what is measured once, or is no number', async t => {
  t.match(boundRate({ part: 'p', subject: 's', perSecond: 10, atLeast: 10 }), { target: '>= 10/s', met: 'yes' })
  t.equal(boundRate({ part: 'p', subject: 's', perSecond: 9, atLeast: 10 }).met, 'NO')
  t.match(boundRate({ part: 'p', subject: 's', perSecond: 9 }), { measured: '9/s', target: '', met: '' })
  const moment = { part: 'p', subject: 's', fromMs: 3, untilMs: 4 }
  t.match(boundMoment({ ...moment, ms: 3 }), { measured: '3.0 ms', target: '3 to 4 ms', met: 'yes' })
  t.match(boundMoment({ part: 'p', subject: 's', ms: 4, untilMs: 4 }), { target: '<= 4 ms', met: 'yes' })
  for (const ms of [2.9, 4.1, Number.NaN, Infinity]) t.equal(boundMoment({ ...moment, ms }).met, 'NO', String(ms))
  t.match(boundBytes('p', 's', 3_200, 3_200), { measured: '3200 bytes', met: 'yes' })
  t.equal(boundBytes('p', 's', 3_201, 3_200).met, 'NO')
  t.match(expectAnswers('p', 's', ['revoked', 'revoked'], 'revoked'), { measured: 'revoked', met: 'yes' })
  t.match(expectAnswers('p', 's', ['revoked', 'accepted'], 'revoked'), { measured: 'revoked, accepted', met: 'NO' })
  t.equal(expectAnswers('p', 's', [], 'revoked').met, 'NO', 'nobody was asked')
})

t.test('processes share a clock', async t => {
  const before = monotonicMs()
  const { stdout } = spawnSync(process.execPath, ['--print', 'process.hrtime.bigint()'], { encoding: 'utf8' })
  const there = Number(BigInt(stdout.trim().replace(/n$/, ''))) / 1e6
  t.ok(before < there && there < monotonicMs())
})

t.test('tokens are of 700 to 1,000 bytes, with and without a status', async t => {
  for (const revocable of [false, true]) {
    const { list } = makeTokens(revocable)
    const claims = list.map(token => Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    t.equal(claims.filter(text => text.includes('"status_list"')).length, revocable ? list.length : 0)
    t.ok(new Set(list.map(token => token.length)).size > 1)
  }
})

t.test('rounds', async t => {
  t.test('let both sides work by turns in one process and count what each has done', async t => {
    const order: string[] = []
    const side = (name: string, operations: number) => () => {
      order.push(name)
      return operations
    }
    const rounds = await alternate(side('a', 1), side('b', 1_000_000), { sliceMs: 0, slices: 2 })
    t.equal(rounds.length, roundCount)
    t.strictSame(order.slice(0, 8), ['a', 'b', 'a', 'b', 'b', 'a', 'b', 'a'], 'after the warm-up the other side begins')
    t.ok(rounds.every(({ ours, theirs }) => ours > 0 && theirs > ours))
  })

  t.test('of separate processes run each side once, forwards and backwards', async t => {
    const order: string[] = []
    const side = (name: string) => async () => order.push(name)
    const rates = await takeTurns({ a: side('a'), b: side('b') }, () => undefined)
    t.equal(order.join(''), 'abbaabbaab')
    t.equal(rates.a.length, roundCount)
    t.strictSame(pairRates(rates.a, rates.b)[0], { ours: 1, theirs: 2 })
  })
  t.test('or in several slices, whose mean is the round', async t => {
    const order: string[] = []
    const side = (name: string) => async () => order.push(name)
    const rates = await takeTurns({ a: side('a'), b: side('b') }, () => undefined, 2)
    t.equal(order.slice(0, 8).join(''), 'abbabaab')
    t.strictSame(pairRates(rates.a, rates.b)[0], { ours: (1 + 4) / 2, theirs: (2 + 3) / 2 })
  })

  t.test('pass on what a side throws', async t => {
    const broken = async () => {
      throw new Error('refused')
    }
    await t.rejects(
      alternate(broken, () => 1, { sliceMs: 1, slices: 1 }),
      { message: 'refused' },
    )
  })
})

t.test('the table aligns its columns and carries every figure', async t => {
  const rows = [
    compareRates({ part: 'verify', subject: 'fresh', against: 'raw', rounds: [{ ours: 41_234, theirs: 50_000 }] }),
    compareMemory('memory', 'idle', 120_400_000, 150_000_000),
  ]
  const [titles = '', rule = '', first = '', second = ''] = renderTable(rows).split('\n')
  t.match(titles, /^part +measured +Signet +against +ratio +of rounds +target +met$/)
  t.match(rule, /^[- ]+$/)
  t.match(first, /^verify +fresh +41,200\/s +raw 50,000\/s +0\.82 +0\.82 to 0\.82$/)
  t.match(second, /^memory +idle +120 MB +< 150 MB +yes$/)
  t.equal(titles.indexOf('target'), second.indexOf('< 150 MB'))
})

t.test('the command line', async t => {
  t.test('runs every part without an argument, and chosen ones in the order of the table', async t => {
    t.strictSame(parseCommandLine([], partNames).parts, partNames)
    t.strictSame(parseCommandLine(['tenant', 'verify'], partNames).parts, ['verify', 'tenant'])
    t.strictSame(parseCommandLine(['--', 'memory'], partNames).parts, ['memory'])
  })

  for (const [program, names] of [
    ['main.ts', partNames],
    ['main-faults.ts', faultPartNames],
    ['main-load.ts', loadPartNames],
  ] as const) {
    t.test(`of ${program} shows its help, and refuses what it does not know with status 2`, async t => {
      const main = fileURLToPath(new URL(`../src/${program}`, import.meta.url))
      const run = (argument: string) => spawnSync(process.execPath, [main, argument], { encoding: 'utf8' })
      const helped = run('--help')
      t.equal(helped.status, 0)
      for (const part of names) t.match(helped.stdout, new RegExp(`^ {2}${part} `, 'm'))
      for (const wrong of ['signin', '--quick']) {
        const refused = run(wrong)
        t.equal(refused.status, 2, wrong)
        t.match(refused.stderr, wrong)
        t.equal(refused.stdout, '')
      }
    })
  }
})

t.test('a promise of a fault run', async t => {
  t.test('holds when nothing breaks it, and shows what did', async t => {
    t.match(expectNone('p', 'none is lost', [], '12 sessions'), { seen: '0 of 12 sessions', held: 'yes' })
    const broken = expectNone('p', 'none is lost', ['a', 'b', 'c', 'd'], '12 sessions')
    t.match(broken, { seen: '4 of 12 sessions: a; b; c', held: 'NO' })
  })

  t.test('of a number of faults is broken by a run that was too slow', async t => {
    t.match(countFaults('p', 'it is killed', 200, 200, 20), { seen: '200 of 200', held: 'yes' })
    t.match(countFaults('p', 'it is killed', 199, 200, 20), { promise: 'it is killed within 20 minutes', held: 'NO' })
  })

  t.test('is a line of its own, beside those that only tell', async t => {
    const lines = renderFaults([tell('p', 'kills', '5'), expectNone('p', 'none', [], '1')]).split('\n')
    t.match(lines[0], /^part +promise +seen +held$/)
    t.match(lines[2], /^p +kills +5$/)
    t.match(lines[3], /^p +none +0 of 1 +yes$/)
  })
})

t.test('each number is a network of its own', async t => {
  t.strictSame([0, 255, 256, 2 ** 24 - 1].map(addressOf), ['10.0.0.0', '10.0.0.255', '10.0.1.0', '10.255.255.255'])
  for (const wrong of [-1, 0.5, 2 ** 24]) t.throws(() => addressOf(wrong), RangeError)
  t.strictSame([0, 256].map(loopbackAddressOf), ['127.1.0.0', '127.1.1.0'])
})

t.test('the flags of a start script are what stands between node and its file', async t => {
  t.strictSame(parseNodeFlags('node --max-semi-space-size=2 --optimize-for-size src/main.ts --migrate=true'), [
    '--max-semi-space-size=2',
    '--optimize-for-size',
  ])
  t.strictSame(parseNodeFlags('cd ../.. && node --max-semi-space-size=2 apps/x/src/main.ts'), [
    '--max-semi-space-size=2',
  ])
  t.strictSame(parseNodeFlags('node src/main.ts'), [])
  for (const script of ['', 'node', 'node --flag', 'tsx src/main.ts']) t.throws(() => parseNodeFlags(script), TypeError)
})

t.test('cores', async t => {
  t.strictSame(parseCoreList('0-3,8,10-11\n'), [0, 1, 2, 3, 8, 10, 11])
  t.strictSame(parseCoreList(''), [])
  t.strictSame(onCore(3, 'node', ['a.ts']), ['taskset', '-c', '3', 'node', 'a.ts'])
  t.strictSame(onCore('0-3', 'node', ['a.ts']), ['taskset', '-c', '0-3', 'node', 'a.ts'])
  t.strictSame(onCore(undefined, 'node', ['a.ts']), ['node', 'a.ts'])
})

t.test('a crowd sends as many a second as it is told to, whoever has been answered', async t => {
  const open: ServerResponse[] = []
  const answers = { ok: 0, shed: 0, wrong: 0 }
  const server = createServer((request, response) => {
    request.resume()
    const number = answers.ok + answers.shed + answers.wrong + open.length
    const answer = (kind: keyof typeof answers, status: number) => {
      answers[kind] += 1
      const headers = kind === 'shed' ? { 'retry-after': '1' } : {}
      response.writeHead(status, { 'content-length': 2, ...headers }).end('{}')
    }
    if (number < 20) open.push(response)
    else if (number % 3 === 0) answer('shed', 503)
    else if (number % 3 === 1) answer('wrong', 503)
    else answer('ok', 200)
    if (number === 59) for (const late of open) late.writeHead(200, { 'content-length': 2 }).end('{}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const ignore = () => undefined
  const bench = { machine: wholeMachine(), signal: AbortSignal.timeout(60_000), say: ignore, note: ignore }
  const crowd = startWorker<OpenLoopQuestion, OpenLoopAnswer>(bench, openLoop, undefined)
  t.teardown(() => crowd[Symbol.asyncDispose]())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const answer = await crowd.ask({ url, bodies: ['{}'], perSecond: 300, durationMs: 200 })
  t.equal(answer.sent, 60)
  t.equal(answer.served, answers.ok + 20)
  t.equal(answer.shed, answers.shed)
  t.equal(answer.wrong.length, 5)
  t.equal(answers.ok + answers.shed + answers.wrong, 40)
})

t.test('a connection of the load', async t => {
  const server = createServer((request, response) => {
    if (request.url === '/break') {
      request.socket.destroy()
      return
    }
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const { 'content-type': type, 'x-forwarded-for': forwarded } = request.headers
      const answer = JSON.stringify({ type, body, from: request.socket.remotePort, forwarded })
      response.writeHead(201, { 'content-length': Buffer.byteLength(answer) }).end(answer)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  t.test('sends one request after the other over the same socket', async t => {
    const connection = await openConnection(url)
    const ports: unknown[] = []
    for (const body of ['{"name":"Zoë"}', 'second']) {
      const answer = await connection.post('/', 'application/json', body)
      const echo = JSON.parse(answer.body) as { type: string; body: string; from: number }
      t.strictSame([answer.status, echo.type, echo.body], [201, 'application/json', body])
      ports.push(echo.from)
    }
    t.equal(ports[0], ports[1])
    const told = JSON.parse((await connection.post('/', 'text/plain', '', '10.0.0.7')).body) as { forwarded: string }
    t.equal(told.forwarded, '10.0.0.7', 'the address that a proxy would tell')
    t.match(await connection.get('/'), { status: 201, body: /"body":""/ })
    await t.rejects(connection.post('/break', 'text/plain', ''), { message: /closed|ECONNRESET/ })
    await t.rejects(connection.post('/', 'text/plain', ''), { message: 'The connection is closed.' })
  })

  t.test('waits for the last byte of an answer, and refuses one that does not state its length', async t => {
    const whole = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc')
    t.strictSame(readAnswer(whole), { status: 200, retryAfter: undefined, body: 'abc' })
    for (let length = 0; length < whole.length; length += 1) t.equal(readAnswer(whole.subarray(0, length)), undefined)
    const shed = Buffer.from('HTTP/1.1 503 No\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n')
    t.strictSame(readAnswer(shed), { status: 503, retryAfter: 7, body: '' })
    const empty = Buffer.from('HTTP/1.1 204 No Content\r\nkeep-alive: timeout=72\r\n\r\n')
    t.strictSame(readAnswer(empty), { status: 204, retryAfter: undefined, body: '' })
    const chunked = Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n')
    t.throws(() => readAnswer(chunked), { message: /does not state its length/ })
  })
})
