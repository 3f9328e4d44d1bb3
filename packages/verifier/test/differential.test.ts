// The rule: ours refuses whatever any other library refuses. Where it does not, the corpus cites the sentence that makes
// the token valid, or this test fails. docs/differential.md shows every verdict.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { type Case, createCorpus } from './corpus.ts'
import { createJury, listVersions, peerNames, type Verdicts } from './peers.ts'

interface Row extends Case, Verdicts {}

const documentFile = new URL('../docs/differential.md', import.meta.url)
const { setting, cases } = createCorpus()

const ask = createJury(setting)
const rows: Row[] = []
let fetches = 0
const { fetch } = globalThis
globalThis.fetch = () => {
  fetches++
  return Promise.reject(new Error('Nobody may ask the network.'))
}
for (const each of cases) rows.push({ ...each, ...(await ask(each.token)) })
globalThis.fetch = fetch

t.test('The corpus is large enough, and each of its tokens is another one', async t => {
  t.ok(cases.length >= 200, `${cases.length} tokens`)
  t.equal(new Set(cases.map(each => each.token)).size, cases.length, 'no two are the same')
  t.ok(cases.filter(each => each.expected === 'accepts').length >= 25, 'a good part of them is valid')
  for (const each of cases) t.match(each.source, /^(?:[A-Z]-\d\d|RFC \d)/, `${each.name}: says where it comes from`)
  for (let line = 1; line <= 13; line++) {
    const threat = `F-${String(line).padStart(2, '0')}`
    t.ok(
      cases.some(each => each.source.includes(threat)),
      `${threat} is in it`,
    )
  }
})

t.test('Every verdict of ours is the expected one', async t => {
  for (const { name, expected, signet, reason } of rows) {
    if (expected !== undefined) t.equal(signet, expected, `${name}: ${reason ?? signet}`)
  }
})

t.test('Ours refuses whatever any other library refuses, or cites why it must not', async t => {
  t.strictSame(findBreaches(rows), [])
  t.equal(fetches, 0, 'and no key was fetched')
})

t.test('The rule bites', async t => {
  const [valid] = rows.filter(row => row.expected === 'accepts')
  if (valid === undefined) throw new Error('No token is valid.')
  const { because: _, ...uncited } = valid
  const refusing = { ...valid.peers, jose: 'refuses' as const }
  t.strictSame(findBreaches([{ ...uncited, peers: refusing }]), [`${valid.name}: accepted, though jose refuses it`])
  t.strictSame(findBreaches([{ ...uncited, peers: { ...valid.peers, jose: 'throws RangeError' } }]), [
    `${valid.name}: accepted, though jose throws RangeError`,
  ])
  t.strictSame(findBreaches([{ ...valid, peers: refusing }]), [], 'a sentence of an RFC excuses')
  t.equal(findBreaches([{ ...valid, because: 'It seemed harmless.', peers: refusing }]).length, 1, 'nothing else does')
})

t.test('docs/differential.md says the same', async t => {
  const written = writeDocument(rows)
  if (process.env['TAP_SNAPSHOT'] === '1') {
    mkdirSync(new URL('.', documentFile), { recursive: true })
    writeFileSync(documentFile, written)
  }
  t.equal(
    readFileSync(documentFile, 'utf8'),
    written,
    'where the change is meant, run this file with TAP_SNAPSHOT=1 and commit docs/differential.md',
  )
})

/** Each token that ours accepts, another library does not, and no RFC excuses. */
function findBreaches(all: readonly Row[]): string[] {
  const breaches: string[] = []
  for (const { name, signet, peers, because } of all) {
    if (signet !== 'accepts' || /^RFC \d{4} /.test(because ?? '')) continue
    for (const [peer, verdict] of Object.entries(peers)) {
      if (verdict !== 'accepts')
        breaches.push(`${name}: accepted, though ${peer} ${verdict}${verdict === 'refuses' ? ' it' : ''}`)
    }
  }
  return breaches
}

function writeDocument(all: readonly Row[]): string {
  const valid = all.filter(row => row.expected === 'accepts')
  const forged = all.filter(row => row.expected === 'refuses')
  const open = all.filter(row => row.expected === undefined)
  const count = (some: readonly Row[], verdict: RegExp) => [
    some.filter(row => verdict.test(row.signet)).length,
    ...peerNames.map(name => some.filter(row => verdict.test(row.peers[name] ?? '')).length),
  ]
  const line = (cells: readonly unknown[]) => `| ${cells.map(cell => escape(String(cell))).join(' | ')} |`
  const table = (head: readonly string[], body: readonly (readonly unknown[])[]) => [
    line(head),
    line(head.map(() => '---')),
    ...body.map(line),
  ]
  const verdictsOf = (row: Row) => [row.signet, ...peerNames.map(name => row.peers[name])]
  const libraries = ['signet', ...peerNames]
  return [
    '# What each library makes of the same token',
    '',
    'Written by `test/differential.test.ts`, which fails when it is out of date. Keys are new in each run; the cases are in',
    '`test/corpus.ts`, the settings in `test/peers.ts`: RS256 alone, issuer, audience, `typ` and required claims where the',
    'library has an option for it, 30 seconds of tolerance. *throws …* is an error that the library does not document as a',
    'refusal. That another library accepts a token does not make it unsafe: some of these are for the caller to check there.',
    '',
    `Compared with ${listVersions().join(', ')}.`,
    '',
    ...table(
      ['', ...libraries],
      [
        [`of ${forged.length} tokens to be refused, accepts`, ...count(forged, /^accepts/)],
        [`of ${valid.length} valid tokens, does not accept`, ...count(valid, /^(?!accepts)/)],
        [`of all ${all.length}, throws something undocumented`, ...count(all, /^throws/)],
      ],
    ),
    '',
    '## Accepted by signet, though another library refuses',
    '',
    ...writeExcuses(all),
    '',
    '## To be refused',
    '',
    ...table(
      ['case', 'source', ...libraries, 'reason of signet'],
      forged.map(row => [row.name, row.source, ...verdictsOf(row), row.reason ?? '']),
    ),
    '',
    '## Valid',
    '',
    ...table(
      ['case', 'source', ...libraries, 'why it is valid'],
      valid.map(row => [row.name, row.source, ...verdictsOf(row), row.because ?? '']),
    ),
    '',
    '## Where either would do',
    '',
    ...table(
      ['case', 'source', ...libraries, 'reason of signet, or why it may be accepted'],
      open.map(row => [row.name, row.source, ...verdictsOf(row), row.reason ?? row.because ?? '']),
    ),
    '',
  ].join('\n')
}

function writeExcuses(all: readonly Row[]): string[] {
  const excused = all.filter(
    row => row.signet === 'accepts' && Object.values(row.peers).some(verdict => verdict !== 'accepts'),
  )
  if (excused.length === 0) return ['None.']
  return excused.map(row => `- ${escape(row.name)}: ${escape(row.because ?? '')}`)
}

function escape(text: string): string {
  return text === '---' ? text : text.replaceAll(/[\\|_*`<~]/g, String.raw`\$&`)
}
