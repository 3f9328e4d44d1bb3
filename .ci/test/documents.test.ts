// Every shell block of the documents is run by a test, or stands here with the reason why none can.
import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(new URL(path, `file://${root}`), 'utf8')
const documents = globSync(['*.md', 'keys/*.md', '.github/*.md', 'apps/**/*.md', 'packages/**/*.md'], {
  cwd: root,
  exclude: path => basename(path) === 'node_modules',
})

/** Documents of which a test runs every block of the language `sh` as it stands; one that it leaves out is `console`. */
const pastedBy: Readonly<Record<string, string>> = {
  'apps/admin-api/docs/advisors.md': 'apps/admin-api/test/guides.test.ts',
  'apps/admin-api/docs/audit.md': 'apps/admin-api/test/guides.test.ts',
  'apps/admin-api/docs/decisions.md': 'apps/admin-api/test/decisions-guide.test.ts',
  'apps/admin-api/docs/gateway.md': 'apps/admin-api/test/guides.test.ts',
  'apps/admin-api/docs/images.md': 'apps/admin-api/test/guides.test.ts',
  'apps/admin-api/docs/people.md': 'apps/admin-api/test/guides.test.ts',
  'apps/admin-api/docs/policies.md': 'apps/admin-api/test/policy-guide.test.ts',
  'apps/admin-api/docs/structure.md': 'apps/admin-api/test/guides.test.ts',
  'apps/iam/docs/ways-in.md': 'apps/standalone/test/installation.test.ts',
}

/** Of the other documents each block, by how it begins. */
const blocks: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    "echo '1. Sign in": 'standalone.test.ts runs what a start prints, and installation.test.ts compares this with it',
    'npx -y pnpm@12 start': 'standalone.test.ts starts the same program; the whole line would install from a registry',
    'npx -y pnpm@12 test': 'is what runs this',
  },
  '.github/CONTRIBUTING.md': {
    'npx -y pnpm@12 start': 'each is a script of package.json, as this test sees, or `.ci/run`, which runs this',
  },
  'apps/admin-api/docs/import.md': {
    'curl -T users.ndjson': 'guides.test.ts',
    '# pm-identity-api': 'guides.test.ts gives each command a row of the table that it names',
    'pnpm admin import': 'command.test.ts runs both commands, with files of its own',
  },
  'apps/admin-api/docs/gateway.md': {
    'pnpm gateway nginx': 'origin.test.ts puts the programs behind what the command writes; this one has no end',
  },
  'apps/iam/docs/backup.md': {
    pg_dumpall:
      'restore.test.ts runs pg_dump where the server allows it; roles of a whole server are not dumped in a test',
    'psql --file': 'restore.test.ts runs pg_restore where the server allows it',
    'npx -y pnpm@12 migrate': 'restore.test.ts and standalone.test.ts run the command',
  },
  'apps/iam/docs/operations.md': {
    'npx -y pnpm@12 diagnose': 'diagnose.test.ts runs it on installations of its own',
  },
  'apps/standalone/deploy/README.md': {
    'sh apps/standalone': 'deployment.test.ts makes the secrets; no container engine runs in the tests',
    'curl -s': 'guides.test.ts sends it to an installation without an administrator',
  },
  'keys/README.md': {
    'pnpm keys': 'keys.test.ts and start.test.ts of the issuer run the commands, on keys of their own',
  },
}

/** Fences may stand in a list, and be of any language. */
const fencesOf = (path: string) =>
  [...read(path).matchAll(/^ *```(\w*)\n([^]*?)^ *```$/gm)].map(([, language = '', text = '']) => ({ language, text }))
/** Those that no test runs merely because they are there. */
const unpastedOf = (path: string) =>
  fencesOf(path).filter(({ language }) => language === 'console' || (language === 'sh' && !(path in pastedBy)))

t.test('every block says in which language it is', async t => {
  for (const path of documents)
    for (const { language, text } of fencesOf(path)) t.not(language, '', `${path}: ${text.split('\n')[0]}`)
})

t.test('every shell block is pasted by a test, or says who else runs it', async t => {
  for (const [path, test] of Object.entries(pastedBy))
    t.ok(read(test).includes(basename(path, '.md')), `${test} reads ${path}`)
  const withOthers = documents.filter(path => unpastedOf(path).length > 0)
  t.same(withOthers.toSorted(), Object.keys(blocks).toSorted())
  for (const [path, told] of Object.entries(blocks)) {
    const beginnings = Object.keys(told)
    const untold = unpastedOf(path).filter(
      ({ text }) => !beginnings.some(beginning => text.trimStart().startsWith(beginning)),
    )
    t.same(untold, [], `${path}: a test has to run it, or it has to be named here with the reason why none can`)
    t.equal(unpastedOf(path).length, beginnings.length, path)
  }
})

t.test('every block of TypeScript can be parsed', async t => {
  for (const path of documents)
    for (const { language, text } of fencesOf(path))
      if (language === 'ts') t.doesNotThrow(() => stripTypeScriptTypes(text), `${path}: ${text.split('\n')[0]}`)
})

t.test('every command that the documents give to pnpm is a script', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const ofPnpm = new Set(['install', 'exec', 'deploy'])
  for (const path of documents)
    for (const [, command = ''] of read(path).matchAll(/\bpnpm(?:@12)? ([a-z][a-z:-]*)/g))
      t.ok(Object.hasOwn(scripts, command) || ofPnpm.has(command), `${path}: pnpm ${command}`)
})
