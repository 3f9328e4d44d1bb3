// Each attack and fault of the design has a test whose title begins with its number: F-01 …
import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))
const document = fileURLToPath(new URL('../../../shared/design/THREATS.md', import.meta.url))
const isThere = existsSync(document)

t.test('every line of THREATS.md', { skip: isThere ? false : 'the design is not beside this repository' }, async t => {
  const lines = listLines(readFileSync(document, 'utf8'))
  t.ok(lines.length > 90, `${lines.length} lines were understood: see listLines when the document has changed its form`)
  const titled = listTitled()
  const missing = lines.filter(line => !titled.has(line))
  t.same(missing, [], 'has its test; begin the title of one with the number')
})

t.test('lines are read as the document writes them', async t => {
  const section = '**F. Forged → 401.** 01 `alg`\nnone. 02 2,000 times: 10 MB. 03 last. 64 is no line'
  const named = '**K. Keys. C. Load.** K-01 rotate 20 times. C3 overload. C-04 stop.'
  t.same(listLines(`# Attacks (\`F-01 …\`)\n\n${section}\n\n${named}`), [
    'F-01',
    'F-02',
    'F-03',
    'K-01',
    'C-03',
    'C-04',
  ])
})

/** A section says its letter once and numbers its lines from 01, each after a full stop; or each line says both. */
function listLines(text: string): string[] {
  return text.split(/^(?=\*\*[A-Z]\. )/m).flatMap(section => {
    const [, letter] = /^\*\*([A-Z])\. /.exec(section) ?? []
    if (letter === undefined) return []
    const named = [...section.matchAll(/(?<=\.(?:\*\*)?\s)([A-Z])-?(\d{1,2}) /g)]
    if (named.length > 0) return named.map(([, own, number = '']) => `${own}-${number.padStart(2, '0')}`)
    const found: string[] = []
    for (const [, number] of section.matchAll(/(?<=\.(?:\*\*)?\s)(\d{2}) /g)) {
      if (Number(number) === found.length + 1) found.push(`${letter}-${number}`)
    }
    return found
  })
}

/** What titles of tests begin with, helpers of tests included. Forged tokens are tried by a function of their own, `attack`. */
function listTitled(): Set<string> {
  const files = globSync('{apps,packages}/*/test/**/*.ts', {
    cwd: root,
    exclude: path => path.includes('node_modules'),
  })
  return new Set(
    files.flatMap(file => {
      const source = readFileSync(`${root}/${file}`, 'utf8')
      return [...source.matchAll(/\b(?:test|attack)\(\s*['"`]((?:[A-Z]-\d{2},? )+)/g)].flatMap(
        ([, begin = '']) => begin.match(/[A-Z]-\d{2}/g) ?? [],
      )
    }),
  )
}
