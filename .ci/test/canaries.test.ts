// The searcher has to find what it is there for: a leak is planted in each form, and beside it what only looks like one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { isEmpty, searchForCanaries } from '../canaries.ts'

const password = 'a "quiet" grün harbour+'
const token = `eyJhbGciOiJSUzI1NiJ9.${'payload'.repeat(9)}.the-signature_of-it`
const code = '042137'
const canaries = [
  { kind: 'password', value: password },
  { kind: 'token', value: token },
  { kind: 'code', value: code },
]

function search(log: string, output = '') {
  const folder = mkdtempSync(join(tmpdir(), 'signet-canaries-'))
  try {
    writeFileSync(join(folder, '1.canaries'), canaries.map(canary => `${JSON.stringify(canary)}\n`).join(''))
    writeFileSync(join(folder, 'x.test.ts-1.iam.log'), log)
    return searchForCanaries(folder, { output })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

t.test('the search for canaries', async t => {
  t.test('finds a secret in every form in which a log may hold it', async t => {
    const base64 = (text: string, encoding: 'base64' | 'base64url' = 'base64') => Buffer.from(text).toString(encoding)
    const leaks: [kind: string, form: string, leak: string][] = [
      ['password', 'plain', `typed ${password}.`],
      ['password', 'JSON', JSON.stringify({ msg: 'typed', password })],
      ['password', 'percent-encoded', `/x?password=${encodeURIComponent(password)}`],
      ['password', 'form-encoded', new URLSearchParams({ password }).toString()],
      ['password', 'base64', base64(password)],
      ['password', 'base64', `Basic ${base64(`ada:${password}`)}`],
      ['password', 'base64', `Basic ${base64(`lisa:${password}:and more`)}`],
      ['password', 'base64', `Basic ${base64(`marie:${password}`)}`],
      ['token', 'plain', `Bearer ${token}`],
      ['token', 'plain', `${'x'.repeat(100_000)}${token}`],
      ['token', 'base64url', base64(`??${token}`, 'base64url')],
      ['code', 'plain', `code=${code}`],
      ['code', 'plain', `{"code":"${code}"}`],
      ['code', 'base64', base64(`the code is ${code}`)],
    ]
    for (const [kind, form, leak] of leaks) {
      const { finds } = search(`{"level":30}\n${leak}\n{"level":30}\n`)
      t.ok(
        finds.some(find => find.kind === kind && find.form === form && find.file === 'x.test.ts-1.iam.log'),
        `${kind}, ${form}: ${JSON.stringify(finds)}`,
      )
    }
  })

  t.test('finds it in what the programs printed', async t => {
    t.match(search('', `it says ${password}`).finds, [{ file: 'output', kind: 'password', form: 'plain' }])
  })

  t.test('never tells the secret', async t => {
    const told = JSON.stringify(search(`${password} ${token} ${code}`))
    for (const { value } of canaries) t.notOk(told.includes(value))
  })

  t.test('takes nothing else for one', async t => {
    const log = [
      `${token.slice(0, -1)}x`,
      password.slice(1),
      token.slice(0, 40),
      `{"time":1795213${code},"pid":${code},"ms":0.${code},"id":"0198a0c0-${code}"}`,
      `1${code}`,
      `x${code}`,
    ].join('\n')
    t.same(search(log).finds, [])
  })

  t.test('counts what it was given, so that an empty run is no good one', async t => {
    const { logs, bytes, canaries: count } = search('12345678', '1234')
    t.match({ logs, bytes, count }, { logs: 1, bytes: 12, count: 3 })
    t.notOk(isEmpty(search('x')))
    t.ok(isEmpty({ canaries: 0, logs: 3, bytes: 9, finds: [] }))
    t.ok(isEmpty({ canaries: 3, logs: 0, bytes: 0, finds: [] }))
  })
})
