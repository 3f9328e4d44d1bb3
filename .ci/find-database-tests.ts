// Prints the test files that are run once more on the PostgreSQL of this machine, one a line: those that import `testDatabase`, by
// however many steps. The others would do the same twice.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** They start the programs, whose statements those of the programs themselves have sent; but how a start differs there is looked at. */
const starting = /^(apps\/standalone|packages\/bench)\/(?!test\/installation\.test\.ts)/

const found = globSync('{apps,packages}/*/test/**/*.test.ts', { exclude: path => path.includes('node_modules') })
  .filter(file => !starting.test(file) && reachesDatabase(file, new Set()))
  .toSorted()
if (found.length === 0) throw new Error('No test imports testDatabase: see packages/testkit/src/database.ts.')
console.log(found.join('\n'))

function reachesDatabase(file: string, seen: Set<string>): boolean {
  if (seen.has(file)) return false
  seen.add(file)
  const text = readFileSync(file, 'utf8')
  return /\btestDatabase\b/.test(text) || listImported(file, text).some(each => reachesDatabase(each, seen))
}

function listImported(file: string, text: string): string[] {
  return [...text.matchAll(/\bfrom '(\.[^']+\.ts)'/g)]
    .map(([, path = '']) => join(dirname(file), path))
    .filter(path => existsSync(path))
}
