// The queues in which the patched driver keeps its connections and statements: as long as what waits in them, in the order of arrival.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'

interface Queue<T> {
  readonly length: number
  push(item: T): T
  shift(): T | undefined
  remove(item: T): T | null
}

const { default: createQueue } = (await import(new URL('queue.js', import.meta.resolve('postgres')).href)) as {
  default: <T>(initial?: readonly T[]) => Queue<T>
}

t.test('a queue that is never empty, as of idle connections, does not grow with what passes through it', async t => {
  const queue = createQueue<object>([{}, {}, {}])
  const before = readHeapBytes()
  const passages = 4_000_000
  for (let passage = 0; passage < passages; passage += 1) queue.push(queue.shift() ?? {})
  const growth = readHeapBytes() - before
  // Without the patch it was 38 MB: a word for each passage, and room for more.
  t.ok(growth < 1_000_000, `${growth} bytes after ${passages} passages`)
  t.equal(queue.length, 3)
})

t.test('items leave in the order of their arrival, and each that is removed from between is missed alone', async t => {
  const queue = createQueue<number>()
  const expected: number[] = []
  const differences: string[] = []
  const same = (found: number | null | undefined, wanted: number | null | undefined, what: string) => {
    if (found !== wanted) differences.push(`${what}: ${found}, not ${wanted}`)
  }
  let next = 0
  let random = 1
  const draw = (below: number) => {
    random = (random * 48_271) % 2_147_483_647
    return random % below
  }
  for (let step = 0; step < 50_000; step += 1) {
    // Fills and empties by turns, through all lengths from none to some two hundred.
    const filling = Math.floor(step / 500) % 2 === 0
    const choice = draw(10)
    if (choice < (filling ? 6 : 3)) {
      next += 1
      expected.push(next)
      same(queue.push(next), next, `step ${step}, pushed`)
    } else if (choice < 9) {
      same(queue.shift(), expected.shift(), `step ${step}, shifted`)
    } else {
      const item = draw(next + 1)
      const at = expected.indexOf(item)
      if (at >= 0) expected.splice(at, 1)
      same(queue.remove(item), at < 0 ? null : item, `step ${step}, removed`)
    }
    same(queue.length, expected.length, `step ${step}, length`)
  }
  t.same(differences.slice(0, 10), [])
  t.ok(next > 10_000, `${next} items`)
})

function readHeapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
