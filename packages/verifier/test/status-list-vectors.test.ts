// The test vectors of draft-ietf-oauth-status-list: lists of 2^20 entries with 1, 2, 4 and 8 bits each. Every entry is
// read: those that the vectors name have their value, all others are 0.

import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

/** What src/status-list.ts exports, as these vectors use it. */
interface StatusList {
  /** Throws a RangeError for an index that is no entry. */
  readonly readStatus: (bytes: Uint8Array, bits: 1 | 2 | 4 | 8, index: number) => number
  /** base64url of a zlib stream (draft-ietf-oauth-status-list section 4.1). */
  readonly inflateList: (lst: string) => Promise<Uint8Array>
}

interface Vector {
  readonly bits: 1 | 2 | 4 | 8
  readonly lst: string
  /** How many entries. */
  readonly size: number
  readonly expected: Readonly<Record<string, number>>
}

const file = new URL('../../../../shared/vectors/token-status-list/vectors.json', import.meta.url)
const skip = existsSync(file) ? false : `the status list vectors are not here: ${file.pathname}`

t.test('Status list vectors: 0 wrong', { skip }, async t => {
  const { inflateList, readStatus } = (await import(
    new URL('../src/status-list.ts', import.meta.url).href
  )) as StatusList
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[]
  t.strictSame(
    vectors.map(({ bits }) => bits),
    [1, 2, 4, 8],
    'one list for each width',
  )
  for (const { bits, lst, size, expected } of vectors) {
    const bytes = await inflateList(lst)
    t.equal(bytes.length, (size * bits) / 8, `${bits} bits: ${size} entries`)
    let [wrong, named] = [0, 0]
    for (let index = 0; index < size; index++) {
      const value = expected[index]
      if (value !== undefined) named++
      if (readStatus(bytes, bits, index) !== (value ?? 0)) wrong++
    }
    t.strictSame({ wrong, named }, { wrong: 0, named: Object.keys(expected).length }, `${bits} bits: all as stated`)
    for (const index of [
      size,
      size + 1,
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      undefined,
      null,
      '0',
    ]) {
      t.throws(() => readStatus(bytes, bits, index as number), RangeError, `${bits} bits: ${String(index)} is no entry`)
    }
  }
  t.throws(() => readStatus(new Uint8Array(0), 1, 0), RangeError, 'an empty list has no entry')
  for (const lst of ['', 'AAAA', 'eNrt', vectors[0]?.lst.slice(0, -8) ?? '', '!', `${vectors[0]?.lst}=`]) {
    await t.rejects(inflateList(lst), `${JSON.stringify(lst.slice(0, 12))} is no list`)
  }
})
